// What Kokkos' tool hooks and the C++ heap tell about a run.
#ifndef KAON_HYGIENE_WATCH_HPP
#define KAON_HYGIENE_WATCH_HPP

#include "heap.hpp"

#include <Kokkos_Core.hpp>

#include <map>
#include <set>
#include <string>

namespace kaon::test {

struct Seen {
  std::set<std::string> kernels;
  std::map<std::string, int> allocations;  ///< of Views, by label
  int launches = 0;                        ///< but for those of an example's objective
  int copies = 0;
  int fences = 0;  ///< that a caller asked for: those inside Kokkos have names of its own
};

/// Whether this Kokkos tells its tools of fences (3.6 and later do).
inline constexpr bool fences_are_seen = KOKKOS_VERSION >= 30600;

/// Watches for as long as it lives; one at a time, the last made.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(Watch const&) = delete;
  Watch& operator=(Watch const&) = delete;
  Seen const& seen() const { return seen_; }
  long heap() const { return heap_calls() - heap_before_; }

 private:
  Seen seen_;
  long heap_before_ = 0;
};

}  // namespace kaon::test

#endif
