// What a program of one's own gets from Training's constructor as kaon-train does.
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/start/prepare.hpp>

namespace kaon::test {
namespace {

Deck deck_with(std::string const& run) {
  return Deck::from_text(
      "[run]\nsteps = 1\n" + run +
          "[objective]\nkind = own\n[optimizer]\nworkers = 2\n[group.all]\nlayers = *\nnorm = spectral\nradius = 1\n",
      "a test");
}

TEST(Prepare, TheDecksThreadsOfBlasAreSetAndLogged) {
  if (blas_threads() == 0 || !set_blas_threads(2)) GTEST_SKIP() << "this BLAS (" << blas_name() << ") cannot be told its threads";
  Communicator const comm(MPI_COMM_WORLD);
  for (int const threads : {1, 2}) {
    Captured out;
    Log const log(0, out.file());
    auto const deck = deck_with("blas_threads = " + std::to_string(threads) + "\n");
    EXPECT_EQ(&prepare_run(deck, comm, {"1.2.3", "x", "y", "z"}, log), &deck);
    EXPECT_EQ(blas_threads(), threads);
    expect_parts(out.text(), {"kaon: Kaon 1.2.3", "BLAS: " + blas_text(), std::to_string(threads) + " thread"});
  }
  set_blas_threads(1);
}

TEST(Prepare, TheWayOfWaitingFollowsTheCores) {
  Communicator const comm(MPI_COMM_WORLD);
  Captured out;
  Log const log(0, out.file());
  for (auto const before : {Waiting::spin, Waiting::yield}) {
    set_waiting(before);
    prepare_run(deck_with(""), comm, {"1.2.3", "x", "y", "z"}, log);
    static Waiting const first = waiting();
    EXPECT_EQ(waiting(), first) << "decided anew, whatever was there";
  }
  set_waiting(Waiting::yield);
}

TEST(Prepare, KokkosOptionsAreTakenOutOfACommandLine) {
  std::vector<std::string> words{"program", "--kokkos-threads=2", "-f", "x", "--kokkos-num-threads=1"};
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(words.size());
  auto const taken = take_kokkos_options(argc, argv.data());
  EXPECT_EQ(taken.size(), 2u);
  ASSERT_EQ(argc, 3);
  EXPECT_STREQ(argv[1], "-f");
  EXPECT_STREQ(argv[2], "x");
  EXPECT_EQ(argv[3], nullptr);
}

}  // namespace
}  // namespace kaon::test
