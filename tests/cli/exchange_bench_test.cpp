// kaon-bench exchange under the launcher: what it prints, never how long it took.
#include "program.hpp"

#include <algorithm>

namespace kaon::test {
namespace {

Words bench(int ranks, Words const& arguments) {
  Words all = train_words(ranks, arguments);
  std::replace(all.begin(), all.end(), std::string(KAON_TRAIN), std::string(KAON_BENCH));
  return all;
}

TEST(BenchExchange, RacesMessagesBetweenRanks) {
  Scratch const s;
  auto const o = run(bench(2, {"exchange", "--mebibytes", "1", "-n", "1"}), s.path());
  ASSERT_TRUE(ended(o, 0, {"all-reduce of one number on 2 ranks", "aggregation of 1 MiB", "MPI_Reduce"}));
  EXPECT_TRUE(s.snapshot().empty());
}

TEST(BenchExchange, PredictsStepsOfADeckAndSaysThatItIsAModel) {
  Scratch const s;
  put_gpt(s);
  auto const here = run(bench(2, {"exchange", "--deck", "gpt.deck", "--measured", "0.01"}), s.path());
  ASSERT_TRUE(ended(here, 0, {"MODEL, not measured", "predicted/measured", "| sharded ", "| dedicated ", "| replicated "}));
  auto const more =
      run(bench(1, {"exchange", "--deck", "gpt.deck", "--ranks", "8,64", "--mbit", "1000", "--latency-us", "20"}), s.path());
  ASSERT_TRUE(ended(more, 0, {"(given)", "|     8 |     8 |", "|    64 |    64 |"}));
}

TEST(BenchExchange, WrongCallsNameTheCause) {
  Scratch const s;
  put_gpt(s);
  EXPECT_TRUE(ended(run(bench(1, {"exchange", "--nosuch"}), s.path()), 64, {"nosuch"}));
  EXPECT_TRUE(ended(run(bench(1, {"exchange", "-n", "0"}), s.path()), 64, {"--repetitions"}));
  EXPECT_TRUE(ended(run(bench(1, {"exchange", "--deck", "gpt.deck"}), s.path()), 64, {"--mbit"}));
  EXPECT_TRUE(ended(run(bench(1, {"exchange", "--deck", "no.deck", "--mbit", "1"}), s.path()), 64, {"no.deck"}));
  EXPECT_TRUE(
      ended(run(bench(1, {"exchange", "--deck", "gpt.deck", "--mbit", "1", "--ranks", "4,x"}), s.path()), 64, {"--ranks '4,x'"}));
  EXPECT_TRUE(ended(run(bench(1, {"exchange", "--help"}), s.path()), 0, {"--deck", "Exit codes"}));
}

}  // namespace
}  // namespace kaon::test
