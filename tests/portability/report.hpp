#ifndef KAON_PORTABILITY_REPORT_HPP
#define KAON_PORTABILITY_REPORT_HPP

#include <kaon/support/backends.hpp>

#include <string>

namespace kaon::test {

/// One line of the report, and a failure of the running test unless error <= bound (a NaN fails).
void record(std::string const& backend, std::string const& scalar, std::string const& kernel, double error, double bound);

template <class B>
void record(std::string const& kernel, double error, double bound) {
  record(B::Exec::name(), sizeof(typename B::T) == 4 ? "float" : "double", kernel, error, bound);
}

/// max |a − b| / max |b|; infinite where shapes differ or anything is not finite.
double relative_error(HostMatrix const& a, HostMatrix const& b);

/// Unit roundoff of T times `units`.
template <class T>
double ulps(double units) {
  return units * (sizeof(T) == 4 ? 0x1p-24 : 0x1p-53);
}

}  // namespace kaon::test

#endif
