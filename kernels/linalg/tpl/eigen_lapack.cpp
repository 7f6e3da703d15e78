#include <kaon/linalg/tpl/eigen_lapack.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cstddef>

// Debian's OpenBLAS has no LAPACKE. The last two arguments are Fortran's hidden lengths of jobz and uplo.
extern "C" void dsyevd_(char const*, char const*, int const*, double*, int const*, double*, double*, int const*, int*, int const*,
                        int*, std::size_t, std::size_t);

namespace kaon::tpl {

LapackEigen::LapackEigen(int n) : n_(n) {
  double best = 0;
  int ibest = 0, info = 0;
  int const query = -1;
  dsyevd_("V", "U", &n, nullptr, &n, nullptr, &best, &query, &ibest, &query, &info, 1, 1);
  if (info != 0) throw NumericalError("LAPACK's dsyevd refuses to name its workspace");
  work_.resize(static_cast<std::size_t>(std::max(1.0, best)));
  iwork_.resize(static_cast<std::size_t>(std::max(1, ibest)));
}

int LapackEigen::operator()(double* a, double* w) {
  int const lwork = static_cast<int>(work_.size());
  int const liwork = static_cast<int>(iwork_.size());
  int info = 0;
  dsyevd_("V", "U", &n_, a, &n_, w, work_.data(), &lwork, iwork_.data(), &liwork, &info, 1, 1);
  return info;
}

}  // namespace kaon::tpl
