#include <kaon/polar/scaling.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/linalg/symmetric.hpp>

#include <limits>

namespace kaon {
namespace {

template <class Exec>
using Entries = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
template <class Exec>
using Teams = Kokkos::TeamPolicy<Exec>;

/// partials(b·blocks + c) = Σ a² over chunk c of matrix b: in 16 interleaved sums on a host, by the team elsewhere.
template <class T, class Exec>
struct ChunkSquares {
  T const* g;
  Vector<double, Exec> partials;
  std::int64_t size, blocks;

  KOKKOS_FUNCTION void operator()(typename Teams<Exec>::member_type const& team) const {
    std::int64_t const matrix = team.league_rank() / blocks;
    std::int64_t const begin = team.league_rank() % blocks * reduce_block;
    int const count = static_cast<int>(size - begin < reduce_block ? size - begin : reduce_block);
    T const* const a = g + matrix * size + begin;
    double sum = 0;
    if constexpr (runs_on_host<Exec>) {
      constexpr int lanes = 16;
      double part[lanes] = {};
      int i = 0;
      for (; i + lanes <= count; i += lanes)
        for (int j = 0; j < lanes; ++j) part[j] += static_cast<double>(a[i + j]) * static_cast<double>(a[i + j]);
      for (; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(a[i]);
      for (int j = 0; j < lanes; ++j) sum += part[j];
    } else {
      Kokkos::parallel_reduce(
          Kokkos::TeamThreadRange(team, count),
          [&](int const i, double& s) { s += static_cast<double>(a[i]) * static_cast<double>(a[i]); }, sum);
    }
    Kokkos::single(Kokkos::PerTeam(team), [&]() { partials(team.league_rank()) = sum; });
  }
};

/// factor(b) = 1/√Σ partials, 0 for 0; NaN where the sum is not finite, since 0 would hide that.
template <class Exec>
struct InverseRoot {
  Vector<double, Exec> factor, partials;
  std::int64_t blocks;
  double nan = std::numeric_limits<double>::quiet_NaN();

  KOKKOS_FUNCTION void operator()(typename Teams<Exec>::member_type const& team) const {
    int const matrix = team.league_rank();
    double sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, static_cast<int>(blocks)),
        [&](int const i, double& s) { s += partials(matrix * blocks + i); }, sum);
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      factor(matrix) = sum == 0.0 ? 0.0 : math::isfinite(sum) ? 1.0 / math::sqrt(sum) : nan;
    });
  }
};

template <class T, class Exec>
struct ScaledCopy {
  T* x;
  T const* g;
  ConstVector<double, Exec> factor;
  std::int64_t size;
  static constexpr int chunk = runs_on_host<Exec> ? 4096 : 1;

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    std::int64_t const chunks = (size + chunk - 1) / chunk;
    std::int64_t const matrix = task / chunks, begin = task % chunks * chunk;
    double const f = factor(matrix);
    int const count = static_cast<int>(size - begin < chunk ? size - begin : chunk);
    T* const to = x + matrix * size + begin;
    T const* const from = g + matrix * size + begin;
    for (int i = 0; i < count; ++i) to[i] = static_cast<T>(static_cast<double>(from[i]) * f);
  }
};

/// X = factor·Gᵀ, G rows×cols, in tiles that keep whole cache lines in the first-level cache; one entry a task on a device.
template <class T, class Exec>
struct ScaledTranspose {
  static constexpr int tile = runs_on_host<Exec> ? 16 : 1;
  T* x;
  T const* g;
  ConstVector<double, Exec> factor;
  int rows, cols, down, across;

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    // Neighbouring tasks write neighbouring entries of X.
    int const top = static_cast<int>(task % down) * tile;
    int const left = static_cast<int>(task / down % across) * tile;
    std::int64_t const matrix = task / down / across;
    double const f = factor(matrix);
    std::int64_t const first = matrix * rows * cols;
    int const bottom = top + tile < rows ? top + tile : rows;
    int const right = left + tile < cols ? left + tile : cols;
    for (int j = left; j < right; ++j)
      for (int i = top; i < bottom; ++i)
        x[first + static_cast<std::int64_t>(j) * rows + i] =
            static_cast<T>(static_cast<double>(g[first + static_cast<std::int64_t>(i) * cols + j]) * f);
  }
};

/// R^(2^k) = e^log·M with ‖M‖_F = 1: what a squaring, whose Frobenius norm is 1/norms, does to log.
template <class Exec>
struct SquareLog {
  Vector<double, Exec> log;
  ConstVector<double, Exec> norms;
  bool first;
  KOKKOS_FUNCTION void operator()(int const b) const {
    double const squared = first ? 0.0 : 2.0 * log(b);
    log(b) = norms(b) == 0.0 ? squared : squared - math::log(norms(b));
  }
};

/// factor = 1/(margin·e^(log/root)).
template <class Exec>
struct Root {
  Vector<double, Exec> factor;
  ConstVector<double, Exec> log;
  double root, margin;
  KOKKOS_FUNCTION void operator()(int const b) const { factor(b) = math::exp(-log(b) / root) / margin; }
};

/// factor ← factor^power where it is used: a scalar each.
template <class T, class Exec>
struct Rescale {
  T* x;
  ConstVector<double, Exec> factor;
  std::int64_t size;
  int power;
  KOKKOS_FUNCTION void operator()(std::int64_t const i) const {
    double const f = factor(i / size);
    x[i] *= static_cast<T>(power == 2 ? f * f : f);
  }
};

}  // namespace

std::int64_t inverse_norms_workspace(std::int64_t rows, std::int64_t cols, int batch) {
  return batch * reduce_blocks(rows * cols);
}

