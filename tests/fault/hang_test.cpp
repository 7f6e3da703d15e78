// A rank dies, hangs, or loses a message in the middle of the exchange. The job must end by itself and say what did not come, of
// which step and layer, from which rank; what it had saved goes on to the same end.
#include "under.hpp"

#include <algorithm>
#include <cstdio>

namespace kaon::test {
namespace {

struct Hang {
  char const* name;
  std::string fault;
  Words settings;
  int ranks;
  std::string says;  ///< besides step, layer and rank
};
void PrintTo(Hang const& h, std::ostream* out) { *out << h.name; }

Words arguments(Words const& more) {
  Words words{"-i", "gpt.deck", "run.steps=6", "checkpoint.every=2", "exchange.bundle=0"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class ARank : public ::testing::TestWithParam<Hang> {};

TEST_P(ARank, EndsTheJobWithStepLayerAndPeer) {
  auto const& hang = GetParam();
  Scratch const reference, s;
  put_gpt(reference);
  put_gpt(s);
  auto const names = layer_names(reference, arguments(hang.settings));
  ASSERT_TRUE(ended(reference.train(arguments(hang.settings), 1), 0));

  auto settings = hang.settings;
  settings.emplace_back("exchange.patience=3");
  auto const words = interposed(hang.ranks, arguments(settings), {"KAON_FAULT=" + hang.fault, "KAON_FAULT_REPORT=fault.txt"});
  Process p(words, s.path());
  auto const o = p.wait(90);
  auto const report = s.read("fault.txt");
  ASSERT_EQ(std::count(report.begin(), report.end(), '\n'), 1) << "the fault did not happen once: " << report << o.all();
  auto const victim = values_in(report);
  EXPECT_FALSE(o.timed_out) << o.all();
  EXPECT_EQ(o.code, 74) << o.all();
  // Of a rank that hangs nothing more comes: any layer may be the first to be missed.
  bool const lost = hang.fault.compare(0, 4, "lose") == 0;
  for (auto const& part :
       {std::string("kaon-train: error"), "waited 3 s for step 3, " + hang.says,
        "layer " + (lost ? names.at(static_cast<std::size_t>(victim.at("layer"))) : ""),
        "from rank " + std::to_string(victim.at("rank")) + ": a rank is dead or hangs", std::string("exchange.patience")})
    EXPECT_NE(o.err.find(part), std::string::npos) << part << '\n' << o.all();
  EXPECT_NE(o.err.find("has been waiting for"), std::string::npos) << "a warning comes first: " << o.all();
  auto const at = std::min(o.err.find("kaon-train: error"), o.err.size());
  std::printf("%s: exit code %d, %s\n", hang.fault.c_str(), o.code, o.err.substr(at, o.err.find('\n', at) - at).c_str());

  auto more = hang.settings;
  more.insert(more.end(), {"-r", "latest"});
  ASSERT_TRUE(ended(s.train(arguments(more), 2), 0, {"restarted from", "step 2"}));
  std::string const last = "run/checkpoints/step-00000006.h5";
  EXPECT_TRUE(ended(s.ckpt({"diff", s / last, reference / last}), 0, {"same, bit for bit"}));
}

Hang const hangs[] = {
    {"LosesAnUplink", "lose step=3 direction=up rank=1", {"optimizer.workers=4"}, 2, "uplink of worker"},
    {"LosesADownlink", "lose step=3 direction=down rank=0", {"optimizer.workers=4"}, 2, "downlink"},
    {"LosesASum", "lose step=3 direction=sum rank=1", {"optimizer.workers=2", "gpt.micro_batches=2"}, 4, "partial gradients"},
    {"LosesAReplicatedPacket",
     "lose step=3 direction=up rank=2",
     {"optimizer.workers=3", "exchange.topology=replicated"},
     3,
     "uplink of worker"},
    {"LosesAnAnswer",
     "lose step=3 direction=up stage=1 rank=1",
     {"optimizer.workers=4", "group.hidden.method=dion"},
     2,
     "stage 1 uplink of worker"},
    {"LosesWhatIsToBeAnswered",
     "lose step=3 direction=down stage=0 rank=0",
     {"optimizer.workers=4", "group.hidden.method=dion", "group.table.method=dion"},
     2,
     "downlink"},
    {"LosesTheLastDownlinkOfTwo",
     "lose step=3 direction=down stage=1 rank=0",
     {"optimizer.workers=4", "group.hidden.method=dion"},
     2,
     "stage 1 downlink"},
    {"HangsInAnUplink", "stall step=3 direction=up rank=1", {"optimizer.workers=4"}, 2, "uplink of worker"},
    {"HangsInADownlink", "stall step=3 direction=down rank=0", {"exchange.topology=dedicated"}, 3, "downlink"},
};
INSTANTIATE_TEST_SUITE_P(Hang, ARank, ::testing::ValuesIn(hangs), [](auto const& p) { return p.param.name; });

// With a launcher that looks after its ranks it is over at once.
TEST(Hang, ADeadRankEndsTheJobUnderTheLauncher) {
  Scratch const s;
  put_gpt(s);
  Process p(interposed(2, arguments({}), {"KAON_FAULT=die step=3 direction=up rank=1", "KAON_FAULT_REPORT=fault.txt"}), s.path());
  auto const o = p.wait(60);
  EXPECT_NE(s.read("fault.txt"), "");
  EXPECT_FALSE(o.timed_out) << o.all();
  EXPECT_NE(o.code, 0) << o.all();
}

}  // namespace
}  // namespace kaon::test
