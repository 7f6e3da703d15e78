#include <kaon/support/traps.hpp>
#include "harness.hpp"

#include <kaon/compress/natural_coded.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/linalg/svd_host.hpp>

#include <cstring>

namespace rankk_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct RankKTest : ::testing::Test {};
TYPED_TEST_SUITE(RankKTest, Backends, BackendNames);

HostMatrix product(HostMatrix const& a, HostMatrix const& b) {
  HostMatrix c(a.rows, b.cols);
  for (int i = 0; i < a.rows; ++i)
    for (int k = 0; k < a.cols; ++k)
      for (int j = 0; j < b.cols; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}
HostMatrix transposed(HostMatrix const& a) {
  HostMatrix t(a.cols, a.rows);
  for (int i = 0; i < a.rows; ++i)
    for (int j = 0; j < a.cols; ++j) t(j, i) = a(i, j);
  return t;
}
/// Gram and Schmidt twice, in fp64.
HostMatrix orthonormal(HostMatrix q) {
  for (int pass = 0; pass < 2; ++pass)
    for (int j = 0; j < q.cols; ++j) {
      for (int k = 0; k < j; ++k) {
        double d = 0;
        for (int i = 0; i < q.rows; ++i) d += q(i, j) * q(i, k);
        for (int i = 0; i < q.rows; ++i) q(i, j) -= d * q(i, k);
      }
      double s = 0;
      for (int i = 0; i < q.rows; ++i) s += q(i, j) * q(i, j);
      for (int i = 0; i < q.rows; ++i) q(i, j) /= std::sqrt(s);
    }
  return q;
}
/// Singular values fall like 0.8^i.
HostMatrix decaying(int m, int n, std::uint64_t seed) {
  int const r = std::min(m, n);
  auto u = orthonormal(random_matrix(m, r, seed)), v = orthonormal(random_matrix(n, r, seed + 1));
  for (int i = 0; i < m; ++i)
    for (int k = 0; k < r; ++k) u(i, k) *= std::pow(0.8, k);
  return product(u, transposed(v));
}

TYPED_TEST(RankKTest, IsTheProjectionOnTheRangeOfXV) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(45, 32, 51));
  Harness<T, typename TypeParam::Exec> h("rank:0.25", 45, 32);
  auto const v = to_host(h.state);
  auto const q = orthonormal(product(x, v));
  auto const expected = product(q, product(transposed(q), x));
  auto const c = h.apply(x);
  double worst = 0;
  for (std::size_t i = 0; i < c.a.size(); ++i) worst = std::max(worst, std::fabs(c.a[i] - expected.a[i]));
  double const tolerance = sizeof(T) == 4 ? 2e-5 : 1e-13;
  std::printf("seed 51: largest difference to the fp64 projection %.3g (tolerance %.3g)\n", worst, tolerance);
  EXPECT_LE(worst, tolerance);
  // The next state spans xᵀQ by unit columns.
  auto const next = to_host(h.state), b = orthonormal(product(transposed(x), q));
  auto const overlap = product(transposed(b), next);
  EXPECT_NEAR(squared(overlap), 8.0, 1e-4);
  EXPECT_NEAR(squared(next), 8.0, 1e-4);
}

TYPED_TEST(RankKTest, IsExactOnMatricesOfItsRankOrLess) {
  using T = typename TypeParam::T;
  for (int rank : {1, 3, 8}) {
    auto const x = rounded<T>(product(random_matrix(40, rank, 52), random_matrix(rank, 32, 53)));
    Harness<T, typename TypeParam::Exec> h("rank:0.25", 40, 32);
    double const a = alpha(h.apply(x), x);
    std::printf("rank %d by rank 8: 1 - alpha = %.3g\n", rank, 1 - a);
    EXPECT_GE(a, 1 - (sizeof(T) == 4 ? 1e-9 : 1e-24));
  }
}

