// Gradients are clipped by their norm over all layers: each worker's own, whatever its layers' methods are.
#include <kaon/core/error.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kaon {
namespace {

using Methods = std::vector<std::string>;

OptimizerSettings workers(int n, double clip) {
  OptimizerSettings o;
  o.workers = n;
  o.clip = clip;
  return o;
}

template <class T>
struct Clipping : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  std::vector<Layer> const layers = test::odd_layers();

  /// The methods of the layers in turn.
  std::vector<LayerSettings> of(Methods const& methods, LayerSettings const& s) const {
    std::vector<LayerSettings> all(layers.size(), s);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].method = methods[i % methods.size()];
    return all;
  }
  std::unique_ptr<Engine<T>> run(Methods const& methods, OptimizerSettings const& o, int micros = 1,
                                 std::string const& coding = "bits:4") const {
    return test::run_quadratic<T>(self, layers, of(methods, test::settings("spectral", coding, coding)), o, 5, false, nullptr,
                                  micros);
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Clipping, Scalars);

// Plain gradient descent, which keeps a gradient's length: with norm frobenius and an adaptive radius a step is -radius G, and
// with beta 1 and identities G is the mean of what the workers gave.
TYPED_TEST(Clipping, IsTheFormulaInFp64) {
  using T = TypeParam;
  int const steps = 14;
  double const radius = 0.2, clip = 27;
  for (auto const& methods : {Methods{"ef21-muon"}, {"muon"}, {"muon", "ef21-muon"}})
    for (int const n : {1, 3})
      for (int const m : {1, 2, 3}) {
        auto s = test::settings("frobenius", "identity", "identity", radius);
        s.beta = 1;
        auto o = workers(n, clip);
        o.adaptive = true;
        test::Quadratic<T> objective(this->layers, n, 77, m);
        Engine<T> kaon(Space(), this->self, this->layers, this->of(methods, s), o, m);
        kaon.initialize(objective);
        std::vector<std::vector<double>> x;
        std::vector<std::vector<std::vector<double>>> mean(static_cast<std::size_t>(n));  // worker, layer: of its targets
        for (std::size_t i = 0; i < this->layers.size(); ++i) {
          x.push_back(test::to_host(kaon.W()[i]).a);
          for (int j = 0; j < n; ++j) {
            auto& of_worker = mean[static_cast<std::size_t>(j)];
            of_worker.emplace_back(x[i].size(), 0.0);
            for (int b = 0; b < m; ++b) {
              StreamKey const key{77, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j * m + b)};
              for (std::size_t e = 0; e < x[i].size(); ++e)
                of_worker[i][e] += static_cast<double>(static_cast<T>(random_normal(key, e))) / m;
            }
          }
        }
        int scaled = 0, whole = 0;
        for (int k = 0; k < steps; ++k) {
          kaon.step(objective, static_cast<std::uint64_t>(k), 1.0, false);
          auto const before = x;
          for (auto const& of_worker : mean) {
            double square = 0;
            for (std::size_t i = 0; i < x.size(); ++i)
              for (std::size_t e = 0; e < x[i].size(); ++e) square += std::pow(before[i][e] - of_worker[i][e], 2);
            double const factor = std::min(1.0, clip / (std::sqrt(square) + 1e-6));
            ++(factor < 1 ? scaled : whole);
            for (std::size_t i = 0; i < x.size(); ++i)
              for (std::size_t e = 0; e < x[i].size(); ++e) x[i][e] -= radius * factor * (before[i][e] - of_worker[i][e]) / n;
          }
        }
        double worst = 0;
        auto const W = kaon.W();
        for (std::size_t i = 0; i < x.size(); ++i) {
          auto const w = test::to_host(W[i]).a;
          for (std::size_t e = 0; e < w.size(); ++e) worst = std::max(worst, std::abs(w[e] - x[i][e]));
        }
        double const tolerance = std::is_same_v<T, float> ? 3e-6 : 1e-14;
        std::printf("%s%s, %d workers of %d micro-batches: %d gradients scaled, %d not; %.2e from fp64, tolerance %.0e\n",
                    methods[0].c_str(), methods.size() > 1 ? " and others" : "", n, m, scaled, whole, worst, tolerance);
        EXPECT_LE(worst, tolerance);
        EXPECT_GT(scaled, 0);
        EXPECT_GT(whole, 0);
      }
}

// A factor of one changes nothing, and what is off is not there.
TYPED_TEST(Clipping, ThatNeverBitesHasTheBitsOfNone) {
  for (auto const& methods : {Methods{"ef21-muon"}, {"muon"}, {"adamw"}, {"adamw", "ef21-muon", "muon"}})
    for (int const n : {1, 2, 3, 5})
      for (int const m : {1, 2, 3, 4}) {
        if (m == 3 && methods != Methods{"ef21-muon"}) continue;  // dense sums join workers within their micro-batches then
        auto const off = this->run(methods, workers(n, 0), m), on = this->run(methods, workers(n, 1e30), m);
        EXPECT_EQ(test::bytes_of(*on), test::bytes_of(*off)) << methods[0] << ", " << n << " workers, " << m << " micro-batches";
        EXPECT_NE(test::bytes_of(*this->run(methods, workers(n, 3), m)), test::bytes_of(*off));
      }
}

TYPED_TEST(Clipping, ChangesNoAlgorithmicByte) {
  for (auto const& methods : {Methods{"ef21-muon"}, {"adamw", "ef21-muon", "muon"}})
    for (int const m : {1, 3}) {
      auto const off = this->run(methods, workers(3, 0), m), on = this->run(methods, workers(3, 2), m);
      for (int i = 0; i < static_cast<int>(this->layers.size()); ++i)
        EXPECT_EQ(on->exchange().bytes(i), off->exchange().bytes(i)) << this->layers[static_cast<std::size_t>(i)].name;
    }
}

// Nothing of it is state: the second half begins from what the first one left.
TYPED_TEST(Clipping, ARunInTwoPartsIsTheRunInOne) {
  using T = TypeParam;
  Methods const methods{"adamw", "ef21-muon", "muon"};
  auto const s = this->of(methods, test::settings("spectral", "rank:0.4", "bits:2"));
  auto const o = workers(3, 2);
  auto const straight = test::run_quadratic<T>(this->self, this->layers, s, o, 8);
  auto const first = test::run_quadratic<T>(this->self, this->layers, s, o, 5);
  test::Quadratic<T> objective(this->layers, 3, 77);
  Engine<T> second(Space(), this->self, this->layers, s, o);
  Registry from, to;
  first->register_state(from);
  second.register_state(to);
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t f = 0; f < from.size(); ++f) {
    std::vector<unsigned char> bytes(from[f].written.elements() * size_of(from[f].type));
    from[f].get(bytes.data());
    to[f].set(bytes.data());
  }
  for (std::uint64_t k = 5; k < 8; ++k) second.step(objective, k, 1.0, false);
  EXPECT_EQ(test::bytes_of(second), test::bytes_of(*straight));
}

TYPED_TEST(Clipping, WhatCannotBeANormIsRefused) {
  for (double const clip : {-1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) try {
      this->run({"muon"}, workers(1, clip));
      ADD_FAILURE() << "accepted: " << clip;
    } catch (UsageError const& e) {
      test::expect_parts(e.what(), {"clip is ", "finite and not negative"});
    }
}

}  // namespace
}  // namespace kaon
