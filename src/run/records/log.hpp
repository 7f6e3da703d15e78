#ifndef KAON_RUN_RECORDS_LOG_HPP
#define KAON_RUN_RECORDS_LOG_HPP

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// Lines for people, on rank 0's stderr: "kaon: …", "kaon: warning: …". Every line of a text gets the prefix. On a terminal the
/// progress line is wiped first; it comes back with the next step.
class Log {
 public:
  /// A log of a rank other than 0 is silent. `out` must outlive it.
  explicit Log(int rank, std::FILE* out = stderr);

  void line(std::string_view text) const { write("kaon: ", text); }
  /// False once a line could not be written: a reader that went away, a full disk. The run goes on without it.
  bool complete() const { return complete_; }
  /// Said once: a text that was warned of before is passed over.
  void warning(std::string_view text) const;
  /// What was warned of, in order: for summary.json. On every rank that was told.
  std::vector<std::string> const& warnings() const { return warnings_; }

 private:
  void write(std::string_view prefix, std::string_view text) const;

  std::FILE* out_;
  bool speaks_;
  bool terminal_;
  mutable bool complete_ = true;
  mutable std::vector<std::string> warnings_;
};

}  // namespace kaon

#endif
