// The dense methods beside ef21-muon: what they are equal to, and what they refuse.
#include <kaon/core/error.hpp>
#include <kaon/method/registry.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace kaon {
namespace {

OptimizerSettings workers(int n) {
  OptimizerSettings o;
  o.workers = n;
  return o;
}

template <class T>
struct Dense : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  std::vector<Layer> const layers = test::odd_layers();
  std::vector<LayerSettings> all(LayerSettings s, std::string const& method) const {
    s.method = method;
    return std::vector<LayerSettings>(layers.size(), s);
  }
  std::unique_ptr<Engine<T>> run(std::string const& method, OptimizerSettings const& o, LayerSettings const& s, int micros = 1) {
    return test::run_quadratic<T>(self, layers, all(s, method), o, 9, false, nullptr, micros);
  }
  double farthest(Engine<T> const& a, Engine<T> const& b) const {
    double most = 0;
    auto const x = a.W(), y = b.W();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const p = test::to_host(x[i]).a, q = test::to_host(y[i]).a;
      for (std::size_t e = 0; e < p.size(); ++e) most = std::max(most, std::abs(p[e] - q[e]));
    }
    return most;
  }
};

using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Dense, Scalars);

TYPED_TEST(Dense, MuonWithOneWorkerHasTheBitsOfEf21MuonWithIdentity) {
  for (bool const nesterov : {false, true})
    for (auto const start : {Start::dense, Start::zero})
      for (int const micros : {1, 3}) {
        auto o = workers(1);
        o.nesterov = nesterov;
        o.start = start;
        o.adaptive = micros == 3;
        auto s = test::settings("spectral", "identity", "identity", o.adaptive ? 1e-4 : 0.05);
        s.decay = 0.4;
        EXPECT_EQ(this->farthest(*this->run("muon", o, s, micros), *this->run("ef21-muon", o, s, micros)), 0)
            << "nesterov " << nesterov << ", " << (start == Start::dense ? "dense" : "zero") << " start, " << micros
            << " micro-batches";
      }
}

TYPED_TEST(Dense, MuonWithSeveralWorkersIsEf21MuonWithIdentityToRounding) {
  using T = TypeParam;
  auto o = workers(3);
  auto const s = test::settings("frobenius", "identity", "identity");
  double const far = this->farthest(*this->run("muon", o, s), *this->run("ef21-muon", o, s));
  double const tolerance = std::is_same_v<T, float> ? 1e-6 : 2e-15;
  std::printf("muon and ef21-muon with identity, 3 workers: %.2e apart, tolerance %.2e\n", far, tolerance);
  EXPECT_LE(far, tolerance);
  EXPECT_GT(far, 0) << "the mean of momenta and the momentum of means round differently";
}

// Algorithm 2 of arXiv 1711.05101, written down in fp64.
TYPED_TEST(Dense, AdamWIsTheAlgorithm) {
  using T = TypeParam;
  int const n = 3, steps = 12;
  double const beta1 = 0.8, beta2 = 0.97, epsilon = 1e-6, rate = 0.02, decay = 0.3;
  auto s = test::settings("frobenius", "identity", "identity", rate);
  s.decay = decay;
  s.own = {{"adam_beta1", "0.8"}, {"adam_beta2", "0.97"}, {"adam_epsilon", "1e-6"}};
  test::Quadratic<T> objective(this->layers, n, 77);
  Engine<T> kaon(Space(), this->self, this->layers, this->all(s, "adamw"), workers(n));
  kaon.initialize(objective);
  std::vector<std::vector<double>> x, m, v;
  for (std::size_t i = 0; i < this->layers.size(); ++i) {
    x.push_back(test::to_host(kaon.W()[i]).a);
    m.emplace_back(x[i].size(), 0.0);
    v.emplace_back(x[i].size(), 0.0);
  }
  for (int k = 0; k < steps; ++k) {
    double const multiplier = 1 - 0.05 * k;
    kaon.step(objective, static_cast<std::uint64_t>(k), multiplier, false);
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<std::vector<double>> target;
      for (int j = 0; j < n; ++j) {
        StreamKey const key{77, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)};
        target.emplace_back();
        for (std::size_t e = 0; e < x[i].size(); ++e) target.back().push_back(static_cast<T>(random_normal(key, e)));
      }
      for (std::size_t e = 0; e < x[i].size(); ++e) {
        double g = 0;
        for (int j = 0; j < n; ++j) g += (x[i][e] - target[static_cast<std::size_t>(j)][e]) / n;
        m[i][e] = beta1 * m[i][e] + (1 - beta1) * g;
        v[i][e] = beta2 * v[i][e] + (1 - beta2) * g * g;
        double const mean = m[i][e] / (1 - std::pow(beta1, k + 1)), square = v[i][e] / (1 - std::pow(beta2, k + 1));
        x[i][e] = (1 - rate * multiplier * decay) * x[i][e] - rate * multiplier * mean / (std::sqrt(square) + epsilon);
      }
    }
  }
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto const w = test::to_host(kaon.W()[i]).a;
    for (std::size_t e = 0; e < w.size(); ++e) worst = std::max(worst, std::abs(w[e] - x[i][e]));
  }
  double const tolerance = std::is_same_v<T, float> ? 4e-6 : 4e-15;
  std::printf("adamw and its fp64 reference: %.2e apart, tolerance %.2e\n", worst, tolerance);
  EXPECT_LE(worst, tolerance);
}

