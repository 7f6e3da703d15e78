#include <kaon/linalg/eigen.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/eigen_jacobi.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/linalg/tpl/eigen_cusolver.hpp>
#include <kaon/linalg/tpl/eigen_lapack.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

namespace kaon {
namespace eigen {

constexpr int most_sweeps = 40;

template <class Exec>
double read(Exec const& exec, Scalar<double, Exec> const& device) {
  double host = 0;
  using Host = Kokkos::View<double, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(exec, Host(&host), device);
  exec.fence();
  return host;
}

/// LAPACK on memory that the host can work in: the matrix itself, or a mirror of it.
template <class Exec>
struct Lapack {
  tpl::LapackEigen solve;
  Kokkos::View<double**, Kokkos::LayoutRight, StagingSpace> a;
  Kokkos::View<double*, Kokkos::LayoutRight, StagingSpace> w;

  explicit Lapack(int n) : solve(n) {
    if constexpr (!runs_on_host<Exec>) {
      a = decltype(a)("kaon::eigen::mirror", static_cast<std::size_t>(n), static_cast<std::size_t>(n));
      w = decltype(w)("kaon::eigen::mirror_values", static_cast<std::size_t>(n));
    }
  }

  int operator()(Exec const& exec, Matrix<double, Exec> const& A, Vector<double, Exec> const& values) {
    if constexpr (runs_on_host<Exec>) {
      exec.fence();
      return solve(A.data(), values.data());
    } else {
      Kokkos::deep_copy(exec, a, A);
      exec.fence();
      int const info = solve(a.data(), w.data());
      Kokkos::deep_copy(exec, A, a);
      Kokkos::deep_copy(exec, values, w);
      exec.fence();
      return info;
    }
  }
};

#if KAON_EIGEN_CUSOLVER
struct Cusolver {
  tpl::CusolverEigen solve;
  explicit Cusolver(int n) : solve(n) {}
  int operator()(Kokkos::Cuda const& exec, Matrix<double, Kokkos::Cuda> const& A, Vector<double, Kokkos::Cuda> const& values) {
    return solve(exec, A.data(), values.data());
  }
};
template <class Exec>
using Solver = std::conditional_t<std::is_same_v<Exec, Kokkos::Cuda>, Cusolver, Lapack<Exec>>;
template <class Exec>
inline constexpr bool vendor_is_best = runs_on_host<Exec> || std::is_same_v<Exec, Kokkos::Cuda>;
#else
template <class Exec>
using Solver = Lapack<Exec>;
template <class Exec>
inline constexpr bool vendor_is_best = runs_on_host<Exec>;
#endif

}  // namespace eigen

template <class Exec>
struct SymmetricEigen<Exec>::Vendor : eigen::Solver<Exec> {
  using eigen::Solver<Exec>::Solver;
};

template <class Exec>
SymmetricEigen<Exec>::SymmetricEigen(int n, EigenRoute route) : n_(n), sum_("kaon::eigen::sum") {
  require(n > 0, "SymmetricEigen: needs a matrix of at least one row");
  auto const size = static_cast<std::size_t>(n);
  partials_ = Vector<double, Exec>("kaon::eigen::partials", static_cast<std::size_t>(norm_workspace(n, n)));
  if (route == EigenRoute::vendor || (route == EigenRoute::best && eigen::vendor_is_best<Exec>)) {
    vendor_ = std::make_unique<Vendor>(n);
    return;
  }
  vectors_ = Matrix<double, Exec>("kaon::eigen::vectors", size, size);
  rotations_ = Vector<double, Exec>("kaon::eigen::rotations", size + 2);
  diagonal_ = Vector<double, Exec>("kaon::eigen::diagonal", size);
}

template <class Exec>
SymmetricEigen<Exec>::~SymmetricEigen() = default;
template <class Exec>
SymmetricEigen<Exec>::SymmetricEigen(SymmetricEigen&&) noexcept = default;
template <class Exec>
SymmetricEigen<Exec>& SymmetricEigen<Exec>::operator=(SymmetricEigen&&) noexcept = default;

template <class Exec>
void SymmetricEigen<Exec>::operator()(Exec const& exec, Out<Vector<double, Exec>> const& values,
                                      Out<Matrix<double, Exec>> const& A) {
  require(static_cast<int>(A.extent(0)) == n_ && static_cast<int>(A.extent(1)) == n_ && static_cast<int>(values.extent(0)) == n_,
          "SymmetricEigen: another shape than the workspace");
  require(A.span_is_contiguous(), "SymmetricEigen: the matrix is not contiguous");
  sum_squares<double>(exec, sum_, partials_, A);
  double const squares = eigen::read(exec, sum_);
  if (!std::isfinite(squares)) throw NumericalError("SymmetricEigen: the matrix holds a NaN or an infinity");
  if (vendor_) {
    int const info = (*vendor_)(exec, A, values);
    if (info != 0)
      throw NumericalError("SymmetricEigen: syevd returned " + std::to_string(info) + " for n = " + std::to_string(n_));
    return;
  }
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  jacobi::Tournament schedule{n_, 0};
  int const rounds = schedule.even() - 1;
  jacobi::identity(exec, vectors_);
  for (int sweep = 0;; ++sweep) {
    jacobi::off_diagonal(exec, sum_, partials_, A);
    if (eigen::read(exec, sum_) <= epsilon * epsilon * squares) break;
    if (sweep == eigen::most_sweeps)
      throw NumericalError("SymmetricEigen: no convergence in " + std::to_string(sweep) +
                           " Jacobi sweeps of n = " + std::to_string(n_));
    for (int round = 0; round < rounds; ++round) {
      schedule.round = round;
      jacobi::Angles<Exec> const angles{rotations_, A, schedule, 1e-18 * std::sqrt(squares)};
      Kokkos::parallel_for("kaon::eigen_angles", Kokkos::RangePolicy<Exec>(exec, 0, schedule.pairs()), angles);
      jacobi::Rotate<Exec> const rotate{A, vectors_, rotations_, schedule};
      Kokkos::parallel_for("kaon::eigen_rotate", Kokkos::TeamPolicy<Exec>(exec, schedule.pairs(), fixed_team_size<Exec>), rotate);
    }
  }
  jacobi::diagonal(exec, diagonal_, A);
  jacobi::Sort<Exec> const sort{values, A, diagonal_, vectors_};
  Kokkos::parallel_for("kaon::eigen_sort", Kokkos::TeamPolicy<Exec>(exec, n_, fixed_team_size<Exec>), sort);
}

#define KAON_KERNEL(Exec) template class SymmetricEigen<Exec>;
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
