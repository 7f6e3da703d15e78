// What can be computed by hand must come out of the simulation.
#include <kaon/exchange/cost_model.hpp>

#include <gtest/gtest.h>

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
  shared.slowdown = 2;
  EXPECT_NEAR(predict_step(p, {0, 0}, shared).seconds, 2 * predict_step(p, {0, 0}, c).seconds, 1e-9);
}

TEST(CostModel, RanksThatShareAWorkerComputeInParallel) {
  auto c = idle();
  c.backward = 80 * ms;
  double const alone = predict_step(plan(Topology::sharded, 1, 1, 8, 4), {0, 0}, c).seconds;
  double const four = predict_step(plan(Topology::sharded, 4, 1, 8, 4), {0, 0}, c).seconds;
  EXPECT_NEAR(alone, 80 * ms, 1e-9);
  EXPECT_NEAR(four, 20 * ms, 1e-9);
}

TEST(CostModel, AThousandRanksAreSimulated) {
  auto const c = cost();
  for (auto const topology : all_topologies) {
    auto const t = predict_step(plan(topology, 1024, 1024), {1e-5, 1e9}, c);
    std::printf("  %s on 1024 ranks: %.3f s a step, %.3f s of computing, %.3f s of sending\n", name_of(topology).c_str(),
                t.seconds, t.compute, t.link);
    EXPECT_GT(t.seconds, t.compute);
    EXPECT_GE(t.seconds, t.link);
  }
}

TEST(CostModel, ChecksItsArguments) {
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2, 3), {}, cost(8)), std::invalid_argument);
  EXPECT_THROW(predict_step(plan(Topology::sharded, 2, 2), {-1, 0}, cost()), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
