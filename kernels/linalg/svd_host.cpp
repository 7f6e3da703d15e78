#include <kaon/linalg/svd_host.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

// Debian's OpenBLAS has no LAPACKE. The last argument is Fortran's hidden length of jobz.
extern "C" {
void sgesdd_(char const*, int const*, int const*, float*, int const*, float*, float*, int const*, float*, int const*, float*,
             int const*, int*, int*, std::size_t);
void dgesdd_(char const*, int const*, int const*, double*, int const*, double*, double*, int const*, double*, int const*, double*,
             int const*, int*, int*, std::size_t);
}

namespace kaon {
namespace {

template <class T>
int gesdd(int m, int n, T* a, T* s, T* u, int ldu, T* vt, int ldvt, T* work, int lwork, int* iwork) {
  int info = 0;
  if constexpr (std::is_same_v<T, float>)
    sgesdd_("S", &m, &n, a, &m, s, u, &ldu, vt, &ldvt, work, &lwork, iwork, &info, 1);
  else
    dgesdd_("S", &m, &n, a, &m, s, u, &ldu, vt, &ldvt, work, &lwork, iwork, &info, 1);
  return info;
}

}  // namespace

template <class T>
ThinSvd<T> svd_host(int rows, int cols, std::vector<T> a) {
  require(rows >= 0 && cols >= 0 && a.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols),
          "svd_host: the length is not rows × cols");
  ThinSvd<T> f;
  f.rows = rows;
  f.cols = cols;
  f.rank = std::min(rows, cols);
  auto const r = static_cast<std::size_t>(f.rank);
  f.u.resize(static_cast<std::size_t>(rows) * r);
  f.vt.resize(r * static_cast<std::size_t>(cols));
  f.s.resize(r);
  if (r == 0) return f;
  if (!std::all_of(a.begin(), a.end(), [](T x) { return std::isfinite(x); }))
    throw NumericalError("svd_host: the matrix holds a NaN or an infinity");
  // A row-major matrix is its transpose in Fortran's order: Aᵀ = V·S·Uᵀ, so LAPACK's "U" is our Vt and its "VT" our U.
  std::vector<int> iwork(8 * r);
  T best = 0;
  int info = gesdd(cols, rows, a.data(), f.s.data(), f.vt.data(), cols, f.u.data(), f.rank, &best, -1, iwork.data());
  // A float cannot hold every large workspace size: one ulp more.
  auto const lwork = static_cast<int>(std::ceil(static_cast<double>(best) * (1.0 + std::numeric_limits<T>::epsilon())));
  std::vector<T> work(static_cast<std::size_t>(std::max(1, lwork)));
  if (info == 0)
    info = gesdd(cols, rows, a.data(), f.s.data(), f.vt.data(), cols, f.u.data(), f.rank, work.data(), lwork, iwork.data());
  if (info != 0)
    throw NumericalError("svd_host: LAPACK's gesdd returned " + std::to_string(info) + " for a " + std::to_string(rows) + "×" +
                         std::to_string(cols) + " matrix");
  return f;
}

template <class T, class Exec>
ThinSvd<T> svd_host(Exec const& exec, In<ConstMatrix<T, Exec>> const& A) {
  require(A.span_is_contiguous(), "svd_host: the matrix is not contiguous");
  std::vector<T> a(A.size());
  using Host = Kokkos::View<T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Kokkos::deep_copy(exec, Host(a.data(), a.size()), ConstVector<T, Exec>(A.data(), A.size()));
  exec.fence();
  return svd_host<T>(static_cast<int>(A.extent(0)), static_cast<int>(A.extent(1)), std::move(a));
}

template ThinSvd<float> svd_host<float>(int, int, std::vector<float>);
template ThinSvd<double> svd_host<double>(int, int, std::vector<double>);
#define KAON_KERNEL(T, Exec) template ThinSvd<T> svd_host<T, Exec>(Exec const&, In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
