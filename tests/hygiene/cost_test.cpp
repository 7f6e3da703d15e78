// What a steady step costs beside arithmetic, counted: kernels, copies, fences and heap calls of each packet and each layer, with
// a bound for every compressor. The bounds are today's counts: who lowers one lowers it here too.
#include "factorisation.hpp"
#include "watch.hpp"

#include <kaon/step/engine.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <set>

namespace kaon {
namespace {

using test::Watch;

constexpr int layers = 2;  // of the factorisation

/// The example with its gradient cut into micro-batches that are all the same.
class Cut final : public Objective<float> {
 public:
  Cut(int workers, int micro_batches) : whole_(48, 40, 6, workers, 1), micro_batches_(micro_batches) {}
  std::vector<Layer> const& layers() const override { return whole_.layers(); }
  int micro_batches() const override { return micro_batches_; }
  void initialize(Space const& exec, Point const& X) override { whole_.initialize(exec, X); }
  void gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    whole_.gradient(exec, loss, W, {share.worker, share.step, 0}, sink);
  }
  std::string describe() const override { return "cut"; }

 private:
  example::Factorisation<float> whole_;
  int micro_batches_;
};

struct Counts {
  int launches = 0, copies = 0, fences = 0;
  long heap = 0;
  Counts operator-(Counts const& o) const { return {launches - o.launches, copies - o.copies, fences - o.fences, heap - o.heap}; }
};

struct Setting {
  std::string up = "identity", down = "identity", norm = "max-abs";
  int workers = 2, micro_batches = 1;
  MessageMemory messages = MessageMemory::host;
};

/// Counts of step 4 on this rank of `comm`, which must make no View.
Counts count(Communicator const& comm, Setting const& run) {
  OptimizerSettings o;
  o.workers = run.workers;
  o.messages = run.messages;
  LayerSettings s;
  s.lmo.norm = run.norm;
  s.radius = 0.01;
  s.beta = 0.5;
  s.uplink = run.up;
  s.downlink = run.down;
  Cut objective(run.workers, run.micro_batches);
  Engine<float> muon(Space(), comm, objective.layers(), std::vector<LayerSettings>(layers, s), o, run.micro_batches);
  muon.initialize(objective);
  for (std::uint64_t k = 0; k < 4; ++k) muon.step(objective, k, 1.0, false);
  Watch const watch;
  muon.step(objective, 4, 1.0, false);
  Counts const counts{watch.seen().launches, watch.seen().copies, watch.seen().fences, watch.heap()};
  for (auto const& [label, times] : watch.seen().allocations)
    ADD_FAILURE() << "a steady step makes the View " << label << ", up " << run.up << ", down " << run.down;
  muon.finish();  // what is on its way may not reach the next run
  return counts;
}

Counts count(Setting const& run) { return count(Communicator(MPI_COMM_SELF), run); }

/// What one worker more costs, and what this downlink costs beyond that of `identity`: kernels and copies of both layers'
/// packets, encoded, decoded where the worker keeps it, decoded once more by the server.
struct Bound {
  char const* spec;
  int up, up_copies, down, down_copies;
};
constexpr Bound bounds[] = {
    {"identity", 12, 7, 0, 0},          {"natural", 12, 7, 4, 0},         {"natural:stochastic", 12, 7, 4, 0},
    {"natural:coded", 40, 7, 24, 0},    {"bits:1", 12, 7, 4, 0},          {"bits:4", 12, 7, 4, 0},
    {"dither:4", 12, 7, 4, 0},          {"sign", 18, 7, 10, 0},           {"damp:0.5", 12, 7, 4, 0},
    {"top:0.1", 54, 7, 40, 0},          {"top:0.1+bits:4", 58, 7, 42, 0}, {"top:0.1+natural:coded", 88, 7, 64, 0},
    {"rand:0.2", 28, 7, 16, 0},         {"columns:0.2", 72, 7, 58, 0},    {"rank:0.5", 58, 7, 46, 0},
    {"rank:0.5+natural", 82, 7, 66, 0}, {"dropout:0.5", 12, 7, 6, 0},
};

// A heap call for every launch (its label), and at most 15 a packet: closures, names for errors.
TEST(Cost, GrowsByTheSameForEveryPacket) {
  std::printf("  a packet up: kernels, copies, heap calls; a layer's downlink beyond identity's: kernels, copies\n");
  Counts const plain = count({});
  for (auto const& b : bounds) {
    Setting run;
    run.up = b.spec;
    Counts c[3];
    for (int n = 0; n < 3; ++n) run.workers = n + 2, c[n] = count(run);
    Counts const one = c[1] - c[0], two = c[2] - c[1];
    if (std::string(b.spec).rfind("dropout", 0) != 0) {  // it throws a coin for each packet
      EXPECT_EQ(one.launches, two.launches) << b.spec << ": one worker more costs other than the last";
      EXPECT_EQ(one.copies, two.copies) << b.spec;
    }
    run = {};
    run.down = b.spec;
    Counts const down = count(run) - plain;
    std::printf("    {\"%s\", %d, %d, %d, %d},  // heap calls %.1f, fences %d\n", b.spec, one.launches, one.copies, down.launches,
                down.copies, static_cast<double>(one.heap) / 2, one.fences);
    EXPECT_LE(one.fences, 2 * layers) << b.spec;  // for the length, and for the bytes; unseen where fences_are_seen is false
    if (!runs_on_host<Space>) continue;           // Kokkos' own copies and fills are other kernels there
    EXPECT_LE(one.launches, b.up) << b.spec;
    EXPECT_LE(one.copies, b.up_copies) << b.spec;
    EXPECT_LE(one.heap, one.launches + 15 * layers) << b.spec;
    EXPECT_LE(down.launches, b.down) << b.spec;
    EXPECT_LE(down.copies, b.down_copies) << b.spec;
  }
}

/// A step of two workers with identity both ways, two layers.
struct NormBound {
  char const* norm;
  int kernels, copies;
};
constexpr NormBound norm_bounds[] = {
    {"spectral", 78, 19},   {"max-abs", 36, 19},    {"frobenius", 40, 19}, {"column", 42, 19},
    {"row", 40, 19},        {"nuclear", 50, 27},    {"schatten", 54, 27},  {"l1", 40, 19},
    {"one-to-one", 40, 19}, {"inf-to-inf", 40, 19}, {"ky-fan", 54, 27},    {"dual-ky-fan", 50, 27},
};

TEST(Cost, OfANormIsBounded) {
  std::set<std::string> known;
  for (auto const& b : norm_bounds) {
    known.insert(b.norm);
    Setting run;
    run.norm = b.norm;
    Counts const c = count(run);
    std::printf("    {\"%s\", %d, %d},  // heap calls %ld, fences %d\n", b.norm, c.launches, c.copies, c.heap, c.fences);
    if (!runs_on_host<Space>) continue;
    EXPECT_LE(c.launches, b.kernels) << b.norm;
    EXPECT_LE(c.copies, b.copies) << b.norm;
    EXPECT_LE(c.heap, c.launches + 70) << b.norm;  // singular values: LAPACK's workspace too
  }
  auto const all = lmo_norms();
  EXPECT_EQ(known, std::set<std::string>(all.begin(), all.end())) << "a norm without a bound";
}

TEST(Cost, OfMicroBatchesAndDeviceMessages) {
  for (auto const messages : {MessageMemory::host, MessageMemory::device})
    for (int const micro : {1, 2, 3, 4}) {
      bool const device = messages == MessageMemory::device;
      Setting run;
      run.up = "bits:4";
      run.down = "bits:2";
      run.messages = messages;
      run.micro_batches = micro;
      Counts const c = count(run);
      std::printf("    %s messages, %d micro-batches: kernels %d, copies %d, heap calls %ld, fences %d\n",
                  device ? "device" : "host", micro, c.launches, c.copies, c.heap, c.fences);
      if (!runs_on_host<Space>) continue;
      EXPECT_LE(c.launches, 40 + 8 * (micro - 1) + (device ? 12 : 0));
      EXPECT_LE(c.copies, 19 + 2 * (micro - 1));
      EXPECT_LE(c.heap, 76 + 14 * (micro - 1) + (device ? 12 : 0));
    }
}

/// Also on several ranks, where packets travel and downlinks are awaited.
TEST(Ranks, MakeNoViewInASteadyStep) {
  Communicator const world(MPI_COMM_WORLD);
  for (auto const messages : {MessageMemory::host, MessageMemory::device})
    for (int const micro : {1, 2}) {
      Setting run;
      run.up = "top:0.1+bits:4";
      run.down = "bits:2";
      run.messages = messages;
      run.micro_batches = micro;
      Counts const c = count(world, run);
      EXPECT_GT(c.launches, 0);
      std::printf("    rank %d of %d: kernels %d, copies %d, heap calls %ld\n", world.rank(), world.size(), c.launches, c.copies,
                  c.heap);
    }
}

}  // namespace
}  // namespace kaon
