// Dion against plain loops in fp64, and what it promises of its state, its bytes and its keys.
#include <kaon/core/error.hpp>
#include <kaon/method/dion/dion.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace kaon {
namespace {

using test::HostMatrix;

HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}

HostMatrix product(HostMatrix const& a, HostMatrix const& b) {
  HostMatrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int k = 0; k < a.cols; ++k)
      for (int j = 0; j < b.cols; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}

void add(HostMatrix& to, double by, HostMatrix const& from) {
  for (std::size_t e = 0; e < to.a.size(); ++e) to.a[e] += by * from.a[e];
}

double norm(HostMatrix const& a) {
  double sum = 0;
  for (double const x : a.a) sum += x * x;
  return std::sqrt(sum);
}

double distance(HostMatrix const& a, HostMatrix const& b) {
  double most = 0;
  for (std::size_t e = 0; e < a.a.size(); ++e) most = std::max(most, std::abs(a.a[e] - b.a[e]));
  return most;
}

// Columns one after the other, each made orthogonal to those before it twice; R of the QR has a positive diagonal. A column of
// which nothing is left becomes 0.
HostMatrix orthonormal(HostMatrix y) {
  for (int j = 0; j < y.cols; ++j) {
    auto const length = [&] {
      double sum = 0;
      for (int i = 0; i < y.rows; ++i) sum += y(i, j) * y(i, j);
      return std::sqrt(sum);
    };
    double const whole = length();
    for (int pass = 0; pass < 2; ++pass)
      for (int k = 0; k < j; ++k) {
        double inner = 0;
        for (int i = 0; i < y.rows; ++i) inner += y(i, k) * y(i, j);
        for (int i = 0; i < y.rows; ++i) y(i, j) -= inner * y(i, k);
      }
    double const left = length();
    for (int i = 0; i < y.rows; ++i) y(i, j) = left > 1e-9 * whole ? y(i, j) / left : 0;
  }
  return y;
}

void unit_columns_of(HostMatrix& q, HostMatrix const& r) {
  for (int j = 0; j < r.cols; ++j) {
    double sum = 0;
    for (int i = 0; i < r.rows; ++i) sum += r(i, j) * r(i, j);
    for (int i = 0; i < r.rows && sum > 0; ++i) q(i, j) = r(i, j) / std::sqrt(sum);
  }
}

// The algorithm of one layer with its momenta M_j, on one computer.
struct Reference {
  HostMatrix X, Q;
  std::vector<HostMatrix> M;
  double mu;

  void step(std::vector<HostMatrix> const& gradients, double t, double decay) {
    double const n = static_cast<double>(M.size());
    HostMatrix Y(X.rows, Q.cols), R(X.cols, Q.cols);
    for (std::size_t j = 0; j < M.size(); ++j) {
      add(M[j], 1, gradients[j]);
      add(Y, 1 / n, product(M[j], Q));
    }
    auto const P = orthonormal(Y);
    for (auto const& m : M) add(R, 1 / n, product(transposed(m), P));
    for (auto& m : M) add(m, mu - 1, product(P, transposed(R)));
    unit_columns_of(Q, R);
    for (auto& x : X.a) x *= 1 - t * decay;
    add(X, -t * std::sqrt(static_cast<double>(X.rows) / X.cols), product(P, transposed(Q)));
  }
};