// Bytes by the closed formula: every worker's dense gradient up, W to every worker down.
TYPED_TEST(Dense, BytesAreTheFormula) {
  using T = TypeParam;
  for (auto const* method : {"muon", "adamw"}) {
    auto const run = this->run(method, workers(3), test::settings("frobenius", "identity", "identity"), 2);
    for (int i = 0; i < static_cast<int>(this->layers.size()); ++i) {
      auto const& l = this->layers[static_cast<std::size_t>(i)];
      std::uint64_t const entries = static_cast<std::uint64_t>(l.rows) * static_cast<std::uint64_t>(l.cols);
      std::uint64_t const packet = packet_header_bytes + (entries * sizeof(T) + 7) / 8 * 8;
      EXPECT_EQ(run->exchange().bytes(i).up, 9 * 3 * packet) << method << ", " << l.name;
      EXPECT_EQ(run->exchange().bytes(i).down, 9 * 3 * packet) << method << ", " << l.name;
    }
  }
}

TYPED_TEST(Dense, StateIsWhatTheMethodNeeds) {
  auto const paths = [&](std::string const& method) {
    Registry registry;
    auto const run = this->run(method, workers(2), test::settings("frobenius", "bits:4", "bits:2"));
    run->register_state(registry);
    std::set<std::string> found;
    for (auto const& f : registry) found.insert(f.path.substr(0, f.path.rfind('/')));
    return found;
  };
  EXPECT_EQ(paths("muon"), (std::set<std::string>{"/model/W", "/muon/M"}));
  EXPECT_EQ(paths("adamw"), (std::set<std::string>{"/model/W", "/adamw/m", "/adamw/v"}));
}

TYPED_TEST(Dense, WhatAMethodDoesNotKnowIsRefusedByLayer) {
  auto const refusal = [&](std::string const& method, std::map<std::string, std::string> const& own) -> std::string {
    auto s = test::settings("frobenius", "identity", "identity");
    s.own = own;
    try {
      this->run(method, workers(1), s);
    } catch (UsageError const& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("sgd", {}), "layer tall: there is no method 'sgd'; there are ef21-muon, adamw, muon, dion");
  EXPECT_EQ(refusal("muon", {{"adam_beta1", "0.9"}}), "layer tall: the method muon has no key adam_beta1");
  EXPECT_EQ(refusal("adamw", {{"adam_beta2", "1"}}), "layer tall: adam_beta2 is 1, and must be a number >= 0 and < 1");
  EXPECT_EQ(refusal("adamw", {{"adam_epsilon", "small"}}),
            "layer tall: adam_epsilon is small, and must be a number > 0 and <= 1");
}

// What the uplink does with what its compressor drops.
struct FeedbackTest : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  std::vector<Layer> const layers{{"a", 12, 7}, {"b", 5, 9}};
  static LayerSettings settings(std::string const& feedback, std::string const& up, double radius, double decay = 1) {
    auto s = test::settings("frobenius", up, "identity", radius);
    s.own["feedback"] = feedback;
    if (decay != 1) s.own["feedback_decay"] = std::to_string(decay);
    return s;
  }
  std::unique_ptr<Engine<double>> run(LayerSettings const& s, int n, int steps, bool nesterov = false,
                                      bool adaptive = false) const {
    auto o = workers(n);
    o.start = Start::zero;
    o.nesterov = nesterov;
    o.adaptive = adaptive;
    return test::run_quadratic<double>(self, layers, {s, s}, o, steps);
  }
};

TEST_F(FeedbackTest, WithIdentityAllAreOne) {
  for (bool const nesterov : {false, true}) {
    auto const whole = run(settings("ef21", "identity", 0.05), 3, 7, nesterov);
    for (auto const* kind : {"ef14", "none"}) {
      auto const other = run(settings(kind, "identity", 0.05), 3, 7, nesterov);
      for (std::size_t i = 0; i < layers.size(); ++i)
        EXPECT_EQ(test::to_host(other->W()[i]).a, test::to_host(whole->W()[i]).a) << kind;
    }
  }
}

