#ifndef KAON_RUN_METRICS_HPP
#define KAON_RUN_METRICS_HPP

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace kaon {

/// metrics.csv: a header, then one row a step. Numbers are written so that they parse back to the same bits. Every row is handed
/// to the operating system whole before row() returns: it outlives the process, and after sync() the machine too. For rank 0
/// alone. All members throw IoError naming file and cause when the file system fails.
class Metrics {
 public:
  using Value = std::variant<std::int64_t, double>;

  /// A new file. `columns` are those after the first one, "step". Throws InputError when the file holds rows already, naming
  /// the cure.
  static Metrics create(std::string const& path, std::vector<std::string> const& columns);

  /// Goes on after `step`: truncate_to, then append. A file that is not there is begun anew.
  static Metrics resume(std::string const& path, std::vector<std::string> const& columns, std::int64_t step);

  /// Removes rows of steps > `step` and a torn last line, atomically (a new file that takes the old one's place). Throws
  /// InputError naming file and cure when the header is not that of `columns`, or another line is no row.
  static void truncate_to(std::string const& path, std::vector<std::string> const& columns, std::int64_t step);

  ~Metrics();
  Metrics(Metrics&& other) noexcept;
  Metrics& operator=(Metrics&&) = delete;

  void row(std::int64_t step, std::vector<Value> const& values);

  /// Waits until all rows are on the disk.
  void sync();

  std::string const& path() const { return path_; }

 private:
  Metrics(std::string path, std::size_t columns);

  std::string path_;
  std::size_t columns_;
  int file_ = -1;
};

}  // namespace kaon

#endif
