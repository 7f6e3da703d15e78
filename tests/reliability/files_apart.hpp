#ifndef KAON_TESTS_RELIABILITY_FILES_APART_HPP
#define KAON_TESTS_RELIABILITY_FILES_APART_HPP

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace kaon::test {

/// What became of a damaged file.
enum class Fate {
  untold,    ///< not judged
  refused,   ///< the older file was taken, with a warning that names this one
  harmless,  ///< taken, and everything read is what was written, bit for bit
  silent,    ///< taken, and something else was read
  wrong,     ///< refused, but not as promised: no fallback, no name, a touched state
  crashed,   ///< the process died
  hung       ///< the process took too long
};
constexpr int fates = 7;
char const* name_of(Fate fate);

struct Verdict {
  Fate fate = Fate::untold;
  std::string said;  ///< why it was refused
};

/// Judges the cases 0 … count − 1 in child processes that start MPI themselves, so that a library that dies or loops on a damaged
/// file is a verdict and not the end of the campaign. The caller must not have started MPI.
std::vector<Verdict> judge_apart(std::size_t count, double patience, std::function<Verdict(std::size_t)> const& judge);

}  // namespace kaon::test

#endif
