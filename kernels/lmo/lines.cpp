// The norms 1→2 (largest column) and 2→∞ (largest row).
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/lmo/norms.hpp>

#include <cmath>

#include <algorithm>

namespace kaon {
namespace line_norm {

/// x ← √x.
template <class Exec>
void roots(Exec const& exec, Out<Vector<double, Exec>> const& x) {
  Kokkos::parallel_for(
      "kaon::lmo_line_roots", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<int>(x.extent(0))),
      KOKKOS_LAMBDA(int const i) { x(i) = math::sqrt(x(i)); });
}

/// z_ij ← −s·g_ij/norm of the line it is in, zero where that is zero. The line is i·row_stride + j·column_stride.
template <class T, class Exec>
void directions(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
                In<ConstVector<double, Exec>> const& norms, int row_stride, int column_stride, double scale) {
  int const n = static_cast<int>(G.extent(1));
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::lmo_line", Policy(exec, static_cast<int>(G.extent(0)), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [&](int const j) {
          double const norm = norms(i * row_stride + j * column_stride);
          Z(i, j) = norm == 0.0 ? T(0) : static_cast<T>(-scale * (static_cast<double>(G(i, j)) / norm));
        });
      });
}

template <class Exec>
void sum(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
         In<ConstVector<double, Exec>> const& norms, double scale) {
  reduce_sum(
      exec, "kaon::lmo_line_dual", result, partials, static_cast<std::int64_t>(norms.extent(0)),
      KOKKOS_LAMBDA(std::int64_t const i) { return scale * norms(i); });
}

template <class T, class Exec>
class LineLmo final : public Lmo<T, Exec> {
 public:
  LineLmo(bool columns, int rows, int cols, double scale) : Lmo<T, Exec>(rows, cols, scale), columns_(columns) {
    int const lines = columns ? cols : rows;
    auto const sums = columns ? column_workspace(rows, cols) : 0;
    norms_ = Vector<double, Exec>("kaon::lmo_line::norms", static_cast<std::size_t>(lines));
    partials_ = Vector<double, Exec>("kaon::lmo_line::partials", static_cast<std::size_t>(std::max(sums, reduce_blocks(lines))));
  }

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    find_norms(exec, G);
    directions<T>(exec, Z, G, norms_, columns_ ? 0 : 1, columns_ ? 1 : 0, this->scale());
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    find_norms(exec, G);
    sum(exec, result, partials_, norms_, this->scale());
  }

 private:
  void find_norms(Exec const& exec, ConstMatrix<T, Exec> const& G) {
    if (columns_)
      column_sum_squares<T>(exec, norms_, partials_, G);
    else
      row_sum_squares<T>(exec, norms_, G);
    roots(exec, norms_);
  }

  bool columns_;
  Vector<double, Exec> norms_, partials_;
};

}  // namespace line_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_line_lmo(Lines lines, int rows, int cols, double scale) {
  return std::make_unique<line_norm::LineLmo<T, Exec>>(lines == Lines::columns, rows, cols, scale);
}

// The stack of blocks has the rows of its blocks, but not their columns.
NormTraits line_norm_traits(Lines lines) {
  if (lines == Lines::columns)
    return {"column", lmo_scales(), [](double m, double) { return std::sqrt(m); }, nullptr, entrywise_cost, never, always};
  return {"row", lmo_scales(), [](double, double n) { return 1 / std::sqrt(n); }, nullptr, entrywise_cost, always, always};
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_line_lmo<T, Exec>(Lines, int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
