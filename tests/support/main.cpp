// The main of every test: MPI and Kokkos around GoogleTest, floating-point traps on. A rank's failures are printed by that rank.
#include <kaon/support/traps.hpp>

#include <gtest/gtest.h>
#include <mpi.h>
#include <Kokkos_Core.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int failed = 0;
  {
    Kokkos::initialize(argc, argv);
    ::testing::InitGoogleTest(&argc, argv);
    if (rank != 0) {
      auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
      delete listeners.Release(listeners.default_result_printer());
      class Failures : public ::testing::EmptyTestEventListener {
        void OnTestPartResult(::testing::TestPartResult const& r) override {
          if (r.failed()) std::fprintf(stderr, "%s:%d: %s\n", r.file_name() ? r.file_name() : "?", r.line_number(), r.summary());
        }
      };
      listeners.Append(new Failures);
    }
    kaon::test::trap(true);
    failed = RUN_ALL_TESTS();
    kaon::test::trap(false);
    if (::testing::UnitTest::GetInstance()->test_to_run_count() == 0) failed = 1;
    Kokkos::finalize();
  }
  int any = 0;
  MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return any;
}
