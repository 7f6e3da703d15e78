#include <kaon/linalg/dot_product_gemm.hpp>

#include <kaon/core/instantiate.hpp>
#include <kaon/core/reduce.hpp>

namespace kaon {
namespace {

template <class T, class Exec>
struct DotProducts {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Matrix<T, Exec> C;
  ConstMatrix<T, Exec> A, B;
  T alpha, beta;
  int n, k;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    int const i = team.league_rank() / n, j = team.league_rank() % n;
    double const sum = detail::team_sum<Exec>(
        team, 0, k, [&](std::int64_t const l) { return static_cast<double>(A(l, i)) * static_cast<double>(B(l, j)); });
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      double const product = static_cast<double>(alpha) * sum;
      C(i, j) = static_cast<T>(beta == T(0) ? product : product + static_cast<double>(beta) * static_cast<double>(C(i, j)));
    });
  }
};

}  // namespace

template <class T, class Exec>
void dot_product_gemm(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                      In<ConstMatrix<T, Exec>> const& B, T alpha, T beta) {
  require(A.extent(0) == B.extent(0) && C.extent(0) == A.extent(1) && C.extent(1) == B.extent(1),
          "dot_product_gemm: shapes do not fit");
  require(C.size() == 0 || (C.data() != A.data() && C.data() != B.data()), "dot_product_gemm: the output is also an input");
  if (C.size() == 0) return;
  Kokkos::parallel_for("kaon::dot_product_gemm",
                       Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(C.size()), fixed_team_size<Exec>),
                       DotProducts<T, Exec>{C, A, B, alpha, beta, static_cast<int>(C.extent(1)), static_cast<int>(A.extent(0))});
}

#define KAON_KERNEL(T, Exec)                                                                                         \
  template void dot_product_gemm<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, \
                                          In<ConstMatrix<T, Exec>> const&, T, T);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
