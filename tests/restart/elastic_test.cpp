// A run that is cut anywhere and continued on other ranks is the run that was never cut, to the last bit.
#include "job.hpp"

#include <kaon/checkpoint/reader.hpp>

#include <filesystem>

namespace kaon::test {
namespace {

struct Case {
  char const* name;
  Words settings;
  int straight, before, stop_at, after;  ///< ranks of the straight run, ranks before and after the cut, step of the cut
};
void PrintTo(Case const& c, std::ostream* out) { *out << c.name; }

class Elastic : public ::testing::TestWithParam<Case> {};

TEST_P(Elastic, ARunInTwoPartsIsTheRunInOne) {
  auto const& c = GetParam();
  Job const job(c.settings);
  ASSERT_TRUE(ended(job.train("straight", c.straight), 0));
  ASSERT_TRUE(ended(job.train("parts", c.before, {"run.steps=" + std::to_string(c.stop_at)}), 0));
  ASSERT_TRUE(ended(job.train("parts", c.after, {"-r", "latest"}), 0, {"restarted from", "finished at step 12"}));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

Words const both_ways(std::string const& up, std::string const& down) {
  return {"group.hidden.uplink=" + up, "group.hidden.downlink=" + down, "group.table.uplink=" + up,
          "group.table.downlink=" + down};
}
Words with(Words a, Words const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Case const cases[] = {
    {"Muon", {"group.hidden.method=muon", "group.table.method=muon", "optimizer.nesterov=yes"}, 1, 2, 5, 3},
    {"ErrorMemory", with(both_ways("top:0.2", "bits:2"), {"group.hidden.feedback=ef14", "group.table.feedback=none"}), 2, 1, 5,
     3},
    {"AdamW", {"group.hidden.method=adamw", "group.table.method=adamw"}, 2, 3, 1, 1},
    {"Dion",
     {"group.hidden.method=dion", "group.table.method=dion", "group.hidden.dion_rank=0.3", "optimizer.weight_decay=0.1"},
     1,
     2,
     5,
     3},
    {"DionAndOthers",
     {"group.hidden.method=dion", "group.table.method=adamw", "gpt.micro_batches=2", "exchange.topology=replicated"},
     2,
     4,
     6,
     1},
    {"ThreeMethods",
     {"group.table.method=adamw", "group.hidden.layers=h*.attn.*", "group.mlp.layers=h*.mlp.*", "group.mlp.method=muon",
      "group.mlp.radius=0.02"},
     1,
     3,
     7,
     2},
    {"Clipped", {"optimizer.clip=0.3", "group.table.method=adamw", "gpt.micro_batches=2"}, 4, 1, 5, 3},
    {"Identity", both_ways("identity", "identity"), 1, 2, 5, 3},
    {"RankWithWarmStart", both_ways("rank:0.3", "rank:0.3"), 2, 1, 7, 3},
    {"RankCodedInBits", both_ways("rank:0.3+bits:8", "identity"), 1, 3, 4, 2},
    {"NaturalStochastic", both_ways("natural:stochastic", "natural:stochastic"), 2, 3, 1, 1},
    {"TopInBits", both_ways("top:0.2+bits:4", "top:0.5+natural"), 1, 2, 9, 4},
    {"DroppedAndRandom", both_ways("dropout:0.5+rank:0.3", "rand:0.4+bits:8"), 2, 1, 5, 3},
    {"CodedAndDithered", both_ways("top:0.2+natural:coded", "dither:4"), 1, 3, 6, 2},
    {"BitsBothWays", both_ways("bits:4", "bits:2"), 3, 1, 6, 2},
    {"ZeroStart", with(both_ways("bits:4", "bits:2"), {"optimizer.start=zero"}), 1, 4, 3, 2},
    {"Double", with(both_ways("top:0.2", "bits:8"), {"run.precision=double"}), 2, 1, 8, 3},
    {"DoubleWithWarmStart", with(both_ways("rank:0.3", "identity"), {"run.precision=double", "optimizer.start=zero"}), 1, 2, 2,
     1},
    {"SequentialOrder", {"data.order=sequential", "data.split=interleaved"}, 2, 1, 10, 2},
    {"Epochs", {"data.order=random", "gpt.batch=8"}, 1, 2, 11, 1},
    {"Nesterov", {"optimizer.nesterov=yes", "optimizer.weight_decay=0.1", "gpt.tied=yes"}, 1, 2, 6, 1},
    {"ThreeWorkers", with(both_ways("bits:4", "bits:4"), {"optimizer.workers=3"}), 1, 2, 5, 4},
    {"AdaptiveRadius", {"optimizer.schedule=adaptive", "group.hidden.radius=0.001", "group.table.radius=0.001"}, 1, 3, 5, 2},
};
INSTANTIATE_TEST_SUITE_P(Restart, Elastic, ::testing::ValuesIn(cases), [](auto const& p) { return p.param.name; });

TEST(Ranks, OneToFourGiveTheSameStateFilesAndMetrics) {
  Job const job({"group.hidden.uplink=rank:0.3", "group.hidden.downlink=natural:stochastic", "group.table.downlink=bits:4"});
  ASSERT_TRUE(ended(job.train("1", 1), 0));
  CheckpointFile const one(job.scratch() / job.final_file("1"));
  for (int ranks : {2, 3, 4}) {
    auto const name = std::to_string(ranks);
    ASSERT_TRUE(ended(job.train(name, ranks), 0, {"on " + name + " ranks"}));
    EXPECT_TRUE(same_run(job, "1", name));
    CheckpointFile const other(job.scratch() / job.final_file(name));
    EXPECT_EQ(one.info().deck, other.info().deck);
    EXPECT_EQ(one.table().hashes, other.table().hashes) << "the integrity tables of 1 and " << ranks << " ranks";
    EXPECT_EQ(format::seal_of(one.info(), one.table()), format::seal_of(other.info(), other.table()));
  }
}

TEST(Ranks, AScheduleGoesOnWhereItWas) {
  Job const job({"optimizer.schedule=cosine", "optimizer.constant_fraction=0.25", "optimizer.schedule_floor=0.1",
                 "optimizer.warmup_steps=3"});
  ASSERT_TRUE(ended(job.train("straight", 1), 0));
  job.folder("parts");
  std::filesystem::create_directory(job.folder("parts") + "/run");
  job.scratch().write("parts/run/stop", "");
  ASSERT_TRUE(ended(job.train("parts", 2), 75));
  ASSERT_TRUE(ended(job.train("parts", 1, {"-r"}), 0));
  EXPECT_TRUE(same_run(job, "straight", "parts"));
}

}  // namespace
}  // namespace kaon::test