template <class T>
struct DionTest : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  std::vector<Layer> const layers = test::odd_layers();
  static constexpr std::uint64_t seed = 77;

  static LayerSettings settings(double rate = 0.05, std::string const& rank = "", double decay = 0) {
    auto s = test::settings("frobenius", "identity", "identity", rate);
    s.method = "dion";
    s.decay = decay;
    if (!rank.empty()) s.own["dion_rank"] = rank;
    return s;
  }
  static OptimizerSettings workers(int n) {
    OptimizerSettings o;
    o.workers = n;
    return o;
  }
  std::vector<LayerSettings> all(LayerSettings const& s) const { return std::vector<LayerSettings>(layers.size(), s); }
  std::unique_ptr<Engine<T>> run(LayerSettings const& s, OptimizerSettings const& o, int steps, int micros = 1,
                                 std::vector<StepReport>* reports = nullptr) {
    return test::run_quadratic<T>(self, layers, all(s), o, steps, reports != nullptr, reports, micros);
  }
  static Dion<T> const& dion(Engine<T> const& engine) { return dynamic_cast<Dion<T> const&>(engine.method(0)); }
  static HostMatrix momentum(Engine<T> const& engine, int layer, int worker) {
    auto const& d = dion(engine);
    return test::to_host(d.constants(layer).dense ? d.state().M(layer) : d.state().M(layer, worker));
  }
  // As Quadratic has it.
  static HostMatrix target(Layer const& l, std::size_t layer, std::size_t worker) {
    HostMatrix t(l.rows, l.cols);
    StreamKey const key{seed, Purpose::test, 1, static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(worker)};
    for (std::size_t e = 0; e < t.a.size(); ++e) t.a[e] = static_cast<double>(static_cast<T>(random_normal(key, e)));
    return t;
  }
  static constexpr bool single = sizeof(T) == 4;
};

using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DionTest, Scalars);

TYPED_TEST(DionTest, IsTheAlgorithm) {
  using T = TypeParam;
  int const steps = 12;
  double const rate = 0.03, decay = 0.3, mu = 0.9;
  for (int const n : {1, 3})
    for (std::string const rank : {"0.25", "0.1", "1"}) {
      auto s = this->settings(rate, rank, decay);
      s.own["dion_momentum"] = "0.9";
      test::Quadratic<T> objective(this->layers, n, this->seed);
      Engine<T> kaon(Space(), this->self, this->layers, this->all(s), this->workers(n));
      kaon.initialize(objective);
      auto const& state = this->dion(kaon).state();
      std::vector<Reference> references;
      for (std::size_t i = 0; i < this->layers.size(); ++i) {
        auto const& l = this->layers[i];
        bool const dense = this->dion(kaon).constants(static_cast<int>(i)).dense;
        HostMatrix Q(l.cols, this->dion(kaon).constants(static_cast<int>(i)).rank);
        StreamKey const key{1, Purpose::first_factor, 0, static_cast<std::uint32_t>(i), 0};
        for (std::size_t e = 0; e < Q.a.size(); ++e) Q.a[e] = static_cast<double>(static_cast<T>(random_normal(key, e)));
        unit_columns_of(Q, HostMatrix(Q));
        EXPECT_LE(distance(Q, test::to_host(state.Q(static_cast<int>(i)))), this->single ? 1e-7 : 1e-15);
        references.push_back({test::to_host(kaon.W()[i]), test::to_host(state.Q(static_cast<int>(i))),
                              std::vector<HostMatrix>(dense ? 1u : static_cast<std::size_t>(n), HostMatrix(l.rows, l.cols)), mu});
      }
      for (int k = 0; k < steps; ++k) {
        double const multiplier = 1 - 0.05 * k;
        kaon.step(objective, static_cast<std::uint64_t>(k), multiplier, false);
        for (std::size_t i = 0; i < references.size(); ++i) {
          auto& r = references[i];
          std::vector<HostMatrix> gradients(r.M.size(), HostMatrix(r.X.rows, r.X.cols));
          for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j) {
            auto& g = gradients[r.M.size() == 1 ? 0 : j];
            double const part = r.M.size() == 1 ? 1.0 / n : 1.0;
            add(g, part, r.X);
            add(g, -part, this->target(this->layers[i], i, j));
          }
          r.step(gradients, rate * multiplier, decay);
        }
      }
      double far_w = 0, far_m = 0, far_q = 0;
      for (std::size_t i = 0; i < references.size(); ++i) {
        auto const& r = references[i];
        int const layer = static_cast<int>(i);
        far_w = std::max(far_w, distance(r.X, test::to_host(kaon.W()[i])));
        far_q = std::max(far_q, distance(r.Q, test::to_host(state.Q(layer))));
        for (std::size_t j = 0; j < r.M.size(); ++j)
          far_m = std::max(far_m, distance(r.M[j], this->momentum(kaon, layer, static_cast<int>(j))));
      }
      double const tolerance = this->single ? 2e-4 : 4e-13;
      std::printf(
          "dion of rank %s, %d workers, and its fp64 reference after %d steps: W %.2e, M_j %.2e, Q %.2e apart, tolerance "
          "%.0e\n",
          rank.c_str(), n, steps, far_w, far_m, far_q, tolerance);
      EXPECT_LE(std::max({far_w, far_m, far_q}), tolerance);
    }
}