TYPED_TEST(RankKTest, WarmStartApproachesTheTruncatedSvd) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(decaying(60, 48, 54));
  double kept = 0, all = 0;
  for (int i = 0; i < 48; ++i) (i < 12 ? kept : all) += std::pow(0.8, 2 * i);
  double const best = kept / (kept + all);
  Harness<T, typename TypeParam::Exec> h("rank:0.25", 60, 48);
  double first = 0, last = 0, before = 0;
  for (int step = 0; step < 12; ++step) {
    last = alpha(h.apply(x), x);
    if (step == 0) first = last;
    EXPECT_GE(last, before - 1e-6) << "subspace iteration never loses ground on a fixed matrix";
    before = last;
  }
  std::printf("seed 54: alpha %.6f after one step, %.6f after 12, truncated SVD %.6f\n", first, last, best);
  EXPECT_LE(last, best + 1e-6);
  EXPECT_GE(last, best - 1e-4);
  EXPECT_LT(first, last);
}

TYPED_TEST(RankKTest, QuantisedFactorsStayContractive) {
  using T = typename TypeParam::T;
  for (std::string const inner : {"natural", "natural:stochastic", "bits:1", "bits:2", "bits:4", "bits:8"}) {
    double least = 2;
    for (auto const& [name, x0] : inputs()) {
      auto const x = rounded<T>(x0);
      Harness<T, typename TypeParam::Exec> h("rank:0.3+" + inner, x.rows, x.cols);
      for (int step = 0; step < 4; ++step) {
        h.key.step = static_cast<std::uint32_t>(step);
        double const a = alpha(h.apply(x), x);
        ASSERT_GE(a, -1e-6) << inner << " on " << name;
        least = std::min(least, a);
      }
    }
    std::printf("rank:0.3+%-18s least alpha %.4f\n", inner.c_str(), least);
  }
}

TYPED_TEST(RankKTest, FourBitFactorsLoseLittle) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(decaying(96, 80, 56));
  auto const run = [&](std::string const& spec) {
    Harness<T, typename TypeParam::Exec> h(spec, 96, 80);
    double a = 0;
    for (int step = 0; step < 5; ++step) a = alpha(h.apply(x), x);
    return a;
  };
  double const plain = run("rank:0.3"), four = run("rank:0.3+bits:4"), natural = run("rank:0.3+natural"),
               eight = run("rank:0.3+bits:8");
  std::printf("seed 56: alpha plain %.5f, 8 bits %.5f, 4 bits %.5f, natural %.5f\n", plain, eight, four, natural);
  EXPECT_GE(eight, plain - 0.001);
  EXPECT_GE(four, plain - 0.05);
  EXPECT_GE(natural, plain - 0.1);
  EXPECT_GT(four, natural);
}

TYPED_TEST(RankKTest, FullRankReproducesTheMatrix) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : {std::pair{24, 24}, {24, 60}, {60, 24}}) {
    auto const x = rounded<T>(random_matrix(m, n, 57));
    Harness<T, typename TypeParam::Exec> h("rank:1", m, n);
    EXPECT_GE(alpha(h.apply(x), x), 1 - (sizeof(T) == 4 ? 1e-10 : 1e-26));
  }
}

TYPED_TEST(RankKTest, DeadDirectionsComeBack) {
  using T = typename TypeParam::T;
  // x lives in the first columns, then in others: a state without refilled directions would be orthogonal to it for ever.
  auto a = random_matrix(40, 40, 58), b = a;
  for (int i = 0; i < 40; ++i)
    for (int j = 0; j < 40; ++j) (j < 5 ? b : a)(i, j) = 0;
  Harness<T, typename TypeParam::Exec> h("rank:0.25", 40, 40);
  for (int step = 0; step < 3; ++step) h.key.step = static_cast<std::uint32_t>(step), h.apply(a);
  double last = 0;
  for (int step = 3; step < 6; ++step)
    h.key.step = static_cast<std::uint32_t>(step), last = alpha(h.apply(rounded<T>(b)), rounded<T>(b));
  std::printf("seed 58: alpha on the new directions %.3f\n", last);
  EXPECT_GT(last, 0.2);
}

