// The invariants of EF21-Muon that hold after every step (method.md §2), over compressors, norms and starts.
#include "../lmo/oracle.hpp"

#include <kaon/core/error.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <cmath>
#include <limits>

namespace kaon {
namespace invariants_test {

template <class T>
struct Invariants : ::testing::Test {
  Communicator self{MPI_COMM_SELF};
  std::vector<Layer> layers = test::odd_layers();
  OptimizerSettings workers(int n, Start start = Start::dense) {
    OptimizerSettings o;
    o.workers = n;
    o.start = start;
    o.seed = 5;
    return o;
  }
  std::vector<LayerSettings> all(LayerSettings const& s) { return std::vector<LayerSettings>(layers.size(), s); }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Invariants, Scalars);

std::vector<std::string> const compressors{"identity",
                                           "top:0.2",
                                           "rank:0.4",
                                           "natural",
                                           "natural:stochastic",
                                           "natural:coded",
                                           "bits:1",
                                           "bits:2",
                                           "bits:4",
                                           "bits:8",
                                           "dither:4",
                                           "damp:0.6",
                                           "rand:0.4",
                                           "columns:0.4",
                                           "dropout:0.6+bits:8",
                                           "top:0.3+natural",
                                           "top:0.3+natural:coded",
                                           "rank:0.5+bits:4",
                                           "top:0.3+bits:4",
                                           "rank:0.5+natural",
                                           "rank:0.5+natural:coded"};

TYPED_TEST(Invariants, ServerEstimateIsTheMeanOfTheWorkers) {
  using T = TypeParam;
  double worst = 0;
  double const tolerance = std::is_same_v<T, float> ? 1e-6 : 2e-15;
  for (auto const& up : compressors)
    for (auto start : {Start::dense, Start::zero}) {
      auto const o = test::run_quadratic<T>(this->self, this->layers, this->all(test::settings("spectral", up, "bits:4")),
                                            this->workers(3, start), 15);
      worst = std::max(worst, o->check_invariants(tolerance));
    }
  std::printf("largest ‖G − mean G_j‖ relative to max ‖G_j‖ after 15 steps: %.2e, tolerance %.2e\n", worst, tolerance);
}

TYPED_TEST(Invariants, IdentityKeepsNothingTwice) {
  using T = TypeParam;
  for (int n : {1, 3}) {
    auto const o = test::run_quadratic<T>(this->self, this->layers, this->all(test::settings("spectral", "identity", "identity")),
                                          this->workers(n), 7);
    Registry registry;
    o->register_state(registry);
    EXPECT_EQ(registry.size(), 2 * this->layers.size()) << "W and M_j";
    for (int i = 0; i < static_cast<int>(this->layers.size()); ++i) {
      EXPECT_EQ(test::ef21(*o).X(i).data(), o->W()[static_cast<std::size_t>(i)].data());
      EXPECT_EQ(test::ef21(*o).G(i).size(), 0u);
    }
  }
}

/// ‖X_{k+1} − X_k‖ = t·s in the layer's norm, whichever it is. What rounding X leaves is at most Σ|X|·eps in each of them, since
/// an entry alone has norm 1.
TYPED_TEST(Invariants, EveryStepHasTheRadiusOfItsNorm) {
  using T = TypeParam;
  double const eps = std::numeric_limits<T>::epsilon(), radius = 0.07;
  for (auto const& norm : test::every_norm()) {
    test::Quadratic<T> objective(this->layers, 2, 77);
    auto s = this->all(test::settings("max-abs", "top:0.2", "identity", radius));
    for (std::size_t i = 0; i < s.size(); ++i) s[i].lmo = test::fitted(norm, this->layers[i].rows, this->layers[i].cols);
    Engine<T> o(Space(), this->self, this->layers, s, this->workers(2));
    o.initialize(objective);
    double worst = 0;
    for (int k = 0; k < 4; ++k) {
      std::vector<test::HostMatrix> before;
      for (int i = 0; i < static_cast<int>(this->layers.size()); ++i) before.push_back(test::to_host(test::ef21(o).X(i)));
      double const multiplier = 1.0 / (k + 1);
      o.step(objective, static_cast<std::uint64_t>(k), multiplier, false);
      for (std::size_t i = 0; i < before.size(); ++i) {
        auto moved = test::to_host(test::ef21(o).X(static_cast<int>(i)));
        double sum = 0;
        for (std::size_t e = 0; e < moved.a.size(); ++e) {
          sum += std::abs(moved.a[e]);
          moved.a[e] -= before[i].a[e];
        }
        double const t = radius * multiplier * norm.factor;
        double const oracle = !test::by_singular_values(norm.norm) ? 8 * eps : 300 * eps;  // lmo_test measures them
        double const error = std::abs(test::norms_of(s[i].lmo, moved).norm - t), bound = t * (oracle + 1e-14) + eps * sum;
        EXPECT_LE(error, bound) << test::describe(norm) << ", layer " << this->layers[i].name << " step " << k;
        worst = std::max(worst, error / bound);
      }
    }
    std::printf("%-24s the step's norm is off by %.2f of what rounding may do\n", test::describe(norm).c_str(), worst);
  }
}

TYPED_TEST(Invariants, MeasuredContractionIsNeverBelowTheGuarantee) {
  using T = TypeParam;
  for (auto const& spec : compressors) {
    std::vector<StepReport> reports;
    test::run_quadratic<T>(this->self, this->layers, this->all(test::settings("spectral", spec, spec)), this->workers(2), 10,
                           true, &reports);
    for (auto const& r : reports)
      for (std::size_t i = 0; i < this->layers.size(); ++i) {
        auto const c = make_compressor<T, Space>(spec, this->layers[i].rows, this->layers[i].cols);
        double const alpha = c->is_random() ? 0 : c->guaranteed_alpha();
        EXPECT_GE(r.layers[i]["alpha_up"], alpha - 1e-5) << spec << " up, layer " << this->layers[i].name;
        EXPECT_GE(r.layers[i]["alpha_down"], alpha - 1e-5) << spec << " down, layer " << this->layers[i].name;
        EXPECT_LE(r.layers[i]["alpha_up"], 1);
        if (spec == "identity") {
          EXPECT_EQ(r.layers[i]["gap"], 0) << "W = X";
        }
      }
  }
}

TYPED_TEST(Invariants, ErrorFeedbackReachesTheMinimumThroughEveryCompressor) {
  using T = TypeParam;
  // min Σ_j ½‖X − T_j‖²: X* = mean T_j. A linearly decaying radius must bring W there, whatever is sent.
  int const steps = 200;
  for (auto const& spec : compressors) {
    test::Quadratic<T> objective(this->layers, 3, 77);
    Engine<T> o(Space(), this->self, this->layers, this->all(test::settings("frobenius", spec, spec, 0.5)), this->workers(3));
    o.initialize(objective);
    double first = 0, last = 0;
    for (int k = 0; k < steps; ++k) {
      auto const r = o.step(objective, static_cast<std::uint64_t>(k), 1.0 - double(k) / steps, false);
      if (k == 0) first = r.loss;
      last = r.loss;
    }
    double floor = 0;  // f* = (1/n) Σ_j ½‖mean T − T_j‖²
    for (std::size_t i = 0; i < this->layers.size(); ++i)
      for (int e = 0; e < this->layers[i].rows * this->layers[i].cols; ++e) {
        double t[3], mean = 0;
        for (std::uint32_t j = 0; j < 3; ++j) {
          t[j] = random_normal({77, Purpose::test, 1, static_cast<std::uint32_t>(i), j}, static_cast<std::uint64_t>(e));
          mean += t[j] / 3;
        }
        for (double v : t) floor += 0.5 * (v - mean) * (v - mean) / 3;
      }
    double const left = (last - floor) / (first - floor);
    double const bound = spec == "bits:1" ? 0.2 : 1e-2;  // one bit both ways on layers of one block each is the slowest by far
    std::printf("%-18s leaves %.1e of the initial gap f − f*, bound %.0e\n", spec.c_str(), left, bound);
    EXPECT_LE(left, bound) << spec;
    EXPECT_GE(left, -1e-5) << spec;
  }
}

TYPED_TEST(Invariants, AdaptiveRadiusIsTheDualNorm) {
  using T = TypeParam;
  auto settings = this->workers(1);
  settings.adaptive = true;
  test::Quadratic<T> objective(this->layers, 1, 77);
  double const gamma = 0.01;
  Engine<T> o(Space(), this->self, this->layers, this->all(test::settings("max-abs", "identity", "identity", gamma)), settings);
  o.initialize(objective);
  auto const before = test::to_host(test::ef21(o).X(2));
  o.step(objective, 0, 1.0, false);
  auto const after = test::to_host(test::ef21(o).X(2)), g = test::to_host(test::ef21(o).M(2, 0));  // G, with one worker
  double dual = 0;
  for (double v : g.a) dual += std::abs(v);
  double const moved = std::abs(after.a[5] - before.a[5]);
  EXPECT_NEAR(moved, gamma * dual, 1e-5 * gamma * dual);
}

TYPED_TEST(Invariants, ConstrainedFormStaysInTheBall) {
  using T = TypeParam;
  auto s = test::settings("max-abs", "bits:4", "identity", 0.1);
  s.decay = 1;
  s.lmo.factor = 2.5;
  test::Quadratic<T> objective(this->layers, 2, 77);
  Engine<T> o(Space(), this->self, this->layers, this->all(s), this->workers(2));
  o.initialize(objective);
  double bound = 0;
  for (int i = 0; i < 6; ++i)
    for (double v : test::to_host(test::ef21(o).X(i)).a) bound = std::max(bound, std::abs(v));
  for (int k = 0; k < 60; ++k) {
    o.step(objective, static_cast<std::uint64_t>(k), 1.0, false);
    bound = 0.9 * bound + 0.1 * 2.5;  // X ← (1−t)X + tZ with ‖Z‖ = 2.5
    for (int i = 0; i < 6; ++i)
      for (double v : test::to_host(test::ef21(o).X(i)).a) ASSERT_LE(std::abs(v), bound + 1e-5);
  }
}

TYPED_TEST(Invariants, ANaNStopsTheStepBeforeTheServerMoves) {
  using T = TypeParam;
  struct Broken final : Objective<T> {
    test::Quadratic<T> good;
    explicit Broken(std::vector<Layer> l) : good(std::move(l), 2, 77) {}
    std::vector<Layer> const& layers() const override { return good.layers(); }
    void initialize(Space const& e, typename Objective<T>::Point const& X) override { good.initialize(e, X); }
    void gradient(Space const& e, Scalar<double, Space> const& loss, typename Objective<T>::ConstPoint const& W,
                  Share const& share, typename Objective<T>::Sink const& sink) override {
      good.gradient(e, loss, W, share, sink);
      if (share.step == 1 && share.worker == 1) Kokkos::deep_copy(loss, std::numeric_limits<double>::quiet_NaN());
    }
    std::string describe() const override { return "broken"; }
  } objective(this->layers);
  Engine<T> o(Space(), this->self, this->layers, this->all(test::settings("spectral", "identity", "identity")), this->workers(2));
  o.initialize(objective);
  o.step(objective, 0, 1.0, false);
  auto const before = test::to_host(test::ef21(o).X(0)).a;
  try {
    o.step(objective, 1, 1.0, false);
    FAIL() << "a NaN loss went unnoticed";
  } catch (NumericalError const& e) {
    EXPECT_NE(std::string(e.what()).find("worker 1"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("step 1"), std::string::npos) << e.what();
  }
  EXPECT_EQ(test::to_host(test::ef21(o).X(0)).a, before);
}

}  // namespace invariants_test
}  // namespace kaon
