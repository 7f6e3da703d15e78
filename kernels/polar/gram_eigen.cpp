#include <kaon/polar/gram_eigen.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/eigen.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/linalg/symmetric.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace kaon {
namespace gram_eigen {

/// Growth of rounding errors up to which the last products run in T = float.
constexpr double most_growth = 32;

using HostVector = Kokkos::View<double*, Kokkos::LayoutRight, StagingSpace>;
using Rows = std::pair<std::size_t, std::size_t>;

template <class To, class From, class Exec>
void convert(Exec const& exec, Out<Matrix<To, Exec>> const& Y, In<ConstMatrix<From, Exec>> const& X) {
  To* y = Y.data();
  From const* x = X.data();
  Kokkos::parallel_for(
      "kaon::gram_convert",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(Y.size())),
      KOKKOS_LAMBDA(std::int64_t const i) { y[i] = static_cast<To>(x[i]); });
}

/// Row i of Y ← factors(i) · row i of X.
template <class T, class Exec>
void scale_rows(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstVector<double, Exec>> const& factors,
                In<ConstMatrix<double, Exec>> const& X) {
  int const n = static_cast<int>(X.extent(1));
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::gram_scale_rows", Policy(exec, static_cast<int>(X.extent(0)), fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        double const f = factors(i);
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [&](int const j) { Y(i, j) = static_cast<T>(f * X(i, j)); });
      });
}

/// The first rows×cols entries of a buffer as a contiguous matrix.
template <class T, class Exec>
Matrix<T, Exec> head(Vector<T, Exec> const& buffer, std::size_t rows, std::size_t cols) {
  return Matrix<T, Exec>(buffer.data(), rows, cols);
}

}  // namespace gram_eigen

template <class T, class Exec>
struct SingularFactors<T, Exec>::Workspace {
  static constexpr bool by_gram = std::is_same_v<T, float>;
  std::size_t r, l;
  gram_eigen::HostVector host;
  Vector<double, Exec> factors;
  // By the Gram matrix: G in double; V (in place of GGᵀ), its scaled rows, and what comes of them; in T and in double.
  std::unique_ptr<SymmetricEigen<Exec>> eigen;
  Matrix<double, Exec> wide, vectors;
  Vector<double, Exec> lambda, partials, scaled, product, result;
  Vector<T, Exec> scaled_low, product_low;
  Scalar<double, Exec> norm;
  // By the SVD.
  ThinSvd<T> svd;
  Matrix<T, Exec> u, vt;

  Workspace(std::size_t m, std::size_t n)
      : r(std::min(m, n)), l(std::max(m, n)), host("kaon::gram_eigen::host", r), factors("kaon::gram_eigen::factors", r) {
    if constexpr (by_gram) {
      eigen = std::make_unique<SymmetricEigen<Exec>>(static_cast<int>(r));
      wide = Matrix<double, Exec>("kaon::gram_eigen::wide", m, n);
      vectors = Matrix<double, Exec>("kaon::gram_eigen::vectors", r, r);
      lambda = Vector<double, Exec>("kaon::gram_eigen::lambda", r);
      norm = Scalar<double, Exec>("kaon::gram_eigen::norm");
      auto const square = static_cast<std::int64_t>(r);
      partials = Vector<double, Exec>("kaon::gram_eigen::partials", static_cast<std::size_t>(norm_workspace(square, square)));
      scaled = Vector<double, Exec>("kaon::gram_eigen::scaled", r * r);
      product = Vector<double, Exec>("kaon::gram_eigen::product", r * l);
      result = Vector<double, Exec>("kaon::gram_eigen::result", r * l);
      scaled_low = Vector<T, Exec>("kaon::gram_eigen::scaled_low", r * r);
      product_low = Vector<T, Exec>("kaon::gram_eigen::product_low", r * l);
    } else {
      u = Matrix<T, Exec>("kaon::gram_eigen::u", m, r);
      vt = Matrix<T, Exec>("kaon::gram_eigen::vt", r, n);
    }
  }

  /// host ← device values, waiting.
  void fetch(Exec const& exec, Vector<double, Exec> const& device) {
    Kokkos::deep_copy(exec, host, device);
    exec.fence();
  }
  void send(Exec const& exec, std::vector<double> const& values) {
    exec.fence();  // an earlier copy may still read the staging buffer
    for (std::size_t i = 0; i < r; ++i) host(i) = values[i];
    Kokkos::deep_copy(exec, factors, host);
  }