TYPED_TEST(RankKTest, StateIsOrthonormalAndDependsOnTheKeyAlone) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Harness<T, Exec> h("rank:0.3", 50, 40), same("rank:0.3", 50, 40), other("rank:0.3", 50, 40);
  EXPECT_EQ(to_host(h.state).a, to_host(same.state).a);
  other.c->initialize_state(other.exec, other.state, StreamKey{100, Purpose::initialise, 0, 0, 0});
  other.exec.fence();
  EXPECT_NE(to_host(h.state).a, to_host(other.state).a);
  auto const v = to_host(h.state), g = product(transposed(v), v);
  for (int i = 0; i < 12; ++i)
    for (int j = 0; j < 12; ++j) EXPECT_NEAR(g(i, j), i == j ? 1 : 0, 1e-5);
  Matrix<T, Exec> const wrong("kaon::test::wrong", 40, 11);
  EXPECT_THROW(h.c->initialize_state(h.exec, wrong, {}), std::invalid_argument);
}

TYPED_TEST(RankKTest, LargeAndSmallScalesStayContractive) {
  kaon::test::Untrapped const untrapped;
  using T = typename TypeParam::T;
  for (double scale : {1e25, 1e-15, 1e-25}) {
    auto x = random_matrix(30, 20, 59);
    for (auto& v : x.a) v *= scale;
    x = rounded<T>(x);
    Harness<T, typename TypeParam::Exec> h("rank:0.3+bits:4", 30, 20);
    double const a = alpha(h.apply(x), x);
    std::printf("scale %.0e: alpha %.4f\n", scale, a);
    EXPECT_GT(a, 0.2);
  }
}

/// Σ of the k largest squared singular values over all, in fp64.
double best_alpha(HostMatrix const& x, int k) {
  auto const svd = svd_host<double>(x.rows, x.cols, x.a);
  double kept = 0, all = 0;
  for (int i = 0; i < svd.rank; ++i) {
    double const s = svd.s[static_cast<std::size_t>(i)];
    all += s * s;
    kept += i < k ? s * s : 0;
  }
  return kept / all;
}

TYPED_TEST(RankKTest, TracksTheTruncatedSvdOfASlowlyChangingMatrix) {
  using T = typename TypeParam::T;
  // A momentum: nine tenths of the last matrix and a tenth of a new one, a signal of falling singular values in noise.
  int const m = 72, n = 96, k = 10;
  auto const signal = decaying(m, n, 60);
  HostMatrix x = signal;
  for (char const* spec : {"rank:0.15", "rank:0.15+bits:8"}) {
    Harness<T, typename TypeParam::Exec> h(spec, m, n);
    double worst = 1, mean = 0;
    int const steps = 30, warm = 4;
    for (int step = 0; step < steps; ++step) {
      auto const noise = random_matrix(m, n, 61 + static_cast<std::uint64_t>(step));
      for (std::size_t i = 0; i < x.a.size(); ++i) x.a[i] = 0.9 * x.a[i] + 0.1 * (signal.a[i] + 0.02 * noise.a[i]);
      h.key.step = static_cast<std::uint32_t>(step);
      auto const given = rounded<T>(x);
      double const a = alpha(h.apply(given), given), best = best_alpha(given, k);
      EXPECT_LE(a, best + 1e-6);
      if (step < warm) continue;
      worst = std::min(worst, a / best);
      mean += a / best / (steps - warm);
    }
    std::printf("seed 60: %s keeps %.4f (mean), %.4f (least) of the truncated SVD's contraction (limit 0.97)\n", spec, mean,
                worst);
    EXPECT_GE(worst, 0.97);
  }
}

TYPED_TEST(RankKTest, QuotientOfPlainFactorsIsOne) {
  using T = typename TypeParam::T;
  Harness<T, typename TypeParam::Exec> h("rank:0.3", 33, 21);
  auto const bytes = h.compress(random_matrix(33, 21, 62));
  double gamma = 0;
  std::memcpy(&gamma, bytes.data(), sizeof gamma);
  EXPECT_EQ(gamma, 1.0);
}

