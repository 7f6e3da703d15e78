// kaon-bench checkpoint: what it prints and leaves behind, never how long it took.
#include "program.hpp"

#include <algorithm>

namespace kaon::test {
namespace {

Words bench(int ranks, Words const& arguments) {
  Words all = train_words(ranks, arguments);
  std::replace(all.begin(), all.end(), std::string(KAON_TRAIN), std::string(KAON_BENCH));
  return all;
}

TEST(BenchCheckpoint, SavesBesideABareWriteAndLeavesNothing) {
  Scratch const s;
  for (int ranks : {1, 3}) {
    auto const o = run(bench(ranks, {"checkpoint", "--megabytes", "8", "--side", "256", "-n", "2"}), s.path());
    ASSERT_TRUE(ended(o, 0,
                      {"on " + std::to_string(ranks) + " ranks", "| bare write and fsync |", "| HDF5 file, hashes and fsync |",
                       "file over state: 1."}));
    EXPECT_TRUE(s.snapshot().empty());
  }
}

TEST(BenchCheckpoint, RefusesNonsense) {
  Scratch const s;
  EXPECT_TRUE(ended(run(bench(1, {"checkpoint", "--side", "0"}), s.path()), 64, {"--side"}));
  EXPECT_TRUE(ended(run(bench(2, {"checkpoint", "-d", "nowhere/file", "--megabytes", "1"}), s.path()), 0));
  s.write("file", "x");
  EXPECT_TRUE(ended(run(bench(2, {"checkpoint", "-d", "file", "--megabytes", "1"}), s.path()), 74, {"file", "ot a directory"}));
}

}  // namespace
}  // namespace kaon::test
