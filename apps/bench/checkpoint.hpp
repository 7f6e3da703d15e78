#ifndef KAON_BENCH_CHECKPOINT_HPP
#define KAON_BENCH_CHECKPOINT_HPP

namespace kaon::bench {

/// kaon-bench checkpoint [options]: a state of made-up layers saved by Kaon, beside the same bytes written by bare system calls.
/// To be started by mpiexec, or alone. Returns the exit code.
int checkpoint_main(int argc, char** argv);

}  // namespace kaon::bench

#endif