// The same loop with plain arrays, and the compressor and the oracle by themselves.
TEST_F(FeedbackTest, StepsAreTheFormula) {
  int const n = 3, steps = 8;
  double const radius = 0.05, lambda = 0.75;
  Space const exec;
  for (std::string const kind : {"ef21", "ef14", "none"}) {
    auto const s = settings(kind, "top:0.3", radius, kind == "ef14" ? lambda : 1);
    auto const kaon = run(s, n, steps);
    test::Quadratic<double> objective(layers, n, 77);
    std::vector<Matrix<double, Space>> start;
    for (auto const& l : layers) start.emplace_back("kaon::test::X", l.rows, l.cols);
    objective.initialize(exec, start);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto x = test::to_host(start[i]).a;
      std::size_t const size = x.size();
      auto const codec = make_compressor<double, Space>("top:0.3", layers[i].rows, layers[i].cols);
      auto const lmo = make_lmo<double, Space>(s.lmo, layers[i].rows, layers[i].cols);
      Bytes<Space> const payload("kaon::test::payload", codec->bytes_bound());
      Scalar<std::uint64_t, Space> const length("kaon::test::length");
      Matrix<double, Space> const in("kaon::test::in", layers[i].rows, layers[i].cols),
          out("kaon::test::out", in.extent(0), in.extent(1));
      auto const put = [&](std::vector<double> const& v) { std::copy(v.begin(), v.end(), in.data()); };
      auto const compressed = [&](std::vector<double> const& v) {
        put(v);
        Kokkos::deep_copy(out, 0.0);
        codec->compress(exec, payload, length, in, Matrix<double, Space>(), {});
        exec.fence();
        codec->decompress_add(exec, out, payload, length());
        exec.fence();
        return test::to_host(out).a;
      };
      std::vector<std::vector<double>> m(n, std::vector<double>(size)), memory = m;
      std::vector<double> G(size, 0.0);
      for (int k = 0; k < steps; ++k) {
        std::vector<double> sum(size, 0.0);
        for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j) {
          StreamKey const key{77, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)};
          std::vector<double> send(size);
          for (std::size_t e = 0; e < size; ++e) {
            m[j][e] = (1 - s.beta) * m[j][e] + s.beta * (x[e] - random_normal(key, e));
            send[e] = kind == "ef21" ? m[j][e] - memory[j][e] : kind == "ef14" ? lambda * memory[j][e] + m[j][e] : m[j][e];
          }
          auto const R = compressed(send);
          for (std::size_t e = 0; e < size; ++e) {
            if (kind == "ef21") memory[j][e] += R[e];
            if (kind == "ef14") memory[j][e] = send[e] - R[e];
            sum[e] += R[e];
          }
        }
        for (std::size_t e = 0; e < size; ++e) G[e] = (kind == "ef21" ? G[e] : 0) + sum[e] / n;
        put(G);
        lmo->apply(exec, out, in);
        exec.fence();
        auto const z = test::to_host(out).a;
        for (std::size_t e = 0; e < size; ++e) x[e] += radius * z[e];
      }
      auto const w = test::to_host(kaon->W()[i]).a;
      double worst = 0;
      for (std::size_t e = 0; e < size; ++e) worst = std::max(worst, std::abs(w[e] - x[e]));
      std::printf("feedback %s, layer %s: %.2e from the loop with plain arrays, tolerance 1e-14\n", kind.c_str(),
                  layers[i].name.c_str(), worst);
      EXPECT_LE(worst, 1e-14) << kind;
    }
  }
}

// Workers pull in different directions: what each drops for ever is not what the mean drops.
TEST_F(FeedbackTest, WithoutItTheMinimumIsMissed) {
  auto const distance = [&](std::string const& kind) {
    auto const o = run(settings(kind, "top:0.1", 0.02), 4, 2000, false, true);  // steps of 0.02 G
    double square = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const w = test::to_host(o->W()[i]).a;
      for (std::size_t e = 0; e < w.size(); ++e) {
        double mean = 0;
        for (std::uint32_t j = 0; j < 4; ++j)
          mean += random_normal({77, Purpose::test, 1, static_cast<std::uint32_t>(i), j}, e) / 4;
        square += (w[e] - mean) * (w[e] - mean);
      }
    }
    return std::sqrt(square);
  };
  double const ef21 = distance("ef21"), ef14 = distance("ef14"), none = distance("none");
  std::printf("distance to the minimum after 2000 steps: ef21 %.2e, ef14 %.2e, none %.2e\n", ef21, ef14, none);
  EXPECT_LT(ef21, 1e-12);
  EXPECT_LT(ef14, 0.1 * none);
  EXPECT_GT(ef14, 1e-3) << "error memory goes round the minimum";
}

}  // namespace
}  // namespace kaon
