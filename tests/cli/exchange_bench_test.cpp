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

// A prediction can be held against a run, and tells what it was made from.
TEST(BenchExchange, ChecksThePredictionAgainstTheMetricsOfARun) {
  Scratch const s;
  put_gpt(s);
  s.write("metrics.csv", "step,loss,seconds\n1,5.5,9\n2,5.4,9\n3,5.3,0.25\n4,5.2,0.5\n5,5.1,0.125\n");
  for (std::string const topology : {"sharded", "dedicated", "replicated"}) {
    auto const o = run(bench(2, {"exchange", "--deck", "gpt.deck", "--check", "metrics.csv", "--skip", "2", "--set",
                                 "exchange.topology=" + topology}),
                       s.path());
    ASSERT_TRUE(ended(o, 0, {"/ 0.2500 s = ", "inputs, link: ", "inputs, compressed", "inputs, uncompressed", "bytes up"}));
    EXPECT_EQ(o.out.find("predicted/measured"), o.out.rfind("predicted/measured")) << "one topology is the run's";
  }
  auto const given = run(bench(2, {"exchange", "--deck", "gpt.deck", "--mbit", "100", "--latency-us", "50"}), s.path());
  ASSERT_TRUE(ended(given, 0, {"100.0 Mbit/s both ways (given), latency 50.0 us (given)"}));
  EXPECT_EQ(given.out.find("predicted/measured"), std::string::npos);
}

TEST(BenchExchange, MetricsThatAreNoneAreRefused) {
  Scratch const s;
  put_gpt(s);
  auto const check = [&](Words const& more) {
    Words all{"exchange", "--deck", "gpt.deck", "--mbit", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return run(bench(1, all), s.path());
  };
  s.write("short.csv", "step,seconds\n1,0.1\n2,0.1\n");
  s.write("other.csv", "step,loss\n1,0.1\n");
  s.write("torn.csv", "step,seconds\n1,0.1\n2\n");
  s.write("words.csv", "step,seconds\n1,0.1\n2,0.1s\n");
  s.write("empty.csv", "");
  EXPECT_TRUE(ended(check({"--check", "no.csv"}), 74, {"no.csv"}));
  EXPECT_TRUE(ended(check({"--check", "short.csv"}), 65, {"short.csv", "--skip"}));
  EXPECT_TRUE(ended(check({"--check", "other.csv"}), 65, {"other.csv", "'seconds'"}));
  EXPECT_TRUE(ended(check({"--check", "empty.csv"}), 65, {"empty.csv", "'seconds'"}));
  EXPECT_TRUE(ended(check({"--check", "torn.csv", "--skip", "0"}), 65, {"torn.csv", "row 2"}));
  EXPECT_TRUE(ended(check({"--check", "words.csv", "--skip", "0"}), 65, {"words.csv", "row 2"}));
  EXPECT_TRUE(ended(check({"--measured", "0.1", "--ranks", "8"}), 64, {"--ranks"}));
  EXPECT_TRUE(ended(check({"--measured", "0.1", "--set", "exchange.topology=auto"}), 64, {"exchange.topology"}));
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
