// What is fuzzed: one target for each kind of input that comes from outside.
#ifndef KAON_TESTS_FUZZ_TARGET_HPP
#define KAON_TESTS_FUZZ_TARGET_HPP

#include <kaon/core/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kaon::fuzz {

using Input = std::vector<unsigned char>;
using InputView = std::span<unsigned char const>;

/// Reads an input as its documentation says. Throws what the readers throw; calls demand() for what must hold of an input that
/// was taken.
struct Target {
  std::string name;
  std::vector<Exit> codes;     ///< of the errors that may come out; everything else is a finding
  std::size_t longest = 4096;  ///< bytes of an input
  void (*run)(InputView input) = nullptr;
  std::vector<Input> (*seeds)() = nullptr;  ///< made by the real writers
  std::vector<std::string> words = {};      ///< that mutations insert
};

std::vector<Target> const& targets();
/// Throws UsageError naming all targets.
Target const& target(std::string const& name);

enum class Outcome { taken, refused };
/// Runs one input; `why` gets the message of a refusal. An error that the target does not allow is a finding: says so and aborts.
Outcome feed(Target const& target, InputView input, std::string* why = nullptr);

/// A property of inputs that were taken: says which one and aborts if it does not hold.
void demand(bool holds, std::string_view what);

inline Input bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

Target deck_target();
Target command_line_target();
Target data_target();
Target message_target();
Target payload_target();
Target problem_target();
Target foreign_problem_target();
Target forged_problem_target();
Target checkpoint_target();
Target forged_checkpoint_target();
Target weights_target();

}  // namespace kaon::fuzz

#endif
