// What a choice of topology is made from is the same on every rank, and makes sense.
#include <kaon/core/error.hpp>
#include <kaon/cost/layer_costs.hpp>
#include <kaon/method/set.hpp>
#include <kaon/run/start/choose_topology.hpp>
#include <kaon/support/quadratic.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

namespace kaon {
namespace {

struct TopologyTest : ::testing::Test {
  Communicator const world{MPI_COMM_WORLD};
  std::vector<Layer> const layers = test::odd_layers();
};

TEST_F(TopologyTest, LinksAreMeasuredTheSameOnEveryRank) {
  auto const link = measure_link(world, {20, 1e-4, std::size_t(1) << 20});
  for (double const x : {link.latency, link.one_way, link.one_way_fastest, link.both_ways, link.both_ways_fastest}) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    EXPECT_TRUE(world.same_everywhere(bits));
    EXPECT_EQ(x > 0, world.size() > 1) << x;
  }
  EXPECT_LE(link.one_way, link.one_way_fastest);
  EXPECT_LE(link.both_ways, link.both_ways_fastest);
  EXPECT_EQ(link.speed().bandwidth, link.both_ways);
  if (world.rank() == 0)
    std::printf("  %d ranks: %.0f MB/s one way, %.0f both ways, latency %.1f us\n", world.size(), 1e-6 * link.one_way,
                1e-6 * link.both_ways, 1e6 * link.latency);
}

TEST_F(TopologyTest, LayersCostSomethingAndTheirPacketsHaveTheirSize) {
  std::vector<LayerSettings> const s(layers.size(), test::settings("spectral", "bits:4", "identity"));
  auto const costs = measure_layers<float>(Space(), layers, s, 1);
  ASSERT_EQ(costs.size(), layers.size());
  for (std::size_t i = 0; i < costs.size(); ++i) {
    auto const entries = static_cast<std::size_t>(layers[i].rows) * static_cast<std::size_t>(layers[i].cols);
    EXPECT_EQ(costs[i].weight, static_cast<double>(entries));
    EXPECT_EQ(costs[i].down_bytes, packet_header_bytes + (4 * entries + 7) / 8 * 8) << layers[i].name;
    EXPECT_EQ(costs[i].up_bytes,
              packet_header_bytes + (make_compressor<float, Space>("bits:4", layers[i].rows, layers[i].cols))->bytes_bound());
    for (double const seconds : {costs[i].compress_up, costs[i].aggregate, costs[i].lmo, costs[i].compress_down, costs[i].follow})
      EXPECT_GT(seconds, 0);
  }
  auto const loads = MethodSet<float>(layers, s, {}).loads();
  for (std::size_t i = 0; i < loads.size(); ++i) {
    EXPECT_EQ(loads[i].bytes, std::max(costs[i].up_bytes, costs[i].down_bytes));  // of fixed length: the longest is every one
    EXPECT_EQ(loads[i].cost, lmo_cost(s[i].lmo, layers[i].rows, layers[i].cols));
  }
}

// Packets whose length varies are shorter than their bound, and a dense start's are longer: neither may make the plan that is
// reasoned about another one than the run's.
TEST_F(TopologyTest, ThePlanThatIsPredictedIsTheOneThatRuns) {
  int apart = 0;  // cases in which measured lengths would have given other bundles
  for (std::string const spec : {"natural:coded", "top:0.2", "top:0.3+natural:coded", "rank:0.4", "bits:4", "identity"})
    for (auto const start : {Start::dense, Start::zero})
      for (std::size_t const bundle : {500, 1000, 1500, 2000, 3000})
        for (auto const topology : all_topologies) {
          std::vector<LayerSettings> const s(layers.size(), test::settings("frobenius", spec, "natural:coded"));
          OptimizerSettings o;
          o.workers = 2;
          o.start = start;
          o.topology = topology;
          o.bundle_bytes = bundle;
          Engine<float> const muon(Space(), world, layers, s, o);
          static std::map<std::string, std::vector<LayerCost>> measured;
          auto& costs = measured[spec];
          if (costs.empty()) costs = measure_layers<float>(Space(), layers, s, 1);
          PlanSettings const where{topology, world.nodes(), o.workers, 1, bundle};
          auto loads = MethodSet<float>(layers, s, o).loads();
          Plan const predicted(where, loads);
          auto const& run = muon.exchange().plan();
          ASSERT_EQ(predicted.bundles().size(), run.bundles().size()) << spec << ", bundles of " << bundle;
          for (std::size_t b = 0; b < run.bundles().size(); ++b) {
            EXPECT_EQ(predicted.bundles()[b].layers, run.bundles()[b].layers) << spec << ", bundles of " << bundle;
            EXPECT_EQ(predicted.bundles()[b].owner, run.bundles()[b].owner);
            EXPECT_EQ(predicted.bundles()[b].cost, run.bundles()[b].cost);
          }
          for (std::size_t i = 0; i < loads.size(); ++i) loads[i].bytes = std::max(costs[i].up_bytes, costs[i].down_bytes);
          apart += Plan(where, loads).bundles().size() != run.bundles().size();
        }
  EXPECT_GT(apart, 0) << "the cases do not tell bounds from lengths";
}

TEST_F(TopologyTest, ItIsTheOneThatRunsForOtherMethodsToo) {
  std::vector<LayerSettings> s(layers.size(), test::settings("spectral", "bits:4", "bits:2"));
  for (std::size_t i = 0; i < s.size(); ++i) s[i].method = std::vector<std::string>{"adamw", "muon", "ef21-muon"}[i / 2 % 3];
  s[2].method = "dion";  // between layers of others, and with layers of its own that send otherwise
  s[5].method = "dion";
  for (std::size_t i = 0; i < s.size(); ++i)
    if (s[i].method != "ef21-muon") s[i].uplink = "no compressor";  // what a method does not read is not made
  auto const costs = measure_layers<float>(Space(), layers, s, 1);
  for (std::size_t const bundle : {std::size_t(0), std::size_t(2000), std::size_t(1) << 20})
    for (auto const topology : all_topologies) {
      OptimizerSettings o;
      o.workers = 2;
      o.topology = topology;
      o.bundle_bytes = bundle;
      Engine<float> const engine(Space(), world, layers, s, o);
      Plan const predicted({topology, world.nodes(), o.workers, 1, bundle}, MethodSet<float>(layers, s, o).loads());
      auto const& run = engine.exchange().plan();
      ASSERT_EQ(predicted.bundles().size(), run.bundles().size());
      for (std::size_t b = 0; b < run.bundles().size(); ++b) {
        EXPECT_EQ(predicted.bundles()[b].layers, run.bundles()[b].layers);
        EXPECT_EQ(predicted.bundles()[b].owner, run.bundles()[b].owner);
        for (int const i : run.bundles()[b].layers)
          EXPECT_EQ(s[static_cast<std::size_t>(i)].method, s[static_cast<std::size_t>(run.bundles()[b].layers.front())].method);
      }
    }
  for (std::size_t i = 0; i < costs.size(); ++i) {
    auto const entries = static_cast<std::size_t>(layers[i].rows) * static_cast<std::size_t>(layers[i].cols);
    auto const dense = packet_header_bytes + (4 * entries + 7) / 8 * 8;
    EXPECT_EQ(costs[i].second.there(), i == 2) << layers[i].name;
    if (i == 2) {  // square: factors of 4 columns, in two rounds
      auto const factor = packet_header_bytes + 4 * 16 * 4;
      EXPECT_EQ(costs[i].up_bytes, factor);
      EXPECT_EQ(costs[i].down_bytes, factor);
      EXPECT_EQ(costs[i].second.up_bytes, factor);
      EXPECT_EQ(costs[i].second.down_bytes, factor);
      for (double const seconds : {costs[i].second.answer, costs[i].second.aggregate, costs[i].second.serve,
                                   costs[i].second.follow, costs[i].second.keep, costs[i].compress_up, costs[i].follow})
        EXPECT_GT(seconds, 0);
      continue;
    }
    EXPECT_EQ(costs[i].up_bytes == dense && costs[i].down_bytes == dense, s[i].method != "ef21-muon") << layers[i].name;
  }
}

TEST_F(TopologyTest, EstimatesFollowTheLink) {
  TopologyInputs in;
  in.cost.layers.assign(layers.size(), LayerCost{1, 1e-5, 1e-5, 1e-3, 1e-5, 1e-5, 100000, 100000});
  in.loads.assign(layers.size(), LayerLoad{1, 100000});
  in.link.latency = 1e-5;
  OptimizerSettings o;
  o.workers = 4;
  std::vector<int> const nodes{0, 1, 2, 3};
  in.link.both_ways = 1e6;  // slow: an all-gather costs twice what owners cost, a lone server more
  auto const slow = estimate_topologies(in, o, nodes, 1);
  EXPECT_LT(slow[0].seconds, slow[1].seconds);
  EXPECT_LT(slow[0].seconds, slow[2].seconds);
  in.link.both_ways = 1e12;
  auto const fast = estimate_topologies(in, o, nodes, 1);
  for (std::size_t t = 0; t < fast.size(); ++t) EXPECT_LT(fast[t].seconds, slow[t].seconds);
  // Few bytes up and many down, hardly any oracle: then nothing beats sending nothing down.
  for (auto& l : in.cost.layers) l.up_bytes = 100, l.down_bytes = 1000000, l.lmo = 0;
  in.link.both_ways = 1e6;
  auto const up = estimate_topologies(in, o, nodes, 1);
  EXPECT_LT(up[2].seconds, up[0].seconds);
  EXPECT_LT(up[2].seconds, up[1].seconds);
}

TEST_F(TopologyTest, TheSmallestEstimateIsTakenAndOfEqualOnesTheFirst) {
  std::array<StepTime, all_topologies.size()> e{};
  auto const with = [&](double a, double b, double c) {
    e[0].seconds = a, e[1].seconds = b, e[2].seconds = c;
    return fastest(e);
  };
  EXPECT_EQ(with(1, 2, 3), all_topologies[0]);
  EXPECT_EQ(with(2, 1, 3), all_topologies[1]);
  EXPECT_EQ(with(3, 2, 1), all_topologies[2]);
  EXPECT_EQ(with(1, 1, 1), all_topologies[0]);
  EXPECT_EQ(with(2, 1, 1), all_topologies[1]);
}

// Estimates are made on every rank from rank 0's layers and the common link: the same bits, so that what is printed is what
// counts.
TEST_F(TopologyTest, EveryRankEstimatesTheSame) {
  TopologyInputs in;
  in.cost.forward = 1e-3, in.cost.backward = 2e-3, in.cost.load = 2;
  in.cost.layers.assign(layers.size(), LayerCost{1, 1e-5, 1e-5, 1e-3, 1e-5, 1e-5, 100000, 50000});
  in.loads.assign(layers.size(), LayerLoad{1, 100000});
  in.link = measure_link(world, {20, 1e-4, std::size_t(1) << 18});
  OptimizerSettings o;
  o.workers = 3;
  for (auto const& t : estimate_topologies(in, o, world.nodes(), 1)) {
    EXPECT_GT(t.seconds, 0);
    for (double const x : {t.seconds, t.compute, t.server, t.uplink, t.downlink}) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, &x, sizeof bits);
      EXPECT_TRUE(world.same_everywhere(bits));
    }
    if (world.size() == 1) {
      EXPECT_EQ(t.link, 0);
    }
  }
}

