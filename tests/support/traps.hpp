#ifndef KAON_SUPPORT_TRAPS_HPP
#define KAON_SUPPORT_TRAPS_HPP

#include <Kokkos_Core.hpp>

#include <cfenv>

namespace kaon::test {

/// In tests an invalid operation, a division by zero or an overflow on the host kills the program where it happens (SIGFPE).
/// Only where the C library can do so (glibc) and there is no GPU, whose driver and libraries compute on the host too; elsewhere
/// nothing happens.
inline void trap_here(bool on) {
#if defined(__GLIBC__) && !defined(KOKKOS_ENABLE_CUDA) && !defined(KOKKOS_ENABLE_HIP)
  std::feclearexcept(FE_ALL_EXCEPT);
  int const which = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
  if (on)
    feenableexcept(which);
  else
    fedisableexcept(which);
#else
  (void)on;
#endif
}

/// The same in every thread of the default host space.
inline void trap(bool on) {
  using Host = Kokkos::DefaultHostExecutionSpace;
  Host const exec;
  using Policy = Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Static>>;
  Kokkos::parallel_for("kaon::test::traps", Policy(exec, 0, exec.concurrency()), [on](int) { trap_here(on); });
  exec.fence();
  trap_here(on);
}

/// For as long as it lives nothing is trapped: for tests that feed NaN and infinity, or overflow on purpose.
class Untrapped {
 public:
  Untrapped() { trap(false); }
  ~Untrapped() { trap(true); }
  Untrapped(Untrapped const&) = delete;
  Untrapped& operator=(Untrapped const&) = delete;
};

}  // namespace kaon::test

#endif
