// One message of a run is tampered with between the program and MPI. The run must end with exit code 74 and say which packet it
// refused and why; what it had saved must stay as good as it was.
#include "under.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <sstream>

namespace kaon::test {
namespace {

/// A way of sending: more of them are more rows. `up`, `down`, `sum`: ranks that send packets of that direction on `ranks` ranks;
/// -1: none does.
struct Way {
  char const* name;
  Words settings;
  int ranks, up, down;
  Words swaps;  ///< pairs of messages of these ranks that fit into each other's buffers
  int sum = -1;
  bool bundled = false;  ///< a message has several layers: what is wrong with all of it is found in its first packet
};

void PrintTo(Way const& w, std::ostream* out) { *out << w.name; }

/// In `says` <N> stands for a field of the victim as the interposer reports it: <layer>, <worker>, <direction>, …
struct Fault {
  std::string text;
  std::string says;
  std::uint64_t step = 3;  ///< where it is found
};

std::string const up = "direction=up rank=<up> ", down = "direction=down rank=<down> ", sum = "direction=sum rank=<sum> ";

Words const two_stages{"optimizer.workers=4", "group.hidden.method=dion", "group.table.method=dion", "exchange.bundle=0"};

Way const ways[] = {
    {"Sharded",
     {"optimizer.workers=4", "exchange.bundle=0"},
     2,
     1,
     0,
     {up + "worker=2 layer=1 with_layer=3", up + "layer=0 worker=2 with_worker=3", down + "layer=1 with_layer=3"}},
    {"ShardedOnThreeRanks",
     {"optimizer.workers=3", "group.hidden.uplink=top:0.2+natural:coded", "exchange.bundle=0"},
     3,
     2,
     2,
     {up + "layer=3 with_layer=5", down + "layer=1 with_layer=2"}},
    {"Bundled", {"optimizer.workers=4"}, 2, 1, 0, {}, -1, true},
    {"Dedicated", {"optimizer.workers=4", "exchange.topology=dedicated", "exchange.bundle=0"}, 3, 1, 0, {}},
    {"Replicated", {"optimizer.workers=4", "exchange.topology=replicated"}, 3, 1, -1, {}, -1, true},
    {"DeviceMessages", {"optimizer.workers=4", "exchange.device_buffers=yes", "exchange.bundle=0"}, 2, 1, 0, {}},
    {"DeviceMessagesBundled", {"optimizer.workers=4", "exchange.device_buffers=yes"}, 2, 1, 0, {}, -1, true},
    {"DenseSums",
     {"optimizer.workers=4", "group.hidden.method=muon", "group.table.method=muon", "exchange.bundle=0"},
     2,
     1,
     0,
     {},
     -1},
    {"Groups", {"optimizer.workers=2", "gpt.micro_batches=2", "exchange.bundle=0"}, 4, 0, 0, {}, 1},
    {"TwoStages", two_stages, 2, 1, 0, {}},
};

std::string const checksum = "its checksum does not fit";
Words const whole{"duplicate", "replay", "foreign"};  // happen to all of a message

std::string filled(std::string text, std::map<std::string, std::int64_t> const& values) {
  for (auto const& [key, value] : values)
    for (std::string const mark = "<" + key + ">"; text.find(mark) != std::string::npos;)
      text.replace(text.find(mark), mark.size(), std::to_string(value));
  return text;
}

class Tamper : public ::testing::Test {
 protected:
  explicit Tamper(Way way = ways[0]) : way_(std::move(way)) {}

