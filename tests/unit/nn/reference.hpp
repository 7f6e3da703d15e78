// Slow serial fp64 twins of the nn kernels, one row or head at a time, and numerical gradients of them.
#ifndef KAON_TEST_NN_REFERENCE_HPP
#define KAON_TEST_NN_REFERENCE_HPP

#include <kaon/support/backends.hpp>

#include <cmath>
#include <cstdio>
#include <functional>

namespace kaon::test {

inline HostMatrix rms_norm_reference(HostMatrix const& X) {
  HostMatrix Y(X.rows, X.cols);
  for (int i = 0; i < X.rows; ++i) {
    double square = 0;
    for (int j = 0; j < X.cols; ++j) square += X(i, j) * X(i, j);
    for (int j = 0; j < X.cols; ++j) Y(i, j) = X(i, j) / std::sqrt(square / X.cols + 1e-6);
  }
  return Y;
}

inline HostMatrix norm_and_rotate_reference(HostMatrix const& X, int context, int heads) {
  HostMatrix Y(X.rows, X.cols);
  int const w = X.cols / heads;
  for (int i = 0; i < X.rows; ++i)
    for (int h = 0; h < heads; ++h) {
      HostMatrix one(1, w);
      for (int c = 0; c < w; ++c) one(0, c) = X(i, h * w + c);
      one = rms_norm_reference(one);
      for (int c = 0; c < w / 2; ++c) {
        double const angle = (i % context) / std::pow(10000.0, 2.0 * c / w);
        double const a = one(0, c), b = one(0, c + w / 2);
        Y(i, h * w + c) = a * std::cos(angle) + b * std::sin(angle);
        Y(i, h * w + c + w / 2) = b * std::cos(angle) - a * std::sin(angle);
      }
    }
  return Y;
}

inline HostMatrix attention_reference(HostMatrix const& Q, HostMatrix const& K, HostMatrix const& V, int context, int heads) {
  HostMatrix Y(Q.rows, Q.cols);
  int const w = Q.cols / heads;
  for (int t = 0; t < Q.rows; ++t)
    for (int h = 0; h < heads; ++h) {
      int const start = t - t % context;
      std::vector<double> p;
      double sum = 0;
      for (int s = start; s <= t; ++s) {
        double score = 0;
        for (int c = h * w; c < (h + 1) * w; ++c) score += Q(t, c) * K(s, c);
        p.push_back(std::exp(score / std::sqrt(static_cast<double>(w))));
        sum += p.back();
      }
      for (int s = start; s <= t; ++s)
        for (int c = h * w; c < (h + 1) * w; ++c) Y(t, c) += p[static_cast<std::size_t>(s - start)] / sum * V(s, c);
    }
  return Y;
}

inline double inner(HostMatrix const& A, HostMatrix const& B) {
  double s = 0;
  for (std::size_t i = 0; i < A.a.size(); ++i) s += A.a[i] * B.a[i];
  return s;
}

/// Gradient of f at X by central differences.
inline HostMatrix numerical_gradient(std::function<double(HostMatrix const&)> const& f, HostMatrix X) {
  HostMatrix G(X.rows, X.cols);
  double const h = 1e-5;
  for (std::size_t i = 0; i < X.a.size(); ++i) {
    double const x = X.a[i];
    X.a[i] = x + h;
    double const above = f(X);
    X.a[i] = x - h;
    G.a[i] = (above - f(X)) / (2 * h);
    X.a[i] = x;
  }
  return G;
}

/// Tolerance, relative to the largest entry: rounding of T for values, of the central differences besides for gradients.
template <class T>
constexpr double value_tolerance = sizeof(T) == 4 ? 3e-6 : 1e-14;
template <class T>
constexpr double gradient_tolerance = sizeof(T) == 4 ? 1e-5 : 2e-9;

inline void expect_close(HostMatrix const& is, HostMatrix const& should, double tolerance, char const* what) {
  ASSERT_EQ(is.a.size(), should.a.size()) << what;
  double top = 0, error = 0;
  for (std::size_t i = 0; i < is.a.size(); ++i) {
    top = std::max(top, std::fabs(should.a[i]));
    error = std::isnan(is.a[i]) ? INFINITY : std::max(error, std::fabs(is.a[i] - should.a[i]));
  }
  std::printf("  %-40s error %.2e, tolerance %.2e\n", what, error / top, tolerance);
  EXPECT_GT(top, 0) << what << ": the reference is zero everywhere";
  EXPECT_LE(error, tolerance * top) << what;
}

template <class Exec>
Vector<std::int32_t, Exec> device_tokens(std::vector<std::int32_t> const& t) {
  Vector<std::int32_t, Exec> d("kaon::test::tokens", t.size());
  auto h = Kokkos::create_mirror_view(Kokkos::HostSpace{}, d);
  for (std::size_t i = 0; i < t.size(); ++i) h(i) = t[i];
  Kokkos::deep_copy(d, h);
  return d;
}

template <class T, class Exec>
Matrix<T, Exec> garbage(int rows, int cols) {
  Matrix<T, Exec> d("kaon::test::garbage", static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  Kokkos::deep_copy(d, T(-777));
  return d;
}

}  // namespace kaon::test

#endif
