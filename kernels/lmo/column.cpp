#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/lmo/norms.hpp>

#include <algorithm>

namespace kaon {
namespace column_norm {

/// Column j of Z ← −s·g_j/√(squares(j)); zero where that norm is zero.
template <class T, class Exec>
void directions(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
                In<ConstVector<double, Exec>> const& squares, double scale) {
  int const n = static_cast<int>(G.extent(1));
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  Kokkos::parallel_for(
      "kaon::lmo_column", Policy(exec, static_cast<int>(G.extent(0)), fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        int const i = team.league_rank();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [&](int const j) {
          double const square = squares(j);
          Z(i, j) = square == 0.0 ? T(0) : static_cast<T>(-scale * (static_cast<double>(G(i, j)) / math::sqrt(square)));
        });
      });
}

template <class Exec>
void sum_roots(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
               In<ConstVector<double, Exec>> const& squares, double scale) {
  reduce_sum(
      exec, "kaon::lmo_column_dual", result, partials, static_cast<std::int64_t>(squares.extent(0)),
      KOKKOS_LAMBDA(std::int64_t const j) { return scale * math::sqrt(squares(j)); });
}

template <class T, class Exec>
class ColumnLmo final : public Lmo<T, Exec> {
 public:
  ColumnLmo(int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        squares_("kaon::lmo_column::squares", static_cast<std::size_t>(cols)),
        partials_("kaon::lmo_column::partials",
                  static_cast<std::size_t>(std::max(column_workspace(rows, cols), reduce_blocks(cols)))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    column_sum_squares<T>(exec, squares_, partials_, G);
    directions<T>(exec, Z, G, squares_, this->scale());
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    column_sum_squares<T>(exec, squares_, partials_, G);
    sum_roots(exec, result, partials_, squares_, this->scale());
  }

 private:
  Vector<double, Exec> squares_, partials_;
};

}  // namespace column_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_column_lmo(int rows, int cols, double scale) {
  return std::make_unique<column_norm::ColumnLmo<T, Exec>>(rows, cols, scale);
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_column_lmo<T, Exec>(int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
