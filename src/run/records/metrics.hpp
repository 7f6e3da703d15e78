#ifndef KAON_RUN_RECORDS_METRICS_HPP
#define KAON_RUN_RECORDS_METRICS_HPP

#include <kaon/files/system.hpp>
#include <kaon/run/records/csv_text.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kaon {

/// metrics.csv: a header, then one row a step. Numbers are written so that they parse back to the same bits. Every row is handed
/// to the operating system whole before row() returns: it outlives the process, and after sync() the machine too. For rank 0
/// alone. All members throw IoError naming file and cause when the file system fails.
///
/// Another program may put a file in the place of this one, or cut it, while rows are written (an editor, a rotation, a copy that
/// comes back). sync(), the destructor and, once a second, row() look for that: then the file is written anew with every row, a
/// warning says so, and lines that only the other program knows are kept beside it as <path>.found. Of a file that was cut in
/// place the newest `remembered` bytes of rows come back; rows that are lost all the same are counted in the warning.
class Metrics {
 public:
  using Value = csv::Value;
  using Warn = std::function<void(std::string const&)>;
  static constexpr std::size_t remembered = std::size_t(1) << 22;

  /// A new file. `columns` are those after the first one, "step". Throws InputError when the file holds rows already, or
  /// something else, naming the cure.
  static Metrics create(std::string const& path, std::vector<std::string> const& columns, Warn warn = {});

  /// Goes on after `step`: truncate_to, then append. A file that is not there is begun anew.
  static Metrics resume(std::string const& path, std::vector<std::string> const& columns, std::int64_t step, Warn warn = {},
                        std::vector<csv::Older> const& older = {});

  /// Removes rows of steps > `step` and a torn last line, atomically (a new file that takes the old one's place): see
  /// csv::keep_to.
  static void truncate_to(std::string const& path, std::vector<std::string> const& columns, std::int64_t step,
                          std::vector<csv::Older> const& older = {});

  /// Throws what resume would, or create where a run begins; touches nothing.
  static void check(std::string const& path, std::vector<std::string> const& columns, bool begins,
                    std::vector<csv::Older> const& older = {});

  ~Metrics();
  Metrics(Metrics&& other) noexcept;
  Metrics& operator=(Metrics&&) = delete;

  void row(std::int64_t step, std::vector<Value> const& values);

  /// Waits until all rows are on the disk, in the file that has the name now.
  void sync();

  std::string const& path() const { return path_; }
  /// Different steps in the file, and the last of them.
  csv::Steps steps() const { return steps_; }

 private:
  Metrics(std::string path, std::vector<std::string> const& columns, Warn warn);
  void open();
  void look();
  void put_back();
  std::string own_text() const;
  void remember(std::string const& line);

  std::string path_, header_;
  std::size_t columns_;
  Warn warn_;
  int file_ = -1;
  files::Identity identity_;
  std::uint64_t size_ = 0;  // bytes that the file must have
  csv::Steps steps_;
  std::string newest_;             // rows, the last `remembered` bytes and up to as many more
  std::int64_t steps_before_ = 0;  // different steps of the rows in front of them
  double looked_ = 0;
  bool told_ = false;
};

}  // namespace kaon

#endif
