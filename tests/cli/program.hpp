#ifndef KAON_TESTS_CLI_PROGRAM_HPP
#define KAON_TESTS_CLI_PROGRAM_HPP

#include <gtest/gtest.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace kaon::test {

using Words = std::vector<std::string>;

/// How a program ended and what it said.
struct Outcome {
  int code = -1;           ///< exit code; -1 when it did not exit
  int signal = 0;          ///< that killed it
  bool timed_out = false;  ///< it was killed because it took too long
  std::string out, err;
  std::string command;
  std::string all() const;  ///< for messages of failed tests
};

/// A child process with one thread for OpenMP and BLAS; its output goes to files, so it never blocks. Killed when it goes out of
/// scope.
class Process {
 public:
  /// Starts `words` (the first is the program) in `folder`.
  Process(Words words, std::string folder);
  ~Process();
  Process(Process const&) = delete;
  Process& operator=(Process const&) = delete;

  bool running();
  Outcome wait(double seconds = 60);
  pid_t pid() const { return pid_; }

 private:
  Outcome outcome_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  int out_ = -1, err_ = -1;
};

/// Runs to the end.
Outcome run(Words words, std::string const& folder, double seconds = 60);

/// kaon-train on `ranks` ranks (without a launcher on one), kaon-ckpt.
Words train_words(int ranks, Words const& arguments);
Words ckpt_words(Words const& arguments);

/// Processes of kaon-train whose working directory is `folder`: the ranks of the job there, in order of their pids.
std::vector<pid_t> ranks_in(std::string const& folder);

/// Waits until `true_now` holds; false when it never did.
bool wait_until(std::function<bool()> const& true_now, double seconds = 30);

/// A folder of a test's own, with what it takes to train.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;

  std::string const& path() const { return path_; }
  std::string operator/(std::string const& name) const { return path_ + "/" + name; }
  void write(std::string const& name, std::string const& text) const;
  std::string read(std::string const& name) const;
  bool has(std::string const& name) const;
  /// Path and content of every file below `name`; links as "-> target". What a test compares when nothing may have changed.
  std::vector<std::string> snapshot(std::string const& name = "") const;

  Outcome train(Words const& arguments, int ranks = 1) const { return run(train_words(ranks, arguments), path_); }
  Outcome ckpt(Words const& arguments) const { return run(ckpt_words(arguments), path_); }

 private:
  std::string path_;
};

/// The smallest deck with a transformer (two workers, text in text.txt), and one of least squares (problem.h5).
std::string gpt_deck();
std::string least_squares_deck();
/// `bytes` of made-up English-looking text, the same for the same seed.
std::string some_text(std::size_t bytes, unsigned seed = 1);
/// Writes gpt.deck and text.txt.
void put_gpt(Scratch const& scratch);
/// Writes squares.deck and problem.h5 (n = 2 workers, X 3×2).
void put_least_squares(Scratch const& scratch);

/// The program must have exited with `code`, and every one of `parts` must stand in its output (errors for codes above 1).
::testing::AssertionResult ended(Outcome const& o, int code, std::vector<std::string> const& parts = {});

}  // namespace kaon::test

#endif