TEST_F(TopologyTest, PacketsAreAsLongAsTheirCompressorsMakeThem) {
  std::vector<Layer> const big{{"big", 1024, 1024}};
  auto const dense = measure_layers<float>(Space(), big, {test::settings("max-abs", "identity", "identity")}, 3).front();
  EXPECT_EQ(dense.up_bytes, dense.down_bytes);
  EXPECT_EQ(dense.up_bytes, packet_header_bytes + (std::size_t(4) << 20));
  auto const coded = measure_layers<float>(Space(), big, {test::settings("max-abs", "bits:4", "bits:2")}, 3).front();
  EXPECT_LT(7 * coded.up_bytes, dense.up_bytes);
  EXPECT_LT(coded.down_bytes, coded.up_bytes);
}

TEST_F(TopologyTest, AutoIsOneOfThemForAllRanksAndOthersAreTakenAsNamed) {
  auto const text = [](char const* name) {
    return "[run]\nsteps = 1\n[objective]\nkind = own\n[optimizer]\nworkers = 3\n[exchange]\ntopology = " + std::string(name) +
           "\n[group.all]\nlayers = *\nradius = 0.1\nuplink = bits:4\n";
  };
  test::Quadratic<float> const objective(layers, 3, 1);
  std::vector<LayerSettings> const s(layers.size(), test::settings("spectral", "bits:4", "bits:2"));
  OptimizerSettings o;
  o.workers = 3;
  Log const log(world.rank());
  for (auto const t : all_topologies) {
    auto const deck = Deck::from_text(text(name_of(t).c_str()), "test");
    EXPECT_EQ(choose_topology<float>(deck, world, log, objective, s, o), t);
  }
  auto const chosen = choose_topology<float>(Deck::from_text(text("auto"), "test"), world, log, objective, s, o);
  EXPECT_TRUE(world.same_everywhere(static_cast<std::uint64_t>(chosen)));
}

}  // namespace
}  // namespace kaon
