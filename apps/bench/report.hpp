#ifndef KAON_BENCH_REPORT_HPP
#define KAON_BENCH_REPORT_HPP

#include "bench.hpp"
#include "race.hpp"

#include <kaon/files/part.hpp>

#include <memory>
#include <string>

namespace kaon::bench {

/// The table on standard output, a row as soon as it is known, and the same as CSV.
class Report {
 public:
  /// `csv` and `python` may be empty: no file, no peers. Throws IoError when the file cannot be made, UsageError when something
  /// else than such a CSV has its name.
  Report(std::string const& csv, std::string const& python);
  /// Of measurements that an error ends, the CSV keeps what there is.
  ~Report();
  void add(Race const& race, Times const& times);
  void add(Count const& count, double value);
  int rows() const { return rows_; }
  /// The summary, and the CSV gets its name; throws IoError when the CSV could not be written.
  void finish();

 private:
  void row(std::string const& name, std::string const& what, double figure, std::string const& unit, Asked const& asked,
           std::string const& detail);
  std::string python_;
  std::unique_ptr<files::Part> csv_;
  int rows_ = 0, asked_ = 0, met_ = 0, stretched_ = 0;
};

}  // namespace kaon::bench

#endif
