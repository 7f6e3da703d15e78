#ifndef KAON_TESTS_FUZZ_SETUP_HPP
#define KAON_TESTS_FUZZ_SETUP_HPP

#include <mpi.h>
#include <Kokkos_Core.hpp>

#include <cstdlib>

namespace kaon::fuzz {

/// MPI and Kokkos for this process alone; it must outlive what the targets keep.
struct Setup {
  Setup() {
    setenv("OMP_NUM_THREADS", "1", 1);
    MPI_Init(nullptr, nullptr);
    Kokkos::initialize();
  }
  ~Setup() {
    Kokkos::finalize();
    MPI_Finalize();
  }
  Setup(Setup const&) = delete;
  Setup& operator=(Setup const&) = delete;
};

}  // namespace kaon::fuzz

#endif
