// What can be computed by hand must come out of the simulation.
#include <kaon/cost/cost_model.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

namespace kaon {
namespace {

constexpr double ms = 1e-3;

Plan plan(Topology topology, int ranks, int workers, int layers = 8, int micro_batches = 1) {
  return Plan({topology, std::vector<int>(static_cast<std::size_t>(ranks), 0), workers, micro_batches, 0},
              std::vector<LayerLoad>(static_cast<std::size_t>(layers), LayerLoad{1, 1000}));
}

StepCost cost(int layers = 8) {
  StepCost c;
  c.forward = 10 * ms;
  c.backward = 20 * ms;
  c.layers.assign(static_cast<std::size_t>(layers),
                  LayerCost{1, 0.1 * ms, 0.05 * ms, 2 * ms, 0.1 * ms, 0.05 * ms, 100000, 50000});
  return c;
}

StepCost idle(int layers = 8) {
  auto c = cost(layers);
  c.forward = c.backward = 0;
  for (auto& l : c.layers) l.compress_up = l.aggregate = l.lmo = l.compress_down = l.follow = 0;
  return c;
}

TEST(CostModel, OneRankComputesAndExchangesNothing) {
  auto const c = cost();
  for (auto const topology : all_topologies) {
    auto const t = predict_step(plan(topology, 1, 3), {1e-3, 1e6}, c);
    double const worker = c.forward + c.backward + 8 * 0.1 * ms, server = 8 * (3 * 0.05 * ms + 2 * ms + 0.1 * ms);
    EXPECT_NEAR(t.seconds, 3 * worker + server, 1e-9) << name_of(topology);
    EXPECT_NEAR(t.exposed(), 0, 1e-9);
    EXPECT_EQ(t.link, 0);
  }
}

// 4 ranks, one worker and two layers each, no limit to the link: gradient, then two oracles in parallel with the others' two.
TEST(CostModel, WithoutALimitServersWorkInParallel) {
  auto const c = cost();
  double const worker = c.forward + c.backward + 8 * 0.1 * ms, server = 4 * 0.05 * ms + 2 * ms + 0.1 * ms;
  auto const sharded = predict_step(plan(Topology::sharded, 4, 4), {0, 0}, c);
  EXPECT_NEAR(sharded.seconds, worker + 6 * 0.05 * ms + 2 * server, 1e-9);
  auto const replicated = predict_step(plan(Topology::replicated, 4, 4), {0, 0}, c);
  EXPECT_NEAR(replicated.seconds, worker + 8 * server, 1e-9);
  // The dedicated server works on layers while backward goes on: 3 ranks with 2, 1, 1 workers, no less than the busiest.
  auto const dedicated = predict_step(plan(Topology::dedicated, 4, 4), {0, 0}, c);
  EXPECT_GE(dedicated.seconds, 2 * worker);
  EXPECT_LE(dedicated.seconds, 2 * worker + 8 * server + 8 * 0.05 * ms + 1e-9);
}

// Nothing but bytes: the busiest link.
TEST(CostModel, WithoutWorkTheBusiestLinkIsTheStep) {
  auto const c = idle();
  double const bandwidth = 1e7;
  double const up = 8 * 100000 / bandwidth, down = 8 * 50000 / bandwidth;
  auto const sharded = predict_step(plan(Topology::sharded, 4, 4), {0, bandwidth}, c);
  // A rank sends 3/4 of its worker's packets and 3 copies of its quarter of the shifts.
  EXPECT_NEAR(sharded.link, 0.75 * up + 0.75 * down, 1e-9);
  EXPECT_GE(sharded.seconds, sharded.link - 1e-9);
  EXPECT_LE(sharded.seconds, 1.35 * sharded.link);
  auto const replicated = predict_step(plan(Topology::replicated, 4, 4), {0, bandwidth}, c);
  EXPECT_NEAR(replicated.link, 3 * up, 1e-9);
  EXPECT_NEAR(replicated.seconds, 3 * up, 0.05 * up);
  auto const dedicated = predict_step(plan(Topology::dedicated, 5, 4), {0, bandwidth}, c);
  EXPECT_NEAR(dedicated.link, 4 * down, 1e-9);
  EXPECT_GE(dedicated.seconds, std::max(4 * up, 4 * down) - 1e-9) << "the server's link takes in four uplinks";
  EXPECT_LE(dedicated.seconds, 4 * up + 4 * down + 1e-9);
}

TEST(CostModel, AFasterLinkIsNeverSlower) {
  auto const c = cost();
  for (auto const topology : all_topologies)
    for (int ranks : {2, 3, 4, 7}) {
      double before = 1e9;
      for (double const bandwidth : {1e6, 1e7, 1e8, 1e9, 1e12}) {
        auto const t = predict_step(plan(topology, ranks, 4), {1e-5, bandwidth}, c);
        EXPECT_LE(t.seconds, before * (1 + 1e-9)) << name_of(topology) << " " << ranks << " " << bandwidth;
        EXPECT_GE(t.seconds, t.compute - 1e-12);
        EXPECT_GE(t.seconds, t.link - 1e-12);
        before = t.seconds;
      }
    }
}

TEST(CostModel, LatencyAndSharedCoresCost) {
  auto const c = cost();
  auto const p = plan(Topology::sharded, 4, 4);
  double const quick = predict_step(p, {0, 1e8}, c).seconds, far = predict_step(p, {0.05, 1e8}, c).seconds;
  EXPECT_GE(far, quick + 0.05) << "an uplink and a downlink on the way, less what hides behind computing";
  auto shared = c;
  shared.load = 2;
  EXPECT_NEAR(predict_step(p, {0, 0}, shared).seconds, 2 * predict_step(p, {0, 0}, c).seconds, 1e-9);
}

// 4 ranks on 2 cores. A lone server has a core of its own; of three ranks that compute, each gets two thirds of one, until two of
// them are done.
TEST(CostModel, CoresAreSharedByThoseWhoCompute) {
  auto c = cost();
  c.load = 2;
  double const worker = c.forward + c.backward + 8 * 0.1 * ms, server = 8 * (4 * 0.05 * ms + 2 * ms + 0.1 * ms);
  auto const dedicated = predict_step(plan(Topology::dedicated, 4, 4), {0, 0}, c);
  EXPECT_NEAR(dedicated.server, server, 1e-9);
  EXPECT_NEAR(dedicated.compute, worker * (1.5 + 1) + 1.5 * 8 * 0.05 * ms, 1e-9);
  auto const replicated = predict_step(plan(Topology::replicated, 4, 4), {0, 0}, c);
  EXPECT_NEAR(replicated.server, 2 * server, 1e-9);
  EXPECT_NEAR(replicated.seconds, 2 * (worker + server), 1e-9);
  // One layer has one owner: the others leave it the core.
  auto const lone = predict_step(plan(Topology::sharded, 4, 4, 1), {0, 0}, [] {
    auto one = cost(1);
    one.load = 2;
    return one;
  }());
  EXPECT_NEAR(lone.server, server / 8, 1e-9);
  for (double const load : {0.0, 0.5, 1.0}) {
    c.load = load;
    EXPECT_NEAR(predict_step(plan(Topology::sharded, 4, 4), {0, 0}, c).seconds,
                predict_step(plan(Topology::sharded, 4, 4), {0, 0}, cost()).seconds, 1e-12)
        << "cores enough at load " << load;
  }
}

TEST(CostModel, PartsAreThoseOfTheFormulas) {
  auto const c = cost();
  double const bandwidth = 1e7, up = 8 * 100000 / bandwidth, down = 8 * 50000 / bandwidth;
  for (int const ranks : {2, 4, 8}) {
    auto const others = static_cast<double>(ranks - 1);
    auto const replicated = predict_step(plan(Topology::replicated, ranks, ranks), {0, bandwidth}, c);
    EXPECT_NEAR(replicated.uplink, others * up, 1e-9) << "a worker's packets go to every other rank";
    EXPECT_EQ(replicated.downlink, 0);
    auto const sharded = predict_step(plan(Topology::sharded, ranks, ranks), {0, bandwidth}, c);
    EXPECT_NEAR(sharded.uplink, others / ranks * up, 1e-9);
    EXPECT_NEAR(sharded.downlink, others * down / ranks, 1e-9);
    EXPECT_NEAR(sharded.link, sharded.uplink + sharded.downlink, 1e-9);
    EXPECT_NEAR(sharded.server, 8.0 / ranks * (ranks * 0.05 * ms + 2.1 * ms), 1e-9);
    auto const dedicated = predict_step(plan(Topology::dedicated, ranks, ranks - 1), {0, bandwidth}, c);
    EXPECT_NEAR(dedicated.uplink, up, 1e-9);
    EXPECT_NEAR(dedicated.downlink, others * down, 1e-9);
    EXPECT_NEAR(dedicated.link, std::max(dedicated.uplink, dedicated.downlink), 1e-9) << "no rank sends both";
    for (auto const& t : {replicated, sharded, dedicated}) {
      EXPECT_GE(t.seconds + 1e-12, std::max({t.compute, t.server, t.link}));
      EXPECT_GE(t.compute + 1e-12, t.server);
    }
  }
}

TEST(CostModel, TheSameInputsGiveTheSameBits) {
  for (auto const topology : all_topologies) {
    auto const p = plan(topology, 5, 7);
    auto const a = predict_step(p, {1e-5, 1e8}, cost()), b = predict_step(p, {1e-5, 1e8}, cost());
    EXPECT_EQ(a.seconds, b.seconds);
    EXPECT_EQ(a.compute, b.compute);
    EXPECT_EQ(a.link, b.link);
  }
}

TEST(CostModel, RanksThatShareAWorkerComputeInParallel) {
  auto c = idle();
  c.backward = 80 * ms;
  double const alone = predict_step(plan(Topology::sharded, 1, 1, 8, 4), {0, 0}, c).seconds;
  double const four = predict_step(plan(Topology::sharded, 4, 1, 8, 4), {0, 0}, c).seconds;
  EXPECT_NEAR(alone, 80 * ms, 1e-9);
  EXPECT_NEAR(four, 20 * ms, 1e-9);
}

// 1024 ranks with a worker each, 8 layers: what the busiest rank must compute, and what the busiest link must carry, by hand.
TEST(CostModel, AThousandRanksAreSimulated) {
  constexpr int ranks = 1024, layers = 8;
  constexpr double bandwidth = 1e9, latency = 1e-5, up = 100000 / bandwidth, down = 50000 / bandwidth;
  auto const c = cost(layers);
  double const worker = c.forward + c.backward + layers * 0.1 * ms, server = ranks * 0.05 * ms + 2 * ms + 0.1 * ms;
  for (auto const topology : all_topologies) {
    auto const t = predict_step(plan(topology, ranks, ranks), {latency, bandwidth}, c);
    std::printf("  %s on %d ranks: %.3f s a step, %.3f s of computing, %.3f s of sending\n", name_of(topology).c_str(), ranks,
                t.seconds, t.compute, t.link);
    double compute = 0, link = 0;
    if (topology == Topology::sharded) {  // an owner serves one layer, follows seven, and sends its shift to all others
      compute = worker + server + (layers - 1) * 0.05 * ms;
      link = (ranks - 1) * down + (layers - 1) * up;
    } else if (topology == Topology::dedicated) {  // the server sends every shift to every worker
      compute = layers * server;
      link = layers * (ranks - 1) * down;
    } else {  // every rank serves every layer, and sends its packets to all others
      compute = worker + layers * server;
      link = layers * (ranks - 1) * up;
    }
    EXPECT_NEAR(t.compute, compute, 1e-6 * compute) << name_of(topology);
    EXPECT_NEAR(t.link, link, 1e-6 * link) << name_of(topology);
    EXPECT_GE(t.seconds, std::max(compute, link)) << name_of(topology);
    EXPECT_LE(t.seconds, worker + layers * server + 2 * link + layers * 0.05 * ms + 0.1) << name_of(topology);
    auto const fast = predict_step(plan(topology, ranks, ranks), {latency, 4 * bandwidth}, c);
    EXPECT_LT(fast.seconds, t.seconds) << name_of(topology);
    EXPECT_NEAR(fast.link, link / 4, 1e-6 * link) << name_of(topology);
  }
}

TEST(CostModel, ChecksItsArguments) {
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2, 3), {}, cost(8)), std::invalid_argument);
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2), {-1, 0}, cost()), std::invalid_argument);
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2), {0, -1}, cost()), std::invalid_argument);
  auto crowded = cost();
  crowded.load = -1;
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2), {}, crowded), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