  Words arguments(Words const& more = {}) const {
    Words words{"-i", "gpt.deck", "run.steps=6", "checkpoint.every=2", "checkpoint.keep=9"};
    words.insert(words.end(), way_.settings.begin(), way_.settings.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  void SetUp() override {
    put_gpt(reference_);
    names_ = layer_names(reference_, arguments());
    ASSERT_GE(names_.size(), 4u);
    ASSERT_TRUE(ended(reference_.train(arguments(), way_.ranks), 0));
  }

  struct Run {
    Fault fault;
    std::unique_ptr<Scratch> folder;
    std::unique_ptr<Process> process;
    Outcome wait() { return process->wait(45); }
  };
  Run start(Fault const& fault) const {
    Run r{fault, std::make_unique<Scratch>(), nullptr};
    put_gpt(*r.folder);
    auto const text = filled(fault.text, {{"up", way_.up}, {"down", way_.down}, {"sum", way_.sum}});
    r.process = std::make_unique<Process>(
        interposed(way_.ranks, arguments(), {"KAON_FAULT=" + text, "KAON_FAULT_REPORT=fault.txt"}), r.folder->path());
    return r;
  }

  // Most of a refused run's time is patience, so some run side by side.
  void expect_refused(std::vector<Fault> const& faults) const {
    std::deque<Run> runs;
    auto const finish_first = [&] {
      expect_refusal(runs.front().fault, *runs.front().folder, runs.front().wait());
      runs.pop_front();
    };
    for (auto const& fault : faults) {
      if (!sends(fault)) continue;
      if (runs.size() == 6) finish_first();
      runs.push_back(start(fault));
    }
    while (!runs.empty()) finish_first();
  }

  bool sends(Fault const& fault) const {
    auto const about = [&](std::string const& direction) { return fault.text.find(direction) != std::string::npos; };
    return (way_.down >= 0 || !about(down)) && (way_.sum >= 0 || !about(sum));
  }

  std::vector<Fault> swaps() const {
    std::vector<Fault> faults;
    for (auto const& pair : way_.swaps)
      faults.push_back(
          {"swap step=3 " + pair, pair.find("with_layer") != std::string::npos ? "the layer is " : "the worker is "});
    return faults;
  }

  void expect_refusal(Fault const& fault, Scratch const& s, Outcome const& o) const {
    SCOPED_TRACE(fault.text);
    auto const report = s.read("fault.txt");
    ASSERT_EQ(std::count(report.begin(), report.end(), '\n'), 1) << "the fault did not happen once: " << report << o.all();
    auto const victim = values_in(report);
    auto refusal = refusal_of(fault, victim, o);
    if (!refusal && victim.count("other_layer")) {  // of two that traded places either may be looked at first
      auto other = victim;
      other["layer"] = victim.at("other_layer"), other["worker"] = victim.at("other_worker");
      refusal = refusal_of(fault, other, o);
    }
    EXPECT_TRUE(refusal);
    auto const at = std::min(o.err.find("kaon-train: error"), o.err.size());
    std::printf("%s: %s\n", report.substr(0, report.find(" encoding")).c_str(),
                o.err.substr(at, o.err.find('\n', at) - at).c_str());
    expect_saved(fault.step, s);
  }

  ::testing::AssertionResult refusal_of(Fault const& fault, std::map<std::string, std::int64_t> const& victim,
                                        Outcome const& o) const {
    auto const direction = victim.at("direction");
    auto const from = direction == 2 ? std::string("downlink") : "worker " + std::to_string(victim.at("worker"));
    bool const first = way_.bundled && std::any_of(whole.begin(), whole.end(), [&](auto const& kind) {
                         return fault.text.compare(0, kind.size(), kind) == 0;
                       });
    // A packet of another layer may be longer than any of this one: then it is not even taken.
    bool const swap = fault.text.compare(0, 4, "swap") == 0, longer = o.err.find("it is longer than the") != std::string::npos;
    return ended(
        o, 74,
        {"refused a packet", swap && longer ? std::string("bytes that it can have") : filled(fault.says, victim),
         "step " + std::to_string(fault.step),
         first ? std::string("layer ") : "layer " + names_.at(static_cast<std::size_t>(victim.at("layer"))) + ",", from});
  }

  // What was committed before the step that failed is there and sound, and nothing that came later.
  void expect_saved(std::uint64_t failed, Scratch const& s) const {
    std::string const folder = "run/checkpoints/";
    for (std::uint64_t step = 2; step <= 6; step += 2) {
      auto const file = folder + "step-0000000" + std::to_string(step) + ".h5";
      ASSERT_EQ(s.has(file), step <= failed) << file;
      if (step > failed) continue;
      EXPECT_TRUE(ended(s.ckpt({"verify", file}), 0, {"sound"}));
      EXPECT_TRUE(ended(s.ckpt({"diff", file, reference_ / file}), 0, {"same, bit for bit"}));
    }
    EXPECT_TRUE(ended(s.ckpt({"verify", folder + "latest"}), 0, {"sound"})) << "the start at least";
    EXPECT_EQ(s.read("run/summary.json").find("finished"), std::string::npos);
  }

  void expect_same_end(Scratch const& s) const {
    std::string const last = "run/checkpoints/step-00000006.h5";
    EXPECT_TRUE(ended(s.ckpt({"diff", s / last, reference_ / last}), 0, {"same, bit for bit"}));
  }

  void expect_harmless_delays() const {
    for (auto const& direction : {up, down, sum}) {
      if (!sends({direction, ""})) continue;
      auto r = start({"delay ms=200 step=3 " + direction, ""});
      ASSERT_TRUE(ended(r.wait(), 0));
      auto const report = values_in(r.folder->read("fault.txt"));
      EXPECT_GE(report.at("held"), 200);
      if (!way_.bundled) {
        EXPECT_GT(report.at("overtaken"), 0);
      }
      expect_same_end(*r.folder);
    }
  }

  std::vector<std::string> names_;

 private:
  Way way_;
  Scratch reference_;
};

class EveryWay : public Tamper, public ::testing::WithParamInterface<Way> {
 protected:
  EveryWay() : Tamper(GetParam()) {}
};

TEST_F(Tamper, FlippedBitsAreRefused) {
  expect_refused({{"flip bit=0 step=3 " + up, "magic number"},
                  {"flip bit=500 step=3 " + up, checksum},
                  {"flip bit=-1 step=3 " + up, checksum},
                  {"flip bit=64 step=3 " + up, checksum},
                  {"flip bit=0 step=3 " + down, "magic number"},
                  {"flip bit=500 step=3 " + down, checksum},
                  {"flip bit=-1 step=3 " + down, checksum},
                  {"flip bit=330 step=3 " + down, checksum}});
}

TEST_F(Tamper, TruncatedMessagesAreRefused) {
  expect_refused({{"truncate keep=0 step=3 " + up, "0 bytes"},
                  {"truncate keep=20 step=3 " + up, "20 bytes"},
                  {"truncate keep=48 step=3 " + up, "the length"},
                  {"truncate keep=-1 step=3 " + up, "the length"},
                  {"truncate keep=0 step=3 " + down, "0 bytes"},
                  {"truncate keep=20 step=3 " + down, "20 bytes"},
                  {"truncate keep=48 step=3 " + down, "the length"},
                  {"truncate keep=-8 step=3 " + down, "the length"}});
}

TEST_F(Tamper, MessagesThatComeTwiceLateOrFromElsewhereAreRefused) {
  expect_refused({{"duplicate step=2 " + up, "the step is 2 instead of 3"},
                  {"duplicate step=2 " + down, "the step is 2 instead of 3"},
                  {"replay from=1 step=3 " + up, "the step is 1 instead of 3"},
                  {"replay from=2 step=3 " + down, "the step is 2 instead of 3"},
                  {"foreign step=3 " + up, "magic number"},
                  {"foreign step=3 " + down, "magic number"},
                  {"extend more=8 step=3 " + up, "the length"}});
}

// Their checksums are right: nothing but the receiver's own idea of what must come stands against them.
TEST_F(Tamper, MisaddressedMessagesAreRefused) {
  expect_refused({{"misaddress as_layer=0 step=3 " + up, "the layer is 0 instead of <layer>"},
                  {"misaddress as_worker=77 step=3 " + up, "the worker is 77 instead of <worker>"},
                  {"misaddress as_step=4 step=3 " + up, "the step is 4 instead of 3"},
                  {"misaddress as_direction=2 step=3 " + up, "the direction is 2 instead of 1"},
                  {"misaddress as_encoding=5 step=3 " + up, "the encoding is 5 instead of <encoding>"},
                  {"misaddress as_part=77 step=3 " + up, "is 77 instead of 0"},
                  {"misaddress as_layer=7 step=3 " + down, "the layer is 7 instead of <layer>"},
                  {"misaddress as_worker=1 step=3 " + down, "the worker is 1 instead of 0"},
                  {"misaddress as_step=2 step=3 " + down, "the step is 2 instead of 3"},
                  {"misaddress as_direction=1 step=3 " + down, "the direction is 1 instead of 2"}});
}

TEST_F(Tamper, MessagesThatTradePlacesAreRefused) { expect_refused(swaps()); }

TEST_F(Tamper, FaultsOfTheFirstAndOfTheLastStepAreRefused) {
  expect_refused({{"flip bit=-1 step=0 " + up, checksum, 0},
                  {"misaddress as_encoding=5 step=0 " + down, "the encoding is 5 instead of <encoding>", 0},
                  {"truncate keep=-8 step=5 " + up, "the length", 5},
                  {"flip bit=-1 step=5 " + down, checksum, 5}});
}

// Too long for the buffer it comes to: MPI itself refuses it.
TEST_F(Tamper, AnOverlongMessageIsAnIoError) {
  auto a = start({"extend more=100000 step=3 " + up, ""}), b = start({"extend more=100000 step=3 " + down, ""});
  for (auto* r : {&a, &b}) {
    auto const o = r->wait();
    auto const victim = values_in(r->folder->read("fault.txt"));
    auto const what = victim.at("direction") == 1 ? "uplink of worker " + std::to_string(victim.at("worker")) : "downlink";
    EXPECT_TRUE(ended(
        o, 74, {"kaon-train: error", "runcated", what + ", layer " + names_.at(static_cast<std::size_t>(victim.at("layer")))}));
    expect_saved(3, *r->folder);
  }
}

// Nobody on the way makes such packets: identity and checksum are right. A length that the compressor cannot have made is bad
// input; any other payload may spoil the numbers, but is read within its bounds.
TEST_F(Tamper, AForgedPayloadIsRefusedByItsLengthOrReadWithinBounds) {
  std::vector<Run> runs;
  for (char const* what : {"forge keep=8 step=3 ", "forge step=3 "})
    for (auto const& direction : {up, down}) runs.push_back(start({what + direction, ""}));
  for (auto& r : runs) {
    SCOPED_TRACE(r.fault.text);
    auto const o = r.wait();
    EXPECT_NE(r.folder->read("fault.txt"), "") << o.all();
    if (r.fault.text.find("keep") != std::string::npos) {
      EXPECT_TRUE(ended(o, 65, {"step 3, layer ", "a payload of 8 bytes cannot be"}));
      expect_saved(3, *r.folder);
    } else {
      EXPECT_TRUE(!o.timed_out && (o.code == 0 || o.code == 70)) << o.all();
    }
  }
}

TEST_F(Tamper, AWrongByteFailsTheSelfTestOfDeviceMessages) {
  for (std::string const size : {"1000", "4194307"}) {
    Scratch const s;
    put_gpt(s);
    Process p(interposed(2, arguments({"exchange.device_buffers=yes"}),
                         {"KAON_FAULT=spoil rank=1 size=" + size, "KAON_FAULT_REPORT=fault.txt"}),
              s.path());
    auto const o = p.wait(45);
    EXPECT_EQ(s.read("fault.txt"), "spoil rank=1 to=0\n") << o.all();
    EXPECT_TRUE(ended(
        o, 64, {"exchange.device_buffers = yes", "self-test", size + " bytes from rank 1 to rank 0 has 1 wrong bytes", "cure"}));
    EXPECT_FALSE(s.has("run/metrics.csv"));
  }
}

TEST_F(Tamper, ADelayChangesNothing) { expect_harmless_delays(); }

TEST_F(Tamper, ARefusedRunGoesOnFromItsCheckpointAsIfNothingHadHappened) {
  auto a = start({"flip bit=500 step=4 " + up, checksum, 4}), b = start({"flip bit=500 step=5 " + down, checksum, 5});
  for (auto* r : {&a, &b}) {
    expect_refusal(r->fault, *r->folder, r->wait());
    ASSERT_TRUE(ended(r->folder->train(arguments({"-r", "latest"}), 3), 0, {"restarted from", "step 4"}));
    expect_same_end(*r->folder);
  }
}

class TamperWithASecondStage : public Tamper {
 protected:
  TamperWithASecondStage() : Tamper({"TwoStages", two_stages, 2, 1, 0, {}}) {}
};

TEST_F(TamperWithASecondStage, WhatIsWrongIsRefused) {
  auto const of = [](std::string const& kind, std::string const& which) { return kind + " step=3 stage=1 " + which; };
  expect_refused({{of("flip bit=700", up), checksum},
                  {of("flip bit=700", down), checksum},
                  {of("truncate keep=20", up), "20 bytes"},
                  {of("truncate keep=-8", down), "the length"},
                  {"duplicate step=2 stage=1 " + up, "the step is 2 instead of 3"},
                  {of("replay from=1", down), "the step is 1 instead of 3"},
                  {of("misaddress as_worker=77", up), "the worker is 77 instead of <worker>"},
                  {of("misaddress as_layer=77", down), "the layer is 77 instead of <layer>"},
                  {of("foreign", up), "magic number"}});
}

// The other round's packet of the same step, layer and worker, checksum and all.
TEST_F(TamperWithASecondStage, AnotherStageIsRefusedByName) {
  expect_refused({{"misaddress as_stage=1 stage=0 step=3 " + up, "the stage is 1 instead of 0"},
                  {"misaddress as_stage=1 stage=0 step=3 " + down, "the stage is 1 instead of 0"},
                  {"misaddress as_stage=0 stage=1 step=3 " + up, "the stage is 0 instead of 1"},
                  {"misaddress as_stage=0 stage=1 step=3 " + down, "the stage is 0 instead of 1"}});
}

TEST_P(EveryWay, RefusesOneOfEachKind) {
  auto faults = swaps();
  faults.insert(faults.end(), {{"flip bit=700 step=3 " + up, checksum},
                               {"flip bit=700 step=3 " + down, checksum},
                               {"truncate keep=20 step=3 " + down, "20 bytes"},
                               {"duplicate step=2 " + up, "the step is 2 instead of 3"},
                               {"replay from=1 step=3 " + down, "the step is 1 instead of 3"},
                               {"misaddress as_worker=77 step=3 " + up, "the worker is 77 instead of <worker>"},
                               {"misaddress as_layer=77 step=3 " + down, "the layer is 77 instead of <layer>"},
                               {"foreign step=3 " + up, "magic number"},
                               {"flip bit=700 step=3 " + sum, checksum},
                               {"replay from=1 step=3 " + sum, "the step is 1 instead of 3"},
                               {"truncate keep=20 step=3 " + sum, "20 bytes"},
                               {"misaddress as_part=77 step=3 " + sum, "the part is 77 instead of"},
                               {"misaddress as_worker=77 step=3 " + sum, "the worker is 77 instead of <worker>"}});
  expect_refused(faults);
}

TEST_P(EveryWay, TakesNoHarmFromADelay) { expect_harmless_delays(); }

// The first is what the tests above are about.
INSTANTIATE_TEST_SUITE_P(Tamper, EveryWay, ::testing::ValuesIn(std::begin(ways) + 1, std::end(ways)),
                         [](auto const& p) { return p.param.name; });

}  // namespace
}  // namespace kaon::test