// A worker with three micro-batches has the mean gradient of three workers with one.
TYPED_TEST(DionTest, TheMeanOfTheMomentaIsTheOneOfAnUndistributedRun) {
  auto const many = this->run(this->settings(), this->workers(3), 9), one = this->run(this->settings(), this->workers(1), 9, 3);
  double far = 0, apart = 0, far_w = 0;
  for (int i = 0; i < static_cast<int>(this->layers.size()); ++i) {
    auto const M = this->momentum(*one, i, 0);
    far_w = std::max(far_w, distance(test::to_host(many->W()[static_cast<std::size_t>(i)]),
                                     test::to_host(one->W()[static_cast<std::size_t>(i)])));
    if (this->dion(*many).constants(i).dense) continue;
    HostMatrix mean(M.rows, M.cols);
    for (int j = 0; j < 3; ++j) add(mean, 1.0 / 3, this->momentum(*many, i, j));
    far = std::max(far, distance(mean, M) / norm(M));
    apart = std::max(apart, distance(this->momentum(*many, i, 0), M) / norm(M));
  }
  double const tolerance = this->single ? 1e-5 : 1e-14;
  std::printf("mean of M_j and M of an undistributed run: %.2e of its norm apart, W %.2e; tolerance %.0e. A single M_j: %.2e\n",
              far, far_w, tolerance, apart);
  EXPECT_LE(far, tolerance);
  EXPECT_LE(far_w, 10 * tolerance);
  EXPECT_GT(apart, 1e-2) << "the workers are all alike, so their mean says nothing";
}

/// Steps by push with gradients of the test's own: layer i of worker j is sign(j)·G_i, or nothing.
template <class T>
void give_steps(Engine<T>& engine, std::vector<Layer> const& layers, int steps, std::function<double(int worker)> const& sign) {
  std::vector<Matrix<T, Space>> G;
  for (auto const& l : layers) G.emplace_back("kaon::test::gradient", l.rows, l.cols);
  for (int k = 0; k < steps; ++k) {
    engine.begin_step(static_cast<std::uint64_t>(k));
    for (auto const& share : engine.shares()) {
      for (int i = static_cast<int>(layers.size()) - 1; i >= 0; --i) {
        auto const& g = G[static_cast<std::size_t>(i)];
        test::Quadratic<T>::fill_random(g, {5, Purpose::test, static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i), 0});
        auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, g);
        for (std::size_t e = 0; e < host.size(); ++e) host.data()[e] *= static_cast<T>(sign(share.worker));
        Kokkos::deep_copy(g, host);
        engine.give(Space(), share, i, g);
      }
      engine.give_loss(share, 1);
    }
    engine.end_step(1);
  }
}

