#include <kaon/clock/phases.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace kaon {
namespace phases_test {

std::vector<std::string> opened;
int depth = 0, deepest = 0;

struct Regions {
  Regions() {
    opened.clear();
    depth = deepest = 0;
    Kokkos::Tools::Experimental::set_push_region_callback([](char const* name) {
      opened.push_back(name);
      deepest = std::max(deepest, ++depth);
    });
    Kokkos::Tools::Experimental::set_pop_region_callback([] { --depth; });
  }
  ~Regions() {
    Kokkos::Tools::Experimental::set_push_region_callback(nullptr);
    Kokkos::Tools::Experimental::set_pop_region_callback(nullptr);
  }
};

void rest(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

// The names are an interface: profilers' scripts look for them.
TEST(Phases, NamesAreStableAndDifferent) {
  std::set<std::string> names;
  for (std::size_t p = 0; p < phase_count; ++p) names.insert(phase_name(static_cast<Phase>(p)));
  EXPECT_EQ(names, (std::set<std::string>{"kaon::forward", "kaon::backward", "kaon::sum", "kaon::compress", "kaon::send",
                                          "kaon::wait_sum", "kaon::wait_uplink", "kaon::aggregate", "kaon::lmo",
                                          "kaon::wait_downlink", "kaon::follow", "kaon::agree", "kaon::save", "kaon::validate"}));
}

TEST(Phases, TimeBelongsToTheInnermostPhase) {
  PhaseTimer timer;
  {
    InPhase const outer(timer, Phase::forward);
    rest(4);
    {
      InPhase const inner(timer, Phase::compress);
      rest(8);
      timer.change(Phase::send);
      rest(2);
    }
    timer.change(Phase::backward);
    rest(6);
  }
  rest(5);  // nobody's
  auto const t = timer.times();
  EXPECT_GE(t[Phase::forward], 0.004);
  EXPECT_GE(t[Phase::compress], 0.008);
  EXPECT_GE(t[Phase::send], 0.002);
  EXPECT_GE(t[Phase::backward], 0.006);
  EXPECT_EQ(t[Phase::lmo], 0);
  double sum = 0;
  for (auto const p : {Phase::forward, Phase::compress, Phase::send, Phase::backward}) sum += t[p];
  EXPECT_DOUBLE_EQ(t.total(), sum);
  EXPECT_DOUBLE_EQ(t.exposed(), t[Phase::send]);
  auto twice = t;
  twice += t;
  EXPECT_DOUBLE_EQ((twice - t)[Phase::compress], t[Phase::compress]);
}

TEST(Phases, AStepOpensARegionForEachAndClosesThemAll) {
  Communicator const self(MPI_COMM_SELF);
  OptimizerSettings o;
  o.workers = 2;
  Regions const regions;
  std::vector<StepReport> reports;
  auto const layers = test::odd_layers();
  std::vector<LayerSettings> const s(layers.size(), test::settings("spectral", "bits:4", "bits:2"));
  test::run_quadratic<float>(self, layers, s, o, 2, false, &reports, 2);
  EXPECT_EQ(depth, 0);
  EXPECT_LE(deepest, 4);
  std::set<std::string> const seen(opened.begin(), opened.end());
  for (char const* name :
       {"kaon::forward", "kaon::backward", "kaon::sum", "kaon::compress", "kaon::send", "kaon::aggregate", "kaon::lmo"})
    EXPECT_EQ(seen.count(name), 1u) << name;
  for (auto const& r : reports) {
    EXPECT_GT(r.times[Phase::backward], 0) << "an objective that does not tell where backward begins";
    EXPECT_GT(r.times[Phase::lmo], 0);
    EXPECT_EQ(r.times[Phase::wait_uplink], 0) << "nothing to wait for on one rank";
  }
}

TEST(Phases, AnObjectiveMayTellWhereBackwardBegins) {
  struct Tells final : Objective<float> {
    test::Quadratic<float> inner{{{"x", 3, 4}}, 1, 5};
    std::vector<Layer> const& layers() const override { return inner.layers(); }
    void initialize(Space const& e, Point const& X) override { inner.initialize(e, X); }
    void gradient(Space const& e, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                  Sink const& sink) override {
      rest(3);
      this->backward_begins();
      rest(6);
      inner.gradient(e, loss, W, share, sink);
    }
    std::string describe() const override { return "tells"; }
  } objective;
  Communicator const self(MPI_COMM_SELF);
  OptimizerSettings o;
  Engine<float> muon(Space(), self, objective.layers(), {test::settings("frobenius", "identity", "identity")}, o);
  muon.initialize(objective);
  auto const t = muon.step(objective, 0, 1.0, false).times;
  EXPECT_GE(t[Phase::forward], 0.003);
  EXPECT_GE(t[Phase::backward], 0.006);
}

}  // namespace phases_test
}  // namespace kaon
