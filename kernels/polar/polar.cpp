#include <kaon/polar/polar.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/polar/scaling.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace kaon {
namespace polar_kernels {

template <class T, class Exec>
void exact(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) {
  auto const f = svd_host<T>(exec, G);
  auto const m = static_cast<std::size_t>(f.rows);
  auto const n = static_cast<std::size_t>(f.cols);
  auto const r = static_cast<std::size_t>(f.rank);
  T const floor = std::numeric_limits<T>::epsilon() * static_cast<T>(std::max(f.rows, f.cols)) * f.s[0];
  std::vector<T> z(m * n, T(0));
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t l = 0; l < r && f.s[l] > floor; ++l) {
      T const u = f.u[i * r + l];
      for (std::size_t j = 0; j < n; ++j) z[i * n + j] += u * f.vt[l * n + j];
    }
  using Host = Kokkos::View<T const*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(exec, Vector<T, Exec>(Z.data(), Z.size()), Host(z.data(), z.size()));
  exec.fence();
}

PolarArithmetic arithmetic(PolarSettings const& settings, PolarPlan const& plan) {
  if (settings.half && !settings.exact) return PolarArithmetic::half;
  return plan.symmetric ? PolarArithmetic::symmetric : PolarArithmetic::plain;
}

}  // namespace polar_kernels

template <class T, class Exec>
Polar<T, Exec>::Polar(PolarSettings const& settings, int rows, int cols, int batch)
    : rows_(rows),
      cols_(cols),
      batch_(batch),
      exact_(settings.exact),
      spectral_(settings.scaling == "spectral"),
      plan_(make_polar_plan(settings, rows, cols, static_cast<double>(std::numeric_limits<T>::epsilon()))),
      products_(polar_kernels::arithmetic(settings, plan_), std::max(rows, cols), std::min(rows, cols), batch) {
  require(rows > 0 && cols > 0 && batch > 0, "Polar: needs at least one row, one column and one matrix");
  if (exact_) return;
  auto const count = static_cast<std::size_t>(batch);
  auto const s = static_cast<std::size_t>(std::min(rows, cols)), l = static_cast<std::size_t>(std::max(rows, cols));
  auto const square = [&](std::string const& label) { return Matrix<T, Exec>(label, count * s, s); };
  X_ = Matrix<T, Exec>("kaon::polar::X", count * l, s);
  R_ = square("kaon::polar::R");
  P_ = square("kaon::polar::P");
  auto const& starts = plan_.starts;
  bool const restarts = std::count(starts.begin(), starts.end(), true) > 1;
  bool const goes_on = std::count(starts.begin(), starts.end(), false) > 0;
  if (restarts) next_X_ = Matrix<T, Exec>("kaon::polar::next_X", count * l, s);
  if (goes_on) {
    Q_ = square("kaon::polar::Q");
    next_R_ = square("kaon::polar::next_R");
  }
  if (goes_on || spectral_) work_ = square("kaon::polar::work");
  factor_ = Vector<double, Exec>("kaon::polar::factor", count);
  partials_ = Vector<double, Exec>("kaon::polar::partials", static_cast<std::size_t>(inverse_norms_workspace(rows, cols, batch)));
  if (spectral_) {
    norms_ = Vector<double, Exec>("kaon::polar::norms", count);
    log_ = Vector<double, Exec>("kaon::polar::log", count);
  }
}

template <class T, class Exec>
void Polar<T, Exec>::operator()(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) {
  auto const height = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(batch_);
  require(G.extent(0) == height && static_cast<int>(G.extent(1)) == cols_ && Z.extent(0) == height && Z.extent(1) == G.extent(1),
          "Polar: a matrix has another shape than the workspace");
  require(Z.span_is_contiguous() && G.span_is_contiguous(), "Polar: a matrix is not contiguous");
  require(Z.data() != G.data(), "Polar: the output is also the input");
  if (exact_) {
    auto const r = static_cast<std::size_t>(rows_), c = static_cast<std::size_t>(cols_);
    for (std::size_t b = 0; b < static_cast<std::size_t>(batch_); ++b)
      polar_kernels::exact<T>(exec, Matrix<T, Exec>(Z.data() + b * r * c, r, c),
                              ConstMatrix<T, Exec>(G.data() + b * r * c, r, c));
    return;
  }
  bool const wide = rows_ < cols_;
  Matrix<T, Exec> X = X_, next_X = next_X_, R = R_, next_R = next_R_, P = P_, Q = Q_, work = work_;
  inverse_norms<T>(exec, factor_, partials_, G, batch_);
  scaled_copy<T>(exec, X, factor_, G, wide, batch_);
  auto const& table = plan_.table;
  for (std::size_t step = 0; step < table.size(); ++step) {
    bool const starts = plan_.starts[step];
    if (starts) {
      if (step > 0) {
        products_.apply(exec, next_X, X, Q, false);
        std::swap(X, next_X);
      }
      products_.gram(exec, R, X);
      if (step == 0 && spectral_) {
        spectral_scale<T>(exec, factor_, norms_, log_, partials_, work, P, R, std::max(rows_, cols_), batch_);
        rescale<T>(exec, X, factor_, 1, batch_);
        rescale<T>(exec, R, factor_, 2, batch_);
      }
    }
    Triple const& p = table[step];
    products_.quadratic(exec, P, static_cast<T>(p.a), static_cast<T>(p.b), static_cast<T>(p.c), R);
    bool const ends = step + 1 == table.size() || plan_.starts[step + 1];
    if (!ends) {
      products_.square(exec, work, P);
      products_.commuting(exec, next_R, R, work);
      std::swap(R, next_R);
    }
    if (starts) {
      std::swap(Q, P);
      if (!P.data()) P = Q;  // one-step segments only: Q is read before P is written again
    } else {
      products_.commuting(exec, work, Q, P);
      std::swap(Q, work);
    }
  }
  products_.apply(exec, Z, X, Q, wide);
}

#define KAON_KERNEL(T, Exec) template class Polar<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
