#ifndef KAON_RUN_START_BLAS_KERNELS_HPP
#define KAON_RUN_START_BLAS_KERNELS_HPP

#include <string>

namespace kaon {

/// The instruction sets of this CPU that BLAS kernels are made for, as far as the system lets programs use them: "avx2 fma …".
std::string cpu_instructions();

/// The value of OPENBLAS_CORETYPE whose kernels suit a CPU with these instructions; "" when those of `core`, OpenBLAS's own
/// word, are no older than the CPU, or nothing is known of them.
std::string better_blas_core(std::string const& core, std::string const& instructions);

/// What became of the kernels of the host's BLAS.
struct BlasKernels {
  std::string note;     ///< for the log, when others were chosen
  std::string warning;  ///< with the cure, when that could not be done
};

/// OpenBLAS takes its kernels while it is loaded, and a release that does not know a newer CPU takes those of a much older one:
/// products last several times as long. This gives it the right ones, in this process and its children, unless the user has set
/// OPENBLAS_CORETYPE. Acts at the first call, which must come before the first product and while no thread is inside BLAS.
BlasKernels const& choose_blas_kernels();

}  // namespace kaon

#endif