  /// Z ← S-weighted projection of G in the scalar type S: with S = diag(√f)·V of k rows, SᵀSG (wide) or GSᵀS (tall).
  template <class S>
  void project(Exec const& exec, Matrix<S, Exec> const& Z, ConstMatrix<S, Exec> const& G, Matrix<S, Exec> const& rows,
               Vector<S, Exec> const& buffer) {
    using gram_eigen::head;
    std::size_t const k = rows.extent(0);
    bool const is_wide = G.extent(0) <= G.extent(1);
    auto const P = is_wide ? head<S, Exec>(buffer, k, l) : head<S, Exec>(buffer, l, k);
    if (is_wide) {
      gemm<S>(exec, P, Op::none, rows, Op::none, G);
      gemm<S>(exec, Z, Op::transpose, rows, Op::none, P);
    } else {
      gemm<S>(exec, P, Op::none, G, Op::transpose, rows);
      gemm<S>(exec, Z, Op::none, P, Op::none, rows);
    }
  }
};

template <class T, class Exec>
SingularFactors<T, Exec>::SingularFactors(int rows, int cols) : rows_(rows), cols_(cols) {
  require(rows > 0 && cols > 0, "SingularFactors: needs at least one row and one column");
  work_ = std::make_unique<Workspace>(static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  values_.resize(work_->r);
}
template <class T, class Exec>
SingularFactors<T, Exec>::~SingularFactors() = default;
template <class T, class Exec>
SingularFactors<T, Exec>::SingularFactors(SingularFactors&&) noexcept = default;
template <class T, class Exec>
SingularFactors<T, Exec>& SingularFactors<T, Exec>::operator=(SingularFactors&&) noexcept = default;

template <class T, class Exec>
bool SingularFactors<T, Exec>::factor(Exec const& exec, In<ConstMatrix<T, Exec>> const& G) {
  require(static_cast<int>(G.extent(0)) == rows_ && static_cast<int>(G.extent(1)) == cols_,
          "SingularFactors: the matrix has another shape than the workspace");
  require(G.span_is_contiguous(), "SingularFactors: the matrix is not contiguous");
  auto& w = *work_;
  if constexpr (Workspace::by_gram) {
    gram_eigen::convert<double, T>(exec, w.wide, G);
    syrk<double>(exec, w.vectors, rows_ <= cols_ ? Op::none : Op::transpose, w.wide);
    sum_squares<double>(exec, w.norm, w.partials, w.vectors);
    double squares = 0;
    using Host = Kokkos::View<double, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    Kokkos::deep_copy(exec, Host(&squares), w.norm);
    exec.fence();
    if (!std::isfinite(squares)) return false;
    (*w.eigen)(exec, w.lambda, w.vectors);
    w.fetch(exec, w.lambda);
    double trace = 0;
    for (std::size_t i = 0; i < w.r; ++i) trace += std::max(0.0, w.host(i));
    double const zero = 2 * std::numeric_limits<T>::epsilon() * std::sqrt(trace);
    for (std::size_t i = 0; i < w.r; ++i) {
      double const sigma = std::sqrt(std::max(0.0, w.host(w.r - 1 - i)));
      values_[i] = sigma > zero ? sigma : 0;
    }
  } else {
    std::vector<T> a(G.size());
    using Host = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    Kokkos::deep_copy(exec, Host(a.data(), a.size()), ConstVector<T, Exec>(G.data(), G.size()));
    exec.fence();
    if (!std::all_of(a.begin(), a.end(), [](T x) { return std::isfinite(x); })) return false;
    w.svd = svd_host<T>(rows_, cols_, std::move(a));
    double const zero = std::numeric_limits<T>::epsilon() * static_cast<double>(w.l) * static_cast<double>(w.svd.s[0]);
    for (std::size_t i = 0; i < w.r; ++i) {
      double const sigma = static_cast<double>(w.svd.s[i]);
      values_[i] = sigma > zero ? sigma : 0;
    }
  }
  return true;
}

template <class T, class Exec>
void SingularFactors<T, Exec>::compose(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
                                       std::vector<double> const& weights) {
  require(static_cast<int>(Z.extent(0)) == rows_ && static_cast<int>(Z.extent(1)) == cols_ && Z.span_is_contiguous(),
          "SingularFactors: Z has another shape than the workspace or is not contiguous");
  require(Z.data() != G.data(), "SingularFactors: the output is also the input");
  require(weights.size() == values_.size(), "SingularFactors: needs one weight for each singular value");
  auto& w = *work_;
  std::size_t k = 0;  // the weights that count are the first k
  double largest = 0, steepest = 0;
  for (std::size_t i = 0; i < w.r && values_[i] > 0; ++i) {
    require(weights[i] >= 0, "SingularFactors: a weight is negative");
    if (weights[i] == 0) continue;
    k = i + 1;
    largest = std::max(largest, weights[i]);
    steepest = std::max(steepest, weights[i] / values_[i]);
  }
  if (k == 0) return fill<T>(exec, Z, T(0));
  if constexpr (Workspace::by_gram) {
    // Row r−1−i of V belongs to σ_i: the last k rows, scaled by √(w/σ).
    std::vector<double> factors(w.r, 0.0);
    for (std::size_t i = 0; i < k; ++i) factors[k - 1 - i] = std::sqrt(weights[i] / values_[i]);
    w.send(exec, factors);
    auto const V = Kokkos::subview(w.vectors, gram_eigen::Rows(w.r - k, w.r), Kokkos::ALL);
    bool const low = steepest * values_[0] <= gram_eigen::most_growth * largest;
    bool const thin = 2 * k <= w.r;
    if (thin && low) {
      auto const S = gram_eigen::head<T, Exec>(w.scaled_low, k, w.r);
      gram_eigen::scale_rows<T>(exec, S, w.factors, V);
      return w.template project<T>(exec, Z, G, S, w.product_low);
    }
    auto const S = gram_eigen::head<double, Exec>(w.scaled, k, w.r);
    gram_eigen::scale_rows<double>(exec, S, w.factors, V);
    auto const result = gram_eigen::head<double, Exec>(w.result, Z.extent(0), Z.extent(1));
    if (thin) {
      w.template project<double>(exec, result, w.wide, S, w.product);
      return gram_eigen::convert<T, double>(exec, Z, result);
    }
    auto const W = gram_eigen::head<double, Exec>(w.product, w.r, w.r);
    syrk<double>(exec, W, Op::transpose, S);
    if (low) {
      auto const W_low = gram_eigen::head<T, Exec>(w.product_low, w.r, w.r);
      gram_eigen::convert<T, double>(exec, W_low, W);
      return rows_ <= cols_ ? gemm<T>(exec, Z, Op::none, W_low, Op::none, G) : gemm<T>(exec, Z, Op::none, G, Op::none, W_low);
    }
    if (rows_ <= cols_)
      gemm<double>(exec, result, Op::none, W, Op::none, w.wide);
    else
      gemm<double>(exec, result, Op::none, w.wide, Op::none, W);
    gram_eigen::convert<T, double>(exec, Z, result);
  } else {
    auto const n = static_cast<std::size_t>(cols_);
    auto vt = w.svd.vt;
    for (std::size_t i = 0; i < w.r; ++i)
      for (std::size_t j = 0; j < n; ++j) vt[i * n + j] *= i < k ? static_cast<T>(weights[i]) : T(0);
    using Host = Kokkos::View<T const*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    Kokkos::deep_copy(exec, Vector<T, Exec>(w.u.data(), w.u.size()), Host(w.svd.u.data(), w.u.size()));
    Kokkos::deep_copy(exec, Vector<T, Exec>(w.vt.data(), w.vt.size()), Host(vt.data(), vt.size()));
    exec.fence();
    gemm<T>(exec, Z, Op::none, w.u, Op::none, w.vt);
  }
}

template <class T, class Exec>
GramPolar<T, Exec>::GramPolar(int rows, int cols, int batch) : batch_(batch), factors_(rows, cols) {
  require(batch > 0, "GramPolar: needs a batch of at least one matrix");
}

template <class T, class Exec>
void GramPolar<T, Exec>::operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) {
  auto const rows = static_cast<std::size_t>(factors_.rows());
  require(Z.extent(0) == rows * static_cast<std::size_t>(batch_) && G.extent(0) == Z.extent(0),
          "GramPolar: a matrix has another number of rows than the workspace");
  require(Z.data() != G.data(), "GramPolar: the output is also the input");
  for (std::size_t b = 0; b < static_cast<std::size_t>(batch_); ++b) {
    auto const range = gram_eigen::Rows(b * rows, (b + 1) * rows);
    Matrix<T, Exec> const z = Kokkos::subview(Z, range, Kokkos::ALL);
    ConstMatrix<T, Exec> const g = Kokkos::subview(G, range, Kokkos::ALL);
    if (factors_.factor(exec, g))
      factors_.compose(exec, z, g, std::vector<double>(factors_.values().size(), 1.0));
    else
      fill<T>(exec, z, std::numeric_limits<T>::quiet_NaN());
  }
}

double gram_polar_cost(int rows, int cols) {
  double const r = std::min(rows, cols);
  double const l = std::max(rows, cols);
  // The Gram matrix in double and the product in float; the eigenproblem as measured against them.
  return 6 * r * r * l + 27 * r * r * r;
}

#define KAON_KERNEL(T, Exec)               \
  template class SingularFactors<T, Exec>; \
  template class GramPolar<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
