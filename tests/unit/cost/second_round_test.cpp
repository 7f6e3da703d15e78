// Steps of two rounds that depend on each other, by hand and by the simulation.
#include <kaon/cost/cost_model.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace second_round_test {

constexpr double ms = 1e-3;
constexpr int layers = 8;

static Plan plan(Topology topology, int ranks, int workers) {
  return Plan({topology, std::vector<int>(static_cast<std::size_t>(ranks), 0), workers, 1, 0},
              std::vector<LayerLoad>(layers, LayerLoad{1, 1000}));
}

static LayerCost layer() {
  LayerCost c{1, 0.1 * ms, 0.05 * ms, 2 * ms, 0.1 * ms, 0.05 * ms, 100000, 50000};
  c.second = {0.3 * ms, 0.02 * ms, 0.7 * ms, 0.4 * ms, 0.2 * ms, 70000, 30000};
  return c;
}

static StepCost cost(bool idle = false) {
  StepCost c;
  auto l = layer();
  if (idle) {
    l = {1, 0, 0, 0, 0, 0, 100000, 50000};
    l.second.up_bytes = 70000, l.second.down_bytes = 30000;
  } else {
    c.forward = 10 * ms;
    c.backward = 20 * ms;
  }
  c.layers.assign(layers, l);
  return c;
}

TEST(SecondRound, OneRankDoesAllOfIt) {
  for (auto const topology : all_topologies) {
    auto const t = predict_step(plan(topology, 1, 3), {1e-3, 1e6}, cost());
    double const worker = 30 * ms + layers * (0.1 + 0.3 + 0.2) * ms;
    double const server = layers * (3 * 0.05 + 2 + 0.1 + 3 * 0.02 + 0.7) * ms;
    EXPECT_NEAR(t.seconds, 3 * worker + server, 1e-9) << name_of(topology);
    EXPECT_EQ(t.link, 0);
  }
}

// Four ranks, one worker each; no limit to the link and none in time of messages.
TEST(SecondRound, RanksShareIt) {
  auto const t = predict_step(plan(Topology::sharded, 4, 4), {0, 0}, cost());
  double const gradient = 30 * ms + layers * 0.1 * ms, own = 2, others = layers - 2;
  double const first = own * (4 * 0.05 + 2 + 0.1) * ms, answers = layers * 0.3 * ms + others * 0.05 * ms;
  double const second = own * (4 * 0.02 + 0.7 + 0.2) * ms, follow = others * (0.4 + 0.2) * ms;
  EXPECT_NEAR(t.compute, gradient + first + answers + second + follow, 1e-9);
  EXPECT_GE(t.seconds, t.compute - 1e-12);
}

TEST(SecondRound, ItsBytesAreOnTheLink) {
  double const bandwidth = 1e7;
  auto const seconds = [&](double bytes) { return layers * bytes / bandwidth; };
  auto const sharded = predict_step(plan(Topology::sharded, 4, 4), {0, bandwidth}, cost(true));
  EXPECT_NEAR(sharded.link, 0.75 * seconds(100000 + 70000) + 0.75 * seconds(50000 + 30000), 1e-9);
  EXPECT_GE(sharded.seconds, sharded.link - 1e-9);
  auto const replicated = predict_step(plan(Topology::replicated, 4, 4), {0, bandwidth}, cost(true));
  EXPECT_NEAR(replicated.link, 3 * seconds(100000 + 70000), 1e-9);
  auto const dedicated = predict_step(plan(Topology::dedicated, 5, 4), {0, bandwidth}, cost(true));
  EXPECT_NEAR(dedicated.link, 4 * seconds(50000 + 30000), 1e-9);
}

TEST(SecondRound, ItsLatencyIsAddedTwice) {
  auto const p = plan(Topology::sharded, 4, 4);
  auto one = cost();
  for (auto& l : one.layers) l.second = {};
  double const latency = 0.05;
  auto const added = [&](StepCost const& c) {
    return predict_step(p, {latency, 1e8}, c).seconds - predict_step(p, {0, 1e8}, c).seconds;
  };
  EXPECT_GE(added(cost()), added(one) + 1.9 * latency);
  EXPECT_LE(added(cost()), added(one) + 2.1 * latency);
}

TEST(SecondRound, AFasterLinkIsNeverSlower) {
  for (auto const topology : all_topologies)
    for (int ranks : {2, 3, 4, 7}) {
      double before = 1e9;
      for (double const bandwidth : {1e6, 1e7, 1e8, 1e9, 1e12}) {
        auto const t = predict_step(plan(topology, ranks, 4), {1e-5, bandwidth}, cost());
        EXPECT_LE(t.seconds, before * (1 + 1e-9)) << name_of(topology) << " " << ranks << " " << bandwidth;
        EXPECT_GE(t.seconds, t.compute - 1e-12);
        EXPECT_GE(t.seconds, t.link - 1e-12);
        before = t.seconds;
      }
    }
}

}  // namespace second_round_test
}  // namespace kaon
