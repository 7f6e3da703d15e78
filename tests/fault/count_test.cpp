// What the program says it gave to MPI is what MPI was given, to the byte: counted from outside, between the two.
#include "under.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace kaon::test {
namespace {

struct Counts {
  std::map<std::string, std::int64_t> bytes, messages;  ///< by the interposer's names, over all ranks
};

// Fails where a rank left no file: then the interposer was not there.
Counts counted(Scratch const& s, std::string const& prefix, int ranks) {
  Counts c;
  for (int r = 0; r < ranks; ++r) {
    auto const file = prefix + "." + std::to_string(r);
    EXPECT_TRUE(s.has(file)) << "rank " << r << " wrote no counts";
    std::istringstream in(s.read(file));
    std::string name;
    for (std::int64_t bytes = 0, messages = 0; in >> name >> bytes >> messages;)
      c.bytes[name] += bytes, c.messages[name] += messages;
  }
  EXPECT_EQ(c.bytes.size(), 6u);
  return c;
}

void expect_agreement(Counts const& c, Scratch const& s, std::string const& folder) {
  EXPECT_EQ(in_summary(s, "wire_up", folder), c.bytes.at("up"));
  EXPECT_EQ(in_summary(s, "wire_down", folder), c.bytes.at("down"));
  EXPECT_EQ(in_summary(s, "wire_sum", folder), c.bytes.at("sum"));
  EXPECT_EQ(in_summary(s, "wire_received", folder), c.bytes.at("up") + c.bytes.at("down") + c.bytes.at("sum"));
  EXPECT_EQ(in_summary(s, "bytes_received", folder), in_summary(s, "bytes_up", folder) + in_summary(s, "bytes_down", folder));
  EXPECT_EQ(c.bytes.at("unknown"), 0);
  EXPECT_EQ(c.bytes.at("stray"), 0) << "bytes behind the packets of " << c.messages.at("stray") << " messages";
}

struct Setting {
  char const* name;
  Words overrides;
  bool least_squares = false;
};
void PrintTo(Setting const& c, std::ostream* out) { *out << c.name; }

class Count : public ::testing::TestWithParam<Setting> {};

TEST_P(Count, OfBytesOnTheWireIsExactOnOneToFourRanks) {
  auto const& setting = GetParam();
  Scratch const s;
  put_gpt(s);
  put_least_squares(s);
  for (int ranks : {1, 2, 3, 4}) {
    Words arguments{"-i", setting.least_squares ? "squares.deck" : "gpt.deck", "-d", "run" + std::to_string(ranks)};
    arguments.insert(arguments.end(), setting.overrides.begin(), setting.overrides.end());
    auto const prefix = "count" + std::to_string(ranks);
    ASSERT_TRUE(ended(run(interposed(ranks, arguments, {"KAON_FAULT_COUNTS=" + prefix}), s.path()), 0));
    auto const c = counted(s, prefix, ranks);
    auto const folder = "run" + std::to_string(ranks);
    std::printf("%s on %d ranks: up %ld bytes in %ld messages, down %ld in %ld, sum %ld in %ld, other %ld in %ld\n", setting.name,
                ranks, c.bytes.at("up"), c.messages.at("up"), c.bytes.at("down"), c.messages.at("down"), c.bytes.at("sum"),
                c.messages.at("sum"), c.bytes.at("other"), c.messages.at("other"));
    expect_agreement(c, s, folder);
    auto const all = c.bytes.at("up") + c.bytes.at("down") + c.bytes.at("sum");
    EXPECT_EQ(all > 0, ranks > 1) << all;
  }
}

// One row for a way to send: compressors of fixed and of varying length, both directions, both starts.
Setting const settings[] = {
    {"LeastSquares", {}, true},
    {"LeastSquaresSignNatural", {"group.all.uplink=sign", "group.all.downlink=natural"}, true},
    {"Top", {}},
    {"VaryingLengths",
     {"group.hidden.uplink=top:0.1+natural:coded", "group.hidden.downlink=natural:coded", "optimizer.workers=4"}},
    {"LowRankDown",
     {"group.hidden.uplink=dropout:0.5+top:0.2", "group.hidden.downlink=rank:0.2+natural", "optimizer.start=zero"}},
    {"DoubleBits", {"run.precision=double", "group.table.uplink=bits:4", "group.table.downlink=dither:8", "optimizer.workers=5"}},
    {"EveryLayerAlone", {"exchange.bundle=0"}},
    {"DownlinksByAChain", {"exchange.fan_out=1", "optimizer.workers=3"}},
    {"DownlinksByATree", {"exchange.fan_out=2", "exchange.topology=dedicated", "exchange.device_buffers=yes"}},
    {"Dedicated", {"exchange.topology=dedicated", "optimizer.workers=3"}},
    {"Replicated", {"exchange.topology=replicated", "optimizer.workers=3"}},
    {"Groups", {"optimizer.workers=1", "gpt.micro_batches=2"}},
    {"GroupsReplicated", {"optimizer.workers=1", "gpt.micro_batches=2", "exchange.topology=replicated"}},
    {"DenseSums", {"group.hidden.method=muon", "group.table.method=adamw", "optimizer.workers=5"}},
    {"DenseSumsReplicated", {"group.hidden.method=muon", "exchange.topology=replicated", "gpt.micro_batches=2"}},
    {"DenseSumsDedicated", {"group.table.method=adamw", "exchange.topology=dedicated", "exchange.device_buffers=yes"}},
    {"LocalSteps", {"optimizer.local_steps=2", "group.table.method=adamw", "optimizer.outer=nesterov"}},
    {"LocalStepsOfGroups",
     {"optimizer.local_steps=2", "optimizer.local_form=gradient", "optimizer.workers=1", "gpt.micro_batches=2"}},
    {"Clipped", {"optimizer.clip=0.1", "group.table.method=adamw", "gpt.micro_batches=2", "exchange.topology=dedicated"}},
    {"ClippedReplicated",
     {"optimizer.clip=0.1", "group.hidden.method=muon", "exchange.topology=replicated", "optimizer.workers=3"}},
    {"TwoStages", {"group.hidden.method=dion", "group.table.method=dion", "optimizer.workers=5"}},
    {"TwoStagesReplicated", {"group.hidden.method=dion", "exchange.topology=replicated", "optimizer.workers=3"}},
    {"TwoStagesDedicated", {"group.hidden.method=dion", "exchange.topology=dedicated", "exchange.device_buffers=yes"}},
    {"TwoStagesInGroups",
     {"group.hidden.method=dion", "group.table.method=dion", "group.table.dion_rank=1", "optimizer.workers=1",
      "gpt.micro_batches=2"}},
    {"DeviceMessages", {"exchange.device_buffers=yes"}},
    {"DeviceGroups", {"optimizer.workers=1", "gpt.micro_batches=2", "exchange.device_buffers=yes"}},
    {"OneWorker", {"optimizer.workers=1", "group.hidden.uplink=columns:0.3", "group.table.downlink=rand:0.1"}},
};
INSTANTIATE_TEST_SUITE_P(Wire, Count, ::testing::ValuesIn(settings), [](auto const& p) { return p.param.name; });

TEST(CountOfTwoStarts, AddsUpOverARestartOnAnotherNumberOfRanks) {
  Scratch const s;
  put_gpt(s);
  auto const part = [&](int ranks, char const* prefix, Words const& arguments) {
    EXPECT_TRUE(ended(run(interposed(ranks, arguments, {std::string("KAON_FAULT_COUNTS=") + prefix}), s.path()), 0));
    return counted(s, prefix, ranks);
  };
  auto const first = part(2, "first", {"-i", "gpt.deck"});
  auto both = part(3, "second", {"-i", "gpt.deck", "-r", "latest", "run.steps=5"});
  for (auto const& [name, bytes] : first.bytes) {
    if (name == "up" || name == "down") {
      EXPECT_GT(bytes, 0);
      EXPECT_GT(both.bytes.at(name), 0);
    }
    both.bytes.at(name) += bytes;
  }
  expect_agreement(both, s, "run");
}

}  // namespace
}  // namespace kaon::test
