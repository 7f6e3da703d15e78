#ifndef KAON_TESTS_RESTART_JOB_HPP
#define KAON_TESTS_RESTART_JOB_HPP

#include "program.hpp"

#include <memory>
#include <string>
#include <vector>

namespace kaon::test {

constexpr int all_steps = 12;

/// Jobs of one deck in folders of their own; each folder's run is called "run", so that all write the same deck.
class Job {
 public:
  /// `settings`: overrides of gpt_deck(), section.key=value.
  explicit Job(Words settings = {}) : settings_(std::move(settings)) { put_gpt(s_); }

  /// A folder of the job: made on first use.
  std::string folder(std::string const& name) const;
  Words words(int ranks, Words const& more) const;
  Outcome train(std::string const& name, int ranks, Words const& more = {}) const;
  /// Starts it and waits for `steps` rows in its metrics.
  std::unique_ptr<Process> start(std::string const& name, int ranks, int steps, Words const& more = {}) const;
  int steps_done(std::string const& name) const;
  std::string final_file(std::string const& name) const;
  Scratch const& scratch() const { return s_; }

 private:
  Scratch s_;
  Words settings_;
};

/// The columns of metrics.csv that no number of ranks and no restart may change: all but bytes on the wire and seconds.
std::vector<std::string> steady_rows(std::string const& metrics);

/// Both are complete runs with the same state to the bit, the same metrics, and each step exactly once.
::testing::AssertionResult same_run(Job const& job, std::string const& a, std::string const& b);

}  // namespace kaon::test

#endif
