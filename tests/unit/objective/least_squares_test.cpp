#include <kaon/objective/least_squares.hpp>
#include <kaon/support/traps.hpp>

#include <kaon/core/error.hpp>
#include <kaon/objective/least_squares_problem.hpp>
#include <kaon/support/backends.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <limits>

namespace least_squares_test {

using kaon::LeastSquares;
using kaon::LeastSquaresProblem;
using kaon::Matrix;
using kaon::Scalar;
using kaon::Space;
using kaon::test::HostMatrix;
using kaon::test::random_matrix;

constexpr std::uint64_t seed = 20;
constexpr int n = 3, r = 11, m = 7, c = 5;

LeastSquaresProblem sample() {
  LeastSquaresProblem p{
      n, r, m, c, random_matrix(n * r, m, seed).a, random_matrix(n * r, c, seed + 1).a, random_matrix(m, c, seed + 2).a};
  return p;
}

/// f_j and its gradient in fp64 by the definition.
double reference(LeastSquaresProblem const& p, HostMatrix const& X, int j, HostMatrix* gradient = nullptr) {
  HostMatrix R(r, c);
  double loss = 0;
  auto const A = [&](int i, int k) { return p.A[static_cast<std::size_t>((j * r + i) * m + k)]; };
  for (int i = 0; i < r; ++i)
    for (int q = 0; q < c; ++q) {
      double s = -p.B[static_cast<std::size_t>((j * r + i) * c + q)];
      for (int k = 0; k < m; ++k) s += A(i, k) * X(k, q);
      R(i, q) = s;
      loss += s * s / (2.0 * r);
    }
  if (gradient) {
    *gradient = HostMatrix(m, c);
    for (int k = 0; k < m; ++k)
      for (int q = 0; q < c; ++q)
        for (int i = 0; i < r; ++i) (*gradient)(k, q) += A(i, k) * R(i, q) / r;
  }
  return loss;
}

template <class T>
struct LeastSquaresTest : ::testing::Test {
  std::string path = ::testing::TempDir() + "kaon_least_squares_" + std::to_string(getpid()) + ".h5";
  Space exec;
  Scalar<double, Space> loss{"kaon::test::loss"};
  double const tolerance = std::is_same_v<T, float> ? 2e-6 : 1e-14;
  LeastSquaresTest() { kaon::write_problem(path, sample()); }
  ~LeastSquaresTest() override { std::remove(path.c_str()); }

