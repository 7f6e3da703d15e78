#ifndef KAON_BENCH_BENCH_HPP
#define KAON_BENCH_BENCH_HPP

#include <kaon/core/compat.hpp>

#include <functional>
#include <string>
#include <vector>

namespace kaon::bench {

using Exec = Kokkos::DefaultExecutionSpace;

/// A kernel and its floor, ready to run again and again on the views that they own. Each call leaves its inputs as they were.
struct Pair {
  std::function<void()> kernel, floor;
};

/// What a figure is held to; 0 means that nothing is asked.
struct Asked {
  enum class Sense { at_most, at_least } sense = Sense::at_most;
  double required = 0, stretch = 0;
};

/// Two things timed against each other in one process, alternating; the figure is the ratio of the median times: kernel/floor
/// where it is asked to be at_most, floor/kernel ("times faster") where at_least.
struct Race {
  std::string name;    ///< of the form family/case: what --filter sees
  std::string kernel;  ///< what is timed, in words
  std::string floor;   ///< what it is held against, in words
  Asked asked;
  std::function<Pair(Exec const&)> make;  ///< allocates and fills; called once, right before the race
  /// Arguments for peers.py, which times the same in torch and numpy (empty: they have no such thing).
  std::string peers = {};
  Asked peers_asked = {};  ///< at_least: times faster than the faster peer
  double items = 0;        ///< per call; with it the report names the kernel's items a second
  double bytes = 0;        ///< moved per call by the floor; with it the report names the floor's GB/s
};

/// A number that is counted, not timed: bytes, bits, steps, an error.
struct Count {
  std::string name, what, unit;
  Asked asked;
  std::function<double(Exec const&)> value;
};

struct Suite {
  std::vector<Race> races;
  std::vector<Count> counts;
};

// One family per source file.
void add_polar(Suite& suite);     ///< polynomial polar factors
void add_exact(Suite& suite);     ///< exact polar factors and the other norms' oracles
void add_select(Suite& suite);    ///< TopK, index coding
void add_quantize(Suite& suite);  ///< natural, block bits, message sizes
void add_lowrank(Suite& suite);   ///< RankK and its orthonormalisation
void add_network(Suite& suite);   ///< the transformer, forward and backward

/// Markdown table on standard output: error of each form of the polar factor in float and double against fp64, over κ.
void print_polar_accuracy(Exec const& exec);

}  // namespace kaon::bench

#endif