template <class T, class Exec>
void inverse_norms(Exec const& exec, Out<Vector<double, Exec>> const& factor, Out<Vector<double, Exec>> const& partials,
                   In<ConstMatrix<T, Exec>> const& G, int batch) {
  require(batch >= 1 && G.size() % static_cast<std::size_t>(batch) == 0 && G.span_is_contiguous(),
          "inverse_norms: the input is not a stack of matrices");
  std::int64_t const size = static_cast<std::int64_t>(G.size()) / batch;
  std::int64_t const blocks = reduce_blocks(size);
  require(static_cast<std::int64_t>(partials.extent(0)) >= batch * blocks && static_cast<int>(factor.extent(0)) >= batch,
          "inverse_norms: workspace too small");
  Kokkos::parallel_for("kaon::polar_squares", Teams<Exec>(exec, static_cast<int>(batch * blocks), fixed_team_size<Exec>),
                       ChunkSquares<T, Exec>{G.data(), partials, size, blocks});
  Kokkos::parallel_for("kaon::polar_norms", Teams<Exec>(exec, batch, fixed_team_size<Exec>),
                       InverseRoot<Exec>{factor, partials, blocks});
}

template <class T, class Exec>
void scaled_copy(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstVector<double, Exec>> const& factor,
                 In<ConstMatrix<T, Exec>> const& G, bool transposed, int batch) {
  auto const count = static_cast<std::size_t>(batch);
  require(batch >= 1 && G.extent(0) % count == 0 && X.size() == G.size() && X.span_is_contiguous() && G.span_is_contiguous() &&
              X.extent(1) == (transposed ? G.extent(0) / count : G.extent(1)),
          "scaled_copy: shapes do not fit");
  int const rows = static_cast<int>(G.extent(0) / count), cols = static_cast<int>(G.extent(1));
  if (X.size() == 0) return;
  if (transposed) {
    using Kernel = ScaledTranspose<T, Exec>;
    int const down = (rows + Kernel::tile - 1) / Kernel::tile, across = (cols + Kernel::tile - 1) / Kernel::tile;
    Kokkos::parallel_for("kaon::polar_scaled_transpose", Entries<Exec>(exec, 0, static_cast<std::int64_t>(batch) * down * across),
                         Kernel{X.data(), G.data(), factor, rows, cols, down, across});
  } else {
    using Kernel = ScaledCopy<T, Exec>;
    std::int64_t const size = static_cast<std::int64_t>(rows) * cols;
    Kokkos::parallel_for("kaon::polar_scaled_copy", Entries<Exec>(exec, 0, batch * ((size + Kernel::chunk - 1) / Kernel::chunk)),
                         Kernel{X.data(), G.data(), factor, size});
  }
}

template <class T, class Exec>
void rescale(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstVector<double, Exec>> const& factor, int power, int batch) {
  require(batch >= 1 && (power == 1 || power == 2) && X.size() % static_cast<std::size_t>(batch) == 0 && X.span_is_contiguous(),
          "rescale: the input is not a stack of matrices");
  auto const size = static_cast<std::int64_t>(X.size());
  Kokkos::parallel_for("kaon::polar_rescale", Entries<Exec>(exec, 0, size),
                       Rescale<T, Exec>{X.data(), factor, size / batch, power});
}

template <class T, class Exec>
void spectral_scale(Exec const& exec, Out<Vector<double, Exec>> const& factor, Out<Vector<double, Exec>> const& norms,
                    Out<Vector<double, Exec>> const& log, Out<Vector<double, Exec>> const& partials,
                    Out<Matrix<T, Exec>> const& work, Out<Matrix<T, Exec>> const& next, In<ConstMatrix<T, Exec>> const& R,
                    int rows, int batch) {
  Kokkos::RangePolicy<Exec> const one_each(exec, 0, batch);
  Matrix<T, Exec> M = work, N = next;
  inverse_norms<T>(exec, norms, partials, R, batch);
  Kokkos::parallel_for("kaon::polar_spectral_log", one_each, SquareLog<Exec>{log, norms, true});
  scaled_copy<T>(exec, M, norms, R, false, batch);
  for (int k = 0; k < spectral_squarings; ++k) {
    syrk<T>(exec, N, Op::none, M, T(1), T(0), batch);
    inverse_norms<T>(exec, norms, partials, N, batch);
    Kokkos::parallel_for("kaon::polar_spectral_log", one_each, SquareLog<Exec>{log, norms, false});
    if (k + 1 < spectral_squarings) scaled_copy<T>(exec, M, norms, N, false, batch);
  }
  double const margin =
      1 + (rows + 2.0 * static_cast<double>(R.extent(1))) * static_cast<double>(std::numeric_limits<T>::epsilon());
  Kokkos::parallel_for("kaon::polar_spectral_root", one_each,
                       Root<Exec>{factor, log, static_cast<double>(2 << spectral_squarings), margin});
}

#define KAON_KERNEL(T, Exec)                                                                                                \
  template void inverse_norms<T, Exec>(Exec const&, Out<Vector<double, Exec>> const&, Out<Vector<double, Exec>> const&,     \
                                       In<ConstMatrix<T, Exec>> const&, int);                                               \
  template void scaled_copy<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstVector<double, Exec>> const&,        \
                                     In<ConstMatrix<T, Exec>> const&, bool, int);                                           \
  template void rescale<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstVector<double, Exec>> const&, int, int); \
  template void spectral_scale<T, Exec>(Exec const&, Out<Vector<double, Exec>> const&, Out<Vector<double, Exec>> const&,    \
                                        Out<Vector<double, Exec>> const&, Out<Vector<double, Exec>> const&,                 \
                                        Out<Matrix<T, Exec>> const&, Out<Matrix<T, Exec>> const&,                           \
                                        In<ConstMatrix<T, Exec>> const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