  HostMatrix gradient(LeastSquares<T>& f, HostMatrix const& X, int worker, std::uint64_t step) {
    HostMatrix g;
    int calls = 0;
    f.gradient(exec, loss, {kaon::test::to_device<T, Space>(X)}, {worker, step}, [&](int layer, auto const& G) {
      EXPECT_EQ(layer, 0);
      exec.fence();
      g = kaon::test::to_host(G);
      ++calls;
    });
    EXPECT_EQ(calls, 1);
    return g;
  }
  double loss_value() {
    double v = 0;
    Kokkos::deep_copy(v, loss);
    return v;
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(LeastSquaresTest, Scalars);

double distance(HostMatrix const& a, HostMatrix const& b) {
  double d = 0;
  for (std::size_t i = 0; i < a.a.size(); ++i) d = std::max(d, std::fabs(a.a[i] - b.a[i]));
  return d;
}

TYPED_TEST(LeastSquaresTest, LossAndGradientAgreeWithTheDefinition) {
  LeastSquares<TypeParam> f(this->path, n, 0, 1);
  auto const X = random_matrix(m, c, seed + 3);
  for (int j = 0; j < n; ++j) {
    HostMatrix want;
    double const value = reference(sample(), X, j, &want);
    auto const got = this->gradient(f, X, j, 0);
    double const g = distance(got, want), l = std::fabs(this->loss_value() - value) / value;
    std::printf("seed %d worker %d: gradient error %.2e, loss error %.2e, bound %.0e\n", int(seed), j, g, l,
                this->tolerance * 10);
    EXPECT_LE(g, this->tolerance * 10);
    EXPECT_LE(l, this->tolerance * 10);
  }
}

using LeastSquaresInDouble = LeastSquaresTest<double>;
TEST_F(LeastSquaresInDouble, GradientIsTheSlopeOfTheLoss) {
  LeastSquares<double> f(this->path, n, 0, 1);
  auto const X = random_matrix(m, c, seed + 4), D = random_matrix(m, c, seed + 5);
  double const h = 1e-4;
  double slope = 0, values[2];
  auto const G = this->gradient(f, X, 1, 0);
  for (std::size_t i = 0; i < D.a.size(); ++i) slope += G.a[i] * D.a[i];
  for (int side = 0; side < 2; ++side) {
    auto Y = X;
    for (std::size_t i = 0; i < D.a.size(); ++i) Y.a[i] += (side ? h : -h) * D.a[i];
    this->gradient(f, Y, 1, 0);
    values[side] = this->loss_value();
  }
  double const error =
      std::fabs((values[1] - values[0]) / (2 * h) - slope) / std::fabs(slope);  // exact for a quadratic, but for rounding
  std::printf("slope %.6g, relative error %.2e, bound 1e-9\n", slope, error);
  EXPECT_LE(error, 1e-9);
}

TYPED_TEST(LeastSquaresTest, ValidationIsTheMeanOverWorkers) {
  LeastSquares<TypeParam> f(this->path, n, 3.0, 1);
  auto const X = random_matrix(m, c, seed + 6);
  ASSERT_TRUE(f.has_validation());
  ASSERT_EQ(f.validation_pieces(), n);
  double sum = 0, weight = 0, want = 0;
  for (int p = 0; p < n; ++p) {
    auto const [s, w] = f.validate_piece(this->exec, {kaon::test::to_device<TypeParam, Space>(X)}, p);
    sum += s;
    weight += w;
    want += reference(sample(), X, p) / n;
  }
  EXPECT_NEAR(sum / weight, want, this->tolerance * 10 * want);
}

TYPED_TEST(LeastSquaresTest, StartsAtX0) {
  LeastSquares<TypeParam> f(this->path, n, 0, 1);
  ASSERT_EQ(f.layers().size(), 1u);
  EXPECT_EQ(f.layers()[0].name, "x");
  EXPECT_EQ(f.layers()[0].rows, m);
  EXPECT_EQ(f.layers()[0].cols, c);
  EXPECT_EQ(f.samples_per_gradient(), std::uint64_t(r));
  Matrix<TypeParam, Space> X("kaon::test::X", m, c);
  f.initialize(this->exec, {X});
  this->exec.fence();
  auto const got = kaon::test::to_host(X);
  for (std::size_t i = 0; i < got.a.size(); ++i) EXPECT_EQ(got.a[i], static_cast<double>(static_cast<TypeParam>(sample().X0[i])));
  Matrix<TypeParam, Space> wrong("kaon::test::X", m, c + 1);
  EXPECT_THROW(f.initialize(this->exec, {wrong}), std::invalid_argument);
  EXPECT_THROW(f.validate_piece(this->exec, {X}, n), std::invalid_argument);
}

TYPED_TEST(LeastSquaresTest, NoiseHasTheAskedVarianceAndNoMean) {
  double const sigma = 2.5;
  LeastSquares<TypeParam> exact(this->path, n, 0, 1), noisy(this->path, n, sigma, 1);
  auto const X = random_matrix(m, c, seed + 7);
  auto const base = this->gradient(exact, X, 0, 0);
  int const steps = 2000;
  double square = 0, mean = 0;
  for (int k = 0; k < steps; ++k) {
    auto const g = this->gradient(noisy, X, 0, static_cast<std::uint64_t>(k));
    for (std::size_t i = 0; i < g.a.size(); ++i) {
      double const z = g.a[i] - base.a[i];
      square += z * z;
      mean += z;
    }
  }
  double const samples = steps * m * c, variance = square / steps;
  double const bound = 5 * std::sqrt(2.0 / samples);
  std::printf("E|Z|² = %.4f of %.4f (bound %.3f relative), mean %.2e standard errors\n", variance, sigma * sigma, bound,
              mean / samples / (sigma / std::sqrt(m * c)) * std::sqrt(samples));
  EXPECT_NEAR(variance / (sigma * sigma), 1, bound);
  EXPECT_LE(std::fabs(mean / samples), 5 * sigma / std::sqrt(m * c) / std::sqrt(samples));
  EXPECT_NEAR(this->loss_value(), reference(sample(), X, 0), this->tolerance * 100) << "the loss stays exact";
}

TYPED_TEST(LeastSquaresTest, NoiseIsAFunctionOfSeedStepAndWorkerAlone) {
  LeastSquares<TypeParam> f(this->path, n, 1, 1), same(this->path, n, 1, 1), other(this->path, n, 1, 2);
  auto const X = random_matrix(m, c, seed + 8);
  auto const g = this->gradient(f, X, 1, 5);
  this->gradient(f, X, 2, 5);
  EXPECT_EQ(this->gradient(f, X, 1, 5).a, g.a);
  EXPECT_EQ(this->gradient(same, X, 1, 5).a, g.a);
  EXPECT_NE(this->gradient(f, X, 1, 6).a, g.a);
  EXPECT_NE(this->gradient(other, X, 1, 5).a, g.a);
}

TYPED_TEST(LeastSquaresTest, TheNumbersOfTheFileAreItsFingerprintAndARestartComparesThem) {
  auto problem = sample();
  auto const known = kaon::fingerprint_of(problem);
  auto const other = this->path + ".other";
  kaon::write_problem(other, problem);
  LeastSquares<TypeParam> f(this->path, n, 0, 1), copy(other, n, 0, 2);
  EXPECT_EQ(f.contents()->fingerprint(), known);
  EXPECT_EQ(copy.contents()->fingerprint(), known);
  for (auto* numbers : {&problem.A, &problem.B, &problem.X0}) {
    double const before = numbers->back();
    numbers->back() = std::nextafter(before, 1e9);
    EXPECT_NE(kaon::fingerprint_of(problem), known);
    numbers->back() = before;
  }
  EXPECT_EQ(kaon::fingerprint_of(problem), known);

  kaon::Registry written, read, none;
  f.register_state(written, 0, n);
  f.register_state(none, 1, n - 1);
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].path, "/data/fingerprint");
  EXPECT_EQ(written[0].written.elements(), 1u);
  EXPECT_EQ(none[0].written.elements(), 0u);
  std::uint64_t saved = 0;
  written[0].get(&saved);
  EXPECT_EQ(saved, known);
  problem.B[3] += 1;
  kaon::write_problem(other, problem);
  LeastSquares<TypeParam> changed(other, n, 0, 1);
  changed.register_state(read, 0, n);
  EXPECT_NO_THROW(none[0].set(&saved));
  try {
    read[0].set(&saved);
    FAIL() << "another problem was taken";
  } catch (kaon::InputError const& e) {
    std::string const text = e.what();
    std::printf("  %s\n", e.what());
    for (auto const& part : {std::string("problem file"), other, std::string("fingerprint")})
      EXPECT_NE(text.find(part), std::string::npos);
  }
  EXPECT_EQ(changed.contents()->note(), "");
  ASSERT_TRUE(read[0].absent);
  read[0].absent();
  EXPECT_NE(changed.contents()->note().find("not checked"), std::string::npos);
  ::unlink(other.c_str());
}

TYPED_TEST(LeastSquaresTest, AnotherNumberOfWorkersNamesFileDatasetAndBoth) {
  kaon::test::Untrapped const untrapped;
  try {
    LeastSquares<TypeParam> f(this->path, 4, 0, 1);
    FAIL();
  } catch (kaon::InputError const& e) {
    std::string const text = e.what();
    std::vector<std::string> const parts{this->path, "/A", "3 workers", "workers = 4"};
    for (auto const& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_THROW(LeastSquares<TypeParam>(this->path, n, -1, 1), kaon::UsageError);
  EXPECT_THROW(LeastSquares<TypeParam>(this->path, n, std::nan(""), 1), kaon::UsageError);
}

}  // namespace least_squares_test