TYPED_TEST(DionTest, NothingMovesWhereTheMeanIsNothing) {
  using T = TypeParam;
  double const decay = 0.5, rate = 0.25;
  for (bool const opposite : {false, true})
    for (bool const decays : {false, true}) {
      Engine<T> engine(Space(), this->self, this->layers, this->all(this->settings(rate, "", decays ? decay : 0)),
                       this->workers(2));
      engine.initialize([&](Space const&, auto const& X) {
        for (std::size_t i = 0; i < X.size(); ++i)
          test::Quadratic<T>::fill_random(X[i], {3, Purpose::test, 0, static_cast<std::uint32_t>(i), 0});
      });
      std::vector<HostMatrix> W, Q;
      for (std::size_t i = 0; i < this->layers.size(); ++i) {
        W.push_back(test::to_host(engine.W()[i]));
        Q.push_back(test::to_host(this->dion(engine).state().Q(static_cast<int>(i))));
      }
      give_steps<T>(engine, this->layers, 3, [&](int worker) { return opposite ? (worker == 0 ? 1.0 : -1.0) : 0.0; });
      for (std::size_t i = 0; i < W.size(); ++i) {
        int const layer = static_cast<int>(i);
        for (auto& x : W[i].a)
          for (int k = 0; k < 3 && decays; ++k) x = static_cast<double>(static_cast<T>(1 - rate * decay) * static_cast<T>(x));
        EXPECT_EQ(test::to_host(engine.W()[i]).a, W[i].a) << this->layers[i].name << ": W moved";
        EXPECT_EQ(test::to_host(this->dion(engine).state().Q(layer)).a, Q[i].a) << this->layers[i].name << ": Q moved";
        if (!this->dion(engine).constants(layer).dense) {
          EXPECT_EQ(norm(this->momentum(engine, layer, 0)) > 0, opposite) << "each worker keeps what it has";
        }
      }
    }
}

TYPED_TEST(DionTest, AStartMeansNothingToIt) {
  auto dense = this->workers(2), zero = dense;
  dense.start = Start::dense;
  zero.start = Start::zero;
  zero.nesterov = true;
  auto const a = this->run(this->settings(), dense, 4), b = this->run(this->settings(), zero, 4);
  EXPECT_EQ(test::bytes_of(*a), test::bytes_of(*b));
  EXPECT_EQ(a->exchange().bytes(), b->exchange().bytes());
}

// Factors of both rounds up and down, n times; gradients and W where factors would be no shorter.
TYPED_TEST(DionTest, BytesAreTheFormula) {
  using T = TypeParam;
  std::uint64_t const steps = 5, n = 3;
  for (std::string const rank : {"0.25", "0.6"}) {
    auto const run = this->run(this->settings(0.05, rank), this->workers(static_cast<int>(n)), static_cast<int>(steps));
    std::set<bool> kinds;
    for (int i = 0; i < static_cast<int>(this->layers.size()); ++i) {
      auto const& l = this->layers[static_cast<std::size_t>(i)];
      std::uint64_t const rows = static_cast<std::uint64_t>(l.rows), cols = static_cast<std::uint64_t>(l.cols);
      auto const r = static_cast<std::uint64_t>(std::ceil(std::stod(rank) * std::min(l.rows, l.cols)));
      auto const packet = [](std::uint64_t entries) { return 48 + (entries * sizeof(T) + 7) / 8 * 8; };
      bool const dense = r * (rows + cols) >= rows * cols;
      kinds.insert(dense);
      std::uint64_t const round = dense ? packet(rows * cols) : packet(rows * r) + packet(cols * r);
      EXPECT_EQ(run->exchange().bytes(i).up, steps * n * round) << l.name;
      EXPECT_EQ(run->exchange().bytes(i).down, steps * n * round) << l.name;
    }
    EXPECT_EQ(kinds.size(), 2u) << "layers of both kinds";
  }
}

TYPED_TEST(DionTest, StateIsWhatTheMethodNeeds) {
  Registry registry;
  auto const run = this->run(this->settings(), this->workers(2), 1);
  run->register_state(registry);
  std::map<std::string, Resize> found;
  for (auto const& f : registry) found[f.path] = f.resize;
  std::map<std::string, Resize> expected;
  for (auto const& l : this->layers) {
    bool const dense = l.rows == 1 || l.cols == 1;
    expected["/model/W/" + l.name] = expected["/dion/server/Q/" + l.name] = Resize::kept;
    expected[(dense ? "/dion/server/M/" : "/dion/workers/M/") + l.name] = dense ? Resize::kept : Resize::weighted;
  }
  EXPECT_EQ(found, expected);
  EXPECT_LE(run->check_invariants(this->single ? 1e-6 : 1e-14), this->single ? 1e-6 : 1e-14);
  EXPECT_EQ(run->invariants(), "columns of Q have norm 1");
}

