#ifndef KAON_SUPPORT_BACKENDS_HPP
#define KAON_SUPPORT_BACKENDS_HPP

#include <kaon/core/instantiate.hpp>
#include <kaon/core/types.hpp>
#include <kaon/random/stream.hpp>

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace kaon::test {

/// One scalar type on one execution space: the parameter of every typed kernel test.
template <class T_, class Exec_>
struct Backend {
  using T = T_;
  using Exec = Exec_;
};

namespace detail {
template <class... B>
::testing::Types<B...> as_types(std::tuple<int, B...>);
}
#define KAON_BACKEND_ENTRY(T, Exec) , ::kaon::test::Backend<T, Exec>
/// float and double on every execution space of this Kokkos: TYPED_TEST_SUITE(Suite, kaon::test::Backends).
using Backends = decltype(detail::as_types(std::tuple<int KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_BACKEND_ENTRY)>{}));
#undef KAON_BACKEND_ENTRY

/// Names for tests typed by Backends, float_OpenMP and the like, or by execution spaces alone: what --gtest_filter chooses by.
struct BackendNames {
  template <class B>
  static std::string GetName(int) {
    return std::string(sizeof(typename B::T) == 4 ? "float_" : "double_") + B::Exec::name();
  }
};
struct SpaceNames {
  template <class Exec>
  static std::string GetName(int) {
    return Exec::name();
  }
};

/// Row-major host matrix in fp64: what references compute with.
struct HostMatrix {
  int rows = 0, cols = 0;
  std::vector<double> a;
  HostMatrix() = default;
  HostMatrix(int m, int n) : rows(m), cols(n), a(static_cast<std::size_t>(m) * static_cast<std::size_t>(n), 0.0) {}
  double& operator()(int i, int j) {
    return a[static_cast<std::size_t>(i) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(j)];
  }
  double operator()(int i, int j) const {
    return a[static_cast<std::size_t>(i) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(j)];
  }
};

/// Standard normal entries from a fixed, printed seed.
inline HostMatrix random_matrix(int m, int n, std::uint64_t seed) {
  HostMatrix h(m, n);
  StreamKey const key{seed, Purpose::test, 0, 0, 0};
  for (std::size_t i = 0; i < h.a.size(); ++i) h.a[i] = random_normal(key, i);
  return h;
}

template <class T, class Exec>
Matrix<T, Exec> to_device(HostMatrix const& h) {
  Matrix<T, Exec> d("kaon::test::matrix", static_cast<std::size_t>(h.rows), static_cast<std::size_t>(h.cols));
  auto m = Kokkos::create_mirror_view(Kokkos::HostSpace{}, d);
  for (int i = 0; i < h.rows; ++i)
    for (int j = 0; j < h.cols; ++j) m(i, j) = static_cast<T>(h(i, j));
  Kokkos::deep_copy(d, m);
  return d;
}

template <class View>
HostMatrix to_host(View const& d) {
  auto m = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, d);
  HostMatrix h(static_cast<int>(d.extent(0)), static_cast<int>(d.extent(1)));
  for (int i = 0; i < h.rows; ++i)
    for (int j = 0; j < h.cols; ++j) h(i, j) = static_cast<double>(m(i, j));
  return h;
}

}  // namespace kaon::test

#endif
