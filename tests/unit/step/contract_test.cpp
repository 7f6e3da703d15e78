// What an objective and its caller must do is checked where it is done: every mistake is told at once, by the layer's name.
#include <kaon/core/error.hpp>
#include <kaon/support/state.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace kaon {
namespace {

using test::expect_parts;

using Point = Objective<float>::ConstPoint;
using Sink = Objective<float>::Sink;

/// A quadratic whose gradients pass through `change` on their way to the optimizer.
struct Mistaken final : Objective<float> {
  using Change = std::function<void(int layer, ConstMatrix<float, Space> const& gradient, Share const& share, Sink const& sink)>;
  test::Quadratic<float> right;
  Change change;
  Mistaken(int micro_batches, Change c) : right(test::odd_layers(), 2, 77, micro_batches), change(std::move(c)) {}
  std::vector<Layer> const& layers() const override { return right.layers(); }
  int micro_batches() const override { return right.micro_batches(); }
  void initialize(Space const& e, Point const& X) override { right.initialize(e, X); }
  void gradient(Space const& e, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    right.gradient(e, loss, W, share, [&](int i, ConstMatrix<float, Space> const& g) { change(i, g, share, sink); });
  }
  std::string describe() const override { return "mistaken"; }
};

OptimizerSettings two_workers() {
  OptimizerSettings o;
  o.workers = 2;
  return o;
}
std::vector<LayerSettings> six(LayerSettings const& s = test::settings("spectral", "bits:4", "bits:2")) {
  return std::vector<LayerSettings>(6, s);
}

/// The text of the UsageError that `body` must end with.
template <class Body>
std::string refusal(Body&& body) {
  try {
    body();
  } catch (UsageError const& e) {
    return e.what();
  } catch (std::exception const& e) {
    ADD_FAILURE() << "refused, but not as a mistake of the caller: " << e.what();
    return "";
  }
  ADD_FAILURE() << "accepted";
  return "";
}

struct Contract : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};

  // Steps 0 to 2; the mistake is made at step 1 by worker 1.
  std::string told(Mistaken::Change mistake, int micro_batches = 1) {
    Mistaken objective(micro_batches, [&](int i, ConstMatrix<float, Space> const& g, Share const& share, Sink const& sink) {
      if (share.step == 1 && share.worker == 1)
        mistake(i, g, share, sink);
      else
        sink(i, g);
    });
    Engine<float> muon(Space(), self, objective.layers(), six(), two_workers(), micro_batches);
    muon.initialize(objective);
    muon.step(objective, 0, 1.0, false);
    auto const text = refusal([&] { muon.step(objective, 1, 1.0, false); });
    expect_parts(refusal([&] { muon.step(objective, 2, 1.0, false); }), {"of no use after a step that failed"});
    return text;
  }
  std::string made(std::vector<Layer> const& layers, std::vector<LayerSettings> const& s,
                   OptimizerSettings const& o = two_workers(), int micro_batches = 1) {
    return refusal([&] { Engine<float>(Space(), self, layers, s, o, micro_batches); });
  }
};

TEST_F(Contract, ALayerThatNeverComesIsNamed) {
  for (int const micros : {1, 3})
    expect_parts(told(
                     [](int i, auto const& g, auto const&, auto const& sink) {
                       if (i != 2) sink(i, g);
                     },
                     micros),
                 {"layer square (2) was never given", "worker 1", "step 1", "micro-batch 0"});
  expect_parts(told([](auto&&...) {}), {"layer tall (0), layer wide (1)", "column (4) and 1 more were never given"});
}

TEST_F(Contract, ALayerThatComesTwiceIsNamedBeforeItIsUsed) {
  for (int const micros : {1, 2})
    expect_parts(told([](int i, auto const& g, auto const&, auto const& sink) { sink(i, g), sink(i, g); }, micros),
                 {"layer one (5) was given twice", "worker 1"});
}

TEST_F(Contract, AnIndexOutOfRangeIsRefused) {
  for (int const wrong : {-1, 6, 7, 1 << 30})
    expect_parts(told([wrong](int, auto const& g, auto const&, auto const& sink) { sink(wrong, g); }),
                 {std::to_string(wrong).c_str(), "layers 0 to 5"});
}

TEST_F(Contract, AnotherShapeIsRefusedWithBoth) {
  Matrix<float, Space> const turned("kaon::test::turned", 10, 24);
  expect_parts(told([&](int i, auto const& g, auto const&, auto const& sink) { i == 0 ? sink(0, turned) : sink(i, g); }),
               {"10 x 24", "layer tall (0)", "24 x 10"});
}

TEST_F(Contract, NamesAreUniqueAndFitForFiles) {
  for (auto const* name : {"a/b", "", "a b", "..", ".", "\xc3\xa4", "a\nb", "/"}) {
    auto layers = test::odd_layers();
    layers[3].name = name;
    expect_parts(made(layers, six()), {"(3)", "letters, digits, '.', '_' and '-'"});
  }
  auto layers = test::odd_layers();
  layers[4].name = "wide";
  expect_parts(made(layers, six()), {"'wide' (4)", "another layer"});
}

