// A step by push: whoever calls, the bits are those of a step of an objective, and every mistake of the caller's is told.
#include <kaon/core/error.hpp>
#include <kaon/support/state.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

namespace kaon {
namespace {

using test::expect_parts;
using test::odd_layers;

OptimizerSettings three_workers() {
  OptimizerSettings o;
  o.workers = 3;
  return o;
}
std::vector<LayerSettings> quantised() { return std::vector<LayerSettings>(6, test::settings("spectral", "bits:4", "bits:2")); }

template <class T>
std::unique_ptr<Engine<T>> started(Communicator const& comm, Objective<T>& objective, OptimizerSettings const& o) {
  auto muon = std::make_unique<Engine<T>>(Space(), comm, objective.layers(), quantised(), o, objective.micro_batches());
  muon->initialize(objective);
  return muon;
}

/// How a caller may go about it.
struct Way {
  bool host_loss = false, loss_first = false, forwards = false, own_buffer = false;
};

template <class T>
void push(Engine<T>& muon, Objective<T>& objective, std::uint64_t step, Way way) {
  Space const exec;
  muon.begin_step(step);
  for (auto const& share : muon.shares()) {
    // All gradients first, so that they can be given in any order.
    std::vector<Matrix<T, Space>> gradients;
    std::vector<ConstMatrix<T, Space>> W;
    for (std::size_t i = 0; i < objective.layers().size(); ++i) {
      W.push_back(muon.W(share, static_cast<int>(i)));
      gradients.emplace_back("kaon::test::gradient", W[i].extent(0), W[i].extent(1));
    }
    Scalar<double, Space> const value("kaon::test::loss");
    auto const loss = way.host_loss ? value : muon.loss_of(share);
    objective.gradient(exec, loss, Model<T>(W), share, [&](int i, ConstMatrix<T, Space> const& g) {
      Kokkos::deep_copy(exec, gradients[static_cast<std::size_t>(i)], g);
    });
    exec.fence();
    auto const tell = [&] {
      double number = 0;
      Kokkos::deep_copy(number, value);
      if (way.host_loss) muon.give_loss(share, number);
    };
    if (way.loss_first) tell();
    int const p = static_cast<int>(gradients.size());
    Matrix<T, Space> one;
    if (way.own_buffer) one = Matrix<T, Space>("kaon::test::reused", 1, 24 * 40);
    for (int k = 0; k < p; ++k) {
      int const i = way.forwards ? k : p - 1 - k;
      auto const& g = gradients[static_cast<std::size_t>(i)];
      if (way.own_buffer) {  // written over as soon as give() is back
        Matrix<T, Space> const buffer(one.data(), g.extent(0), g.extent(1));
        Kokkos::deep_copy(exec, buffer, g);
        muon.give(exec, share, i, buffer);
        Kokkos::deep_copy(exec, one, std::numeric_limits<T>::quiet_NaN());
      } else {
        muon.give(exec, share, i, g);
      }
    }
    if (!way.loss_first) tell();
  }
  muon.end_step(1.0);
}

template <class T>
void same_as_an_objective(int micro_batches) {
  Communicator const self(MPI_COMM_SELF);
  test::Quadratic<T> objective(odd_layers(), 3, 77, micro_batches);
  std::vector<StepReport> reports;
  auto const straight =
      test::run_quadratic<T>(self, odd_layers(), quantised(), three_workers(), 5, false, &reports, micro_batches);
  for (auto const& way : {Way{}, Way{true, true, true, false}, Way{true, false, false, true}, Way{false, false, true, true}}) {
    auto const muon = started<T>(self, objective, three_workers());
    for (std::uint64_t k = 0; k < 5; ++k) push<T>(*muon, objective, k, way);
    EXPECT_EQ(test::bytes_of(*muon), test::bytes_of(*straight));
  }
}

TEST(Push, GivesTheBitsOfAnObjective) {
  for (int const micros : {1, 2, 3}) {
    same_as_an_objective<float>(micros);
    same_as_an_objective<double>(micros);
  }
}

TEST(Push, ReportsTheLossThatItWasGiven) {
  Communicator const self(MPI_COMM_SELF);
  test::Quadratic<double> objective(odd_layers(), 3, 77);
  auto const muon = started<double>(self, objective, three_workers());
  std::vector<Matrix<double, Space>> zeros;
  for (auto const& l : odd_layers())
    zeros.emplace_back("kaon::test::zero", static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
  muon->begin_step(0);
  for (auto const& share : muon->shares()) {
    for (int i = 0; i < 6; ++i) muon->give(Space(), share, i, zeros[static_cast<std::size_t>(i)]);
    muon->give_loss(share, share.worker + 0.5);
  }
  auto const report = muon->end_step(1.0);
  EXPECT_EQ(report.worker_loss, (std::vector<double>{0.5, 1.5, 2.5}));
  EXPECT_EQ(report.loss, 1.5);
}

struct Mistakes : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  test::Quadratic<double> objective{odd_layers(), 3, 77, 2};
  std::unique_ptr<Engine<double>> muon;
  std::vector<Matrix<double, Space>> zeros;

  Mistakes() {
    for (auto const& l : odd_layers())
      zeros.emplace_back("kaon::test::zero", static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
    make();
  }
  void make() { muon = started<double>(self, objective, three_workers()); }
  void give(Share const& share, int from = 0, int to = 6) {
    for (int i = from; i < to; ++i) muon->give(Space(), share, i, zeros[static_cast<std::size_t>(i)]);
  }
  /// The text of the UsageError that ends a step in which `body` is done, after `complete` whole shares.
  std::string told(std::size_t complete, std::function<void(std::span<Share const>)> body) {
    make();
    muon->begin_step(0);
    auto const shares = muon->shares();
    for (std::size_t k = 0; k < complete; ++k) give(shares[k]), muon->give_loss(shares[k], 1);
    std::string text = "accepted";
    try {
      body(shares);
    } catch (UsageError const& e) {
      text = e.what();
    }
    try {
      muon->begin_step(1);
      ADD_FAILURE() << "a step after: " << text;
    } catch (UsageError const& e) {
      EXPECT_NE(std::string(e.what()).find("of no use"), std::string::npos) << e.what();
    }
    return text;
  }
};

TEST_F(Mistakes, SharesAreThoseOfTheRankInOrder) {
  muon->begin_step(0);
  auto const shares = muon->shares();
  ASSERT_EQ(shares.size(), 6u);
  for (std::size_t k = 0; k < 6; ++k) {
    EXPECT_EQ(shares[k].worker, static_cast<int>(k / 2));
    EXPECT_EQ(shares[k].micro, static_cast<int>(k % 2));
  }
  for (auto const& s : shares) give(s), muon->give_loss(s, 1);
  muon->end_step(0.0);
}

TEST_F(Mistakes, AreToldByLayerAndShare) {
  expect_parts(told(2, [&](auto s) { give(s[2], 0, 3), give(s[2], 2); }),
               {"layer square (2) was given twice", "worker 1", "micro-batch 0"});
  expect_parts(told(1, [&](auto s) { give(s[1], 1), give(s[2]); }),
               {"layer tall (0) was never given", "worker 0", "micro-batch 1"});
  expect_parts(told(5, [&](auto s) { give(s[5], 0, 5), muon->give_loss(s[5], 1), muon->end_step(1); }),
               {"layer one (5) was never given", "worker 2", "micro-batch 1"});
  expect_parts(told(3, [&](auto) { muon->end_step(1); }), {"layer tall (0), layer wide (1)", "were never given", "worker 1"});
  expect_parts(told(0, [&](auto s) { muon->give(Space(), s[0], 6, zeros[0]); }), {"layer 6 was given", "layers 0 to 5"});
  expect_parts(told(0, [&](auto s) { muon->give(Space(), s[0], 0, zeros[1]); }), {"9 x 31", "layer tall (0)", "24 x 10"});
  expect_parts(told(0, [&](auto s) { muon->W(s[0], -1); }), {"W of layer -1", "layers 0 to 5"});
}

TEST_F(Mistakes, OfOrderAreTold) {
  expect_parts(told(2, [&](auto s) { give(s[0]); }), {"is complete was given more", "worker 0", "micro-batch 0"});
  expect_parts(told(0, [&](auto) { give({7, 0, 0}); }), {"rank 0 does not compute", "worker 7"});
  expect_parts(told(0, [&](auto) { give({0, 3, 0}); }), {"rank 0 does not compute", "step 3"});
  expect_parts(told(0, [&](auto) { muon->W({0, 0, 2}, 0); }), {"does not compute", "micro-batch 2"});
}

TEST_F(Mistakes, OfLossesAndMultipliersAreTold) {
  expect_parts(told(6, [&](auto s) { muon->give_loss(s[3], 1); }), {"loss was given twice", "worker 1", "micro-batch 1"});
  expect_parts(told(0, [&](auto s) { muon->loss_of(s[0]), muon->give_loss(s[0], 1); }), {"loss was given twice"});
  expect_parts(told(5, [&](auto s) { give(s[5]), muon->end_step(1); }), {"loss was never given", "worker 2", "micro-batch 1"});
  expect_parts(told(6, [&](auto) { muon->end_step(-1); }), {"multiplier of step 0 is -1"});
}

TEST_F(Mistakes, OfPlaceAreToldAndChangeNothing) {
  auto const refused = [](auto&& body) {
    try {
      body();
    } catch (UsageError const& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  Share const first{0, 0, 0};
  expect_parts(refused([&] { give(first); }), {"no step is under way", "begin_step()"});
  expect_parts(refused([&] { muon->give_loss(first, 1); }), {"no step is under way"});
  expect_parts(refused([&] { muon->W(first, 0); }), {"no step is under way"});
  expect_parts(refused([&] { muon->end_step(1); }), {"no step is under way"});
  muon->begin_step(0);
  Registry registry;
  muon->register_state(registry);
  std::vector<unsigned char> bytes(1 << 16);
  expect_parts(refused([&] { muon->begin_step(1); }), {"step 0 is under way", "end_step()"});
  expect_parts(refused([&] { muon->initialize(objective); }), {"step 0 is under way"});
  expect_parts(refused([&] { registry.front().get(bytes.data()); }), {"step 0 is under way"});
  expect_parts(refused([&] { registry.front().set(bytes.data()); }), {"step 0 is under way"});
  for (auto const& s : muon->shares()) give(s), muon->give_loss(s, 1);
  EXPECT_NO_THROW(muon->end_step(1.0));
  EXPECT_NO_THROW(registry.front().get(bytes.data()));
}

TEST_F(Mistakes, AStepThatIsAbandonedIsTheLast) {
  muon->begin_step(0);
  give(muon->shares()[0]);
  muon->abandon(std::runtime_error("my file is broken"));
  EXPECT_THROW(muon->end_step(1.0), UsageError);
  EXPECT_THROW(muon->begin_step(0), UsageError);
  muon->abandon(std::runtime_error("again"));  // nothing is under way
}

}  // namespace
}  // namespace kaon