TYPED_TEST(RankKTest, StateHasUnitColumnsWhateverTheMatrixLacks) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : {std::pair{37, 53}, {70, 41}, {33, 130}, {1, 40}, {40, 1}})
    for (int kind = 0; kind < 5; ++kind) {
      HostMatrix x(m, n);  // 0: zero
      if (kind == 1) x = product(random_matrix(m, 1, 63), random_matrix(1, n, 64));
      if (kind == 2) x = random_matrix(m, n, 65);
      if (kind == 3)
        for (int i = 0; i < m; ++i)
          for (int j = 0; j < n; ++j) x(i, j) = j % 7 == 3 ? std::sin(i) : 0;
      if (kind == 4) {
        x = random_matrix(m, n, 66);
        for (auto& v : x.a) v *= 1e-30;
      }
      Harness<T, typename TypeParam::Exec> h("rank:0.3", m, n);
      for (int step = 0; step < 3; ++step) {
        h.key.step = static_cast<std::uint32_t>(step);
        auto const c = h.apply(rounded<T>(x));
        for (double const a : c.a) ASSERT_TRUE(std::isfinite(a));
        auto const v = to_host(h.state);
        for (int j = 0; j < v.cols; ++j) {
          double s = 0;
          for (int i = 0; i < v.rows; ++i) s += v(i, j) * v(i, j);
          ASSERT_NEAR(s, 1, 1e-5) << m << " x " << n << ", kind " << kind << ", column " << j;
        }
      }
    }
}

TYPED_TEST(RankKTest, ANotANumberDoesNotStayInTheState) {
  kaon::test::Untrapped const untrapped;
  using T = typename TypeParam::T;
  auto x = rounded<T>(random_matrix(30, 40, 67)), bad = x;
  bad(3, 4) = std::numeric_limits<double>::quiet_NaN();
  Harness<T, typename TypeParam::Exec> h("rank:0.3", 30, 40);
  h.compress(bad);
  for (double const v : to_host(h.state).a) ASSERT_TRUE(std::isfinite(v));
  h.apply(x);
  double const a = alpha(h.apply(x), x);
  std::printf("seed 67: alpha %.3f two steps after a NaN\n", a);
  EXPECT_GT(a, 0.3);
}

/// Factors of a length that varies (the guard behind the buffers takes the 24 bytes more that the bound may need).
template <class T, class Exec>
void code_factors(Harness<T, Exec>& h, int m, int n) {
  int const k = RankK<T, Exec>::count(0.3, m, n);
  h.c = std::make_unique<RankK<T, Exec>>(m, n, 0.3, std::make_unique<NaturalCoded<T, Exec>>(m, k, false),
                                         std::make_unique<NaturalCoded<T, Exec>>(k, n, false));
}

TYPED_TEST(RankKTest, CodedFactorsAreThePlainOnesInFewerBytes) {
  using T = typename TypeParam::T;
  for (auto const& [m, n] : {std::pair{90, 70}, {1, 1}, {5, 333}, {200, 3}}) {
    auto const x = rounded<T>(random_matrix(m, n, 68));
    Harness<T, typename TypeParam::Exec> coded("rank:0.3+natural", m, n), plain("rank:0.3+natural", m, n);
    code_factors(coded, m, n);
    EXPECT_FALSE(coded.c->fixed_length());
    EXPECT_TRUE(plain.c->fixed_length());
    for (std::uint32_t step = 0; step < 3; ++step) {
      coded.key.step = plain.key.step = step;
      auto const bytes = coded.compress(x), other = plain.compress(x);
      EXPECT_TRUE(coded.c->plausible(bytes.size()));
      EXPECT_EQ(coded.decompress(bytes, x).a, plain.decompress(other, x).a) << m << " x " << n << " step " << step;
      if (m == 90) {
        EXPECT_LT(bytes.size(), other.size());
        std::printf("seed 68: %zu bytes coded, %zu plain\n", bytes.size(), other.size());
      }
    }
  }
}

TYPED_TEST(RankKTest, DamagedCodedFactorsStayWithinBounds) {
  using T = typename TypeParam::T;
  Harness<T, typename TypeParam::Exec> h("rank:0.3+natural", 40, 30);
  code_factors(h, 40, 30);
  auto const good = h.compress(random_matrix(40, 30, 69));
  for (std::uint64_t first :
       {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1} << 20, ~std::uint64_t{0}, ~std::uint64_t{0} / 2}) {
    auto bytes = good;
    std::memcpy(bytes.data() + 8, &first, sizeof first);
    h.decompress(bytes, random_matrix(40, 30, 70));  // its guards are the test
  }
  EXPECT_FALSE(h.c->plausible(16));
  EXPECT_FALSE(h.c->plausible(good.size() - 1));
  EXPECT_FALSE(h.c->plausible(h.c->bytes_bound() + 8));
}

}  // namespace rankk_test
