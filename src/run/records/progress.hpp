#ifndef KAON_RUN_RECORDS_PROGRESS_HPP
#define KAON_RUN_RECORDS_PROGRESS_HPP

#include <cstdint>
#include <cstdio>
#include <string>

namespace kaon {

/// What a progress line says. Bytes are those since the start of the run.
struct ProgressReport {
  std::int64_t step = 0;  ///< steps done
  double loss = 0;
  double seconds = 0;  ///< of this step
  std::int64_t bytes_up = 0;
  std::int64_t bytes_down = 0;
};

/// "1.50 GB": decimal units, three digits.
std::string format_bytes(std::int64_t bytes);

/// How the run is doing. On a terminal one line that rewrites itself, at most ten times a second of step time; elsewhere one
/// plain line every `every` steps (0: none) and one for the last step. Seconds per step are an average over the recent steps.
class Progress {
 public:
  enum class Style { automatic, terminal, plain };

  Progress(std::int64_t steps, int every, std::FILE* out = stderr, Style style = Style::automatic);

  void step(ProgressReport const& report);

  /// Ends the self-rewriting line, so that what follows starts on a line of its own.
  void finish();

 private:
  std::string text(ProgressReport const& report) const;

  std::FILE* out_;
  std::int64_t steps_;
  int every_;
  bool terminal_;
  double mean_seconds_ = 0;
  bool any_ = false;
  bool open_ = false;       // a self-rewriting line stands on the terminal
  double since_drawn_ = 0;  // seconds
};

}  // namespace kaon

#endif