TEST_F(Contract, ShapesAndCountsAreChecked) {
  auto layers = test::odd_layers();
  layers[1].cols = 0;
  expect_parts(made(layers, six()), {"'wide' (1)", "9 x 0"});
  layers[1] = {"wide", 1 << 16, 1 << 15};
  expect_parts(made(layers, six()), {"'wide' (1)", "65536 x 32768", "split the layer"});
  expect_parts(made({}, {}), {"no layers"});
  expect_parts(made(test::odd_layers(), {six()[0], six()[1]}), {"settings for 2 layers", "has 6"});
  auto nobody = two_workers();
  nobody.workers = 0;
  expect_parts(made(test::odd_layers(), six(), nobody), {"workers is 0"});
  expect_parts(made(test::odd_layers(), six(), two_workers(), 0), {"0 micro-batches"});
}

TEST_F(Contract, SettingsOutOfRangeAreNamedWithTheirLayer) {
  double const nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  auto const changed = [&](std::function<void(LayerSettings&)> change) {
    auto s = six();
    change(s[2]);
    auto const text = made(test::odd_layers(), s);
    expect_parts(text, {"layer square"});
    return text;
  };
  for (double const x : {-1.0, 0.0, nan, infinity}) {
    expect_parts(changed([x](LayerSettings& s) { s.radius = x; }), {"radius is"});
    expect_parts(changed([x](LayerSettings& s) { s.beta = x; }), {"beta is"});
    expect_parts(changed([x](LayerSettings& s) { s.lmo.factor = x; }), {"factor is"});
    if (x != 0) expect_parts(changed([x](LayerSettings& s) { s.decay = x; }), {"decay is"});
  }
  expect_parts(changed([](LayerSettings& s) { s.beta = 1.5; }), {"beta is 1.5", "(0, 1]"});
  expect_parts(changed([](LayerSettings& s) { s.uplink = "topp:0.1"; }), {"topp"});
  expect_parts(changed([](LayerSettings& s) { s.downlink = "bits:3"; }), {"bits:3"});
  expect_parts(changed([](LayerSettings& s) { s.lmo.norm = "spectrall"; }), {"spectrall"});
  expect_parts(changed([](LayerSettings& s) { s.lmo.row_blocks = 5; }), {"row_blocks"});
}

struct Order : Contract {
  test::Quadratic<float> problem{test::odd_layers(), 2, 77};
  std::unique_ptr<Engine<float>> muon = std::make_unique<Engine<float>>(Space(), self, test::odd_layers(), six(), two_workers());
  std::string refused(std::uint64_t step, double multiplier = 1) {
    return refusal([&] { muon->step(problem, step, multiplier, false); });
  }
};

TEST_F(Order, AStepNeedsAStart) {
  expect_parts(refused(0), {"layer tall", "no starting point", "initialize()"});
  Registry registry;
  muon->register_state(registry);
  for (auto& f : registry) {  // all of a checkpoint but one layer's W
    if (f.path == "/model/W/row") continue;
    std::vector<unsigned char> const zeros(f.needed.elements() * size_of(f.type));
    f.set(zeros.data());
  }
  expect_parts(refused(4), {"layer row", "no starting point"});
  muon->initialize(problem);
  EXPECT_NO_THROW(muon->step(problem, 0, 1.0, false));
}

TEST_F(Order, StepsCountFromZeroAndGoOn) {
  muon->initialize(problem);
  expect_parts(refused(1), {"step 1", "count from 0"});
  muon->step(problem, 0, 1.0, false);
  expect_parts(refused(0), {"step 0", "that far already"});
  muon->step(problem, 1, 1.0, false);
  muon->step(problem, 5, 1.0, false);
  expect_parts(refused(3), {"step 3"});
  EXPECT_NO_THROW(muon->step(problem, 6, 0.0, false));
}

TEST_F(Order, ARefusedStepChangesNothing) {
  auto const plain = test::run_quadratic<float>(self, test::odd_layers(), six(), two_workers(), 3);
  muon->initialize(problem);
  refused(7);
  for (std::uint64_t k = 0; k < 3; ++k) {
    muon->step(problem, k, 1.0, false);
    refused(k);
    refused(k + 1, -1.0);
    refused(k + 1, std::numeric_limits<double>::quiet_NaN());
    refused(k + 1, std::numeric_limits<double>::infinity());
  }
  EXPECT_EQ(test::bytes_of(*muon), test::bytes_of(*plain));
}

TEST_F(Order, AnotherObjectiveIsRefused) {
  muon->initialize(problem);
  auto fewer = test::odd_layers();
  fewer.pop_back();
  auto turned = test::odd_layers();
  std::swap(turned[0].rows, turned[0].cols);
  for (auto const& layers : {fewer, turned}) {
    test::Quadratic<float> other(layers, 2, 77);
    expect_parts(refusal([&] { muon->step(other, 0, 1.0, false); }), {"other layers"});
    expect_parts(refusal([&] { muon->initialize(other); }), {"other layers"});
  }
  test::Quadratic<float> cut(test::odd_layers(), 2, 77, 4);
  expect_parts(refusal([&] { muon->step(cut, 0, 1.0, false); }), {"4 micro-batches", "made for 1", "micro_batches()"});
}

}  // namespace
}  // namespace kaon
