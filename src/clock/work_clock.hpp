#ifndef KAON_CLOCK_WORK_CLOCK_HPP
#define KAON_CLOCK_WORK_CLOCK_HPP

namespace kaon {

/// Seconds on a clock that only work moves, to time what a core does while other programs want it too: the process's CPU time
/// where kernels run on one thread of the host (BLAS too: OPENBLAS_NUM_THREADS=1), else a steady wall clock, which other
/// programs lengthen. Differences count; fence before reading it.
double work_seconds();

}  // namespace kaon

#endif