TYPED_TEST(DionTest, AStateThatCannotBeIsRefused) {
  using T = TypeParam;
  auto const refusal = [&](std::string const& path, T value) -> std::string {
    auto const run = this->run(this->settings(), this->workers(1), 1);
    Registry registry;
    run->register_state(registry);
    for (auto const& f : registry) {
      if (f.path != path) continue;
      std::vector<T> values(f.written.elements());
      f.get(values.data());
      values[1] = value;
      f.set(values.data());
    }
    try {
      run->check_invariants(1e-4);
    } catch (InputError const& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(
      refusal("/dion/server/Q/tall", T(2)).find("the state is not consistent: layer tall: a column of Q has not the norm 1, "),
      0u);
  EXPECT_EQ(refusal("/dion/workers/M/wide", std::numeric_limits<T>::infinity()),
            "the state is not consistent: layer wide: M_j has a NaN or an infinity");
  EXPECT_EQ(refusal("/dion/server/M/row", std::numeric_limits<T>::quiet_NaN()),
            "the state is not consistent: layer row: M has a NaN or an infinity");
}

// ‖R‖ of all that the momentum holds is ‖M‖ where the step has its full rank.
TYPED_TEST(DionTest, FiguresSayWhatAStepHolds) {
  for (int const n : {1, 3}) {
    std::vector<StepReport> reports;
    auto const run = this->run(this->settings(), this->workers(n), 4, 1, &reports);
    EXPECT_EQ(run->columns(), (std::vector<std::string>{"gradient_norm", "held"}));
    for (auto const& report : reports)
      for (std::size_t i = 0; i < this->layers.size(); ++i) {
        double const held = report.layers[i]["held"];
        EXPECT_GT(report.layers[i]["gradient_norm"], 0);
        if (this->layers[i].rows == 1 || this->layers[i].cols == 1) {
          EXPECT_NEAR(held, 1, 1e-5) << this->layers[i].name;  // of rank 1
        } else {
          EXPECT_GT(held, 0.1) << this->layers[i].name;
          EXPECT_LT(held, 0.99) << this->layers[i].name;
        }
      }
  }
}

TEST(DionConstants, TheRankIsRoundedUpAndNotByRounding) {
  auto const rank = [](int rows, int cols, std::string const& fraction) {
    LayerSettings s;
    s.method = "dion";
    s.own["dion_rank"] = fraction;
    return dion::constants_of({"x", rows, cols}, s).rank;
  };
  EXPECT_EQ(rank(16, 16, "0.25"), 4);
  EXPECT_EQ(rank(24, 10, "0.25"), 3);
  EXPECT_EQ(rank(100, 200, "0.07"), 7) << "0.07 x 100 is 7.000000000000001";
  EXPECT_EQ(rank(300, 100, "0.29"), 29);
  EXPECT_EQ(rank(5, 9, "1"), 5);
  EXPECT_EQ(rank(5, 9, "1e-9"), 1);
  EXPECT_EQ(rank(1, 1, "0.5"), 1);
}

TYPED_TEST(DionTest, WhatItDoesNotKnowIsRefusedByLayer) {
  auto const refusal = [&](std::string const& key, std::string const& value) -> std::string {
    auto s = this->settings();
    s.own[key] = value;
    try {
      this->run(s, this->workers(1), 1);
    } catch (UsageError const& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("dion_rank", "0"), "layer tall: dion_rank is 0, and must be a number > 0 and <= 1");
  EXPECT_EQ(refusal("dion_rank", "1.5"), "layer tall: dion_rank is 1.5, and must be a number > 0 and <= 1");
  EXPECT_EQ(refusal("dion_momentum", "1"), "layer tall: dion_momentum is 1, and must be a number >= 0 and < 1");
  EXPECT_EQ(refusal("feedback", "ef21"), "layer tall: the method dion has no key feedback");
}

}  // namespace
}  // namespace kaon
