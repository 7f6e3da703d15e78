#ifndef KAON_TEST_COMPRESS_HARNESS_HPP
#define KAON_TEST_COMPRESS_HARNESS_HPP

#include "specs.hpp"

#include <kaon/compress/compressor.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace kaon::test {

struct Named {
  std::string name;
  HostMatrix x;
};

/// The inputs on which contraction is checked.
inline std::vector<Named> inputs() {
  std::vector<Named> out;
  out.push_back({"random", random_matrix(40, 56, 1)});
  HostMatrix orthogonal(64, 64);  // Sylvester's Hadamard matrix
  for (int i = 0; i < 64; ++i)
    for (int j = 0; j < 64; ++j) orthogonal(i, j) = (__builtin_popcount(static_cast<unsigned>(i & j)) % 2 == 0 ? 1 : -1) / 8.0;
  out.push_back({"orthogonal", orthogonal});
  HostMatrix unit(48, 48);
  for (int i = 0; i < 48; ++i) unit(i, i) = 1;
  out.push_back({"unit", unit});
  auto const u = random_matrix(50, 3, 2), v = random_matrix(30, 3, 3);
  HostMatrix low(50, 30);
  for (int i = 0; i < 50; ++i)
    for (int j = 0; j < 30; ++j)
      for (int k = 0; k < 3; ++k) low(i, j) += u(i, k) * v(j, k);
  out.push_back({"low rank", low});
  auto heavy = random_matrix(33, 47, 4);
  for (auto& a : heavy.a) a = a * a * a * a * a * std::exp(2 * a);
  out.push_back({"heavy-tailed", heavy});
  HostMatrix spike(20, 40);
  spike(3, 5) = -7;
  out.push_back({"spike", spike});
  out.push_back({"zero", HostMatrix(17, 23)});
  out.push_back({"1 x n", random_matrix(1, 333, 5)});
  out.push_back({"n x 1", random_matrix(333, 1, 6)});
  out.push_back({"1 x 1", random_matrix(1, 1, 7)});
  out.push_back({"odd", random_matrix(3, 5, 8)});
  auto tiny = random_matrix(20, 20, 9);
  for (auto& a : tiny.a) a *= 1e-12;
  out.push_back({"tiny", tiny});
  return out;
}

template <class Exec>
std::vector<unsigned char> host_bytes(Bytes<Exec> const& b) {
  auto const h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, b);
  return {h.data(), h.data() + h.extent(0)};
}

/// A compressor with its buffers, guarded on all sides that a kernel could run over.
template <class T, class Exec>
struct Harness {
  static constexpr std::size_t guard = 256;
  std::unique_ptr<Compressor<T, Exec>> c;
  Exec exec;
  Bytes<Exec> buffer;
  Matrix<T, Exec> state;
  StreamKey key{1234, Purpose::compress_up, 3, 2, 1};

  Harness(std::string const& spec, int rows, int cols) : c(make_compressor<T, Exec>(spec, rows, cols)) {
    buffer = Bytes<Exec>("kaon::test::payload", c->bytes_bound() + guard);
    auto const [m, n] = c->state_shape();
    state = Matrix<T, Exec>("kaon::test::state", static_cast<std::size_t>(m), static_cast<std::size_t>(n));
    c->initialize_state(exec, state, StreamKey{99, Purpose::initialise, 0, 0, 0});
    exec.fence();
  }
  Bytes<Exec> payload(std::size_t n) const { return Kokkos::subview(buffer, std::make_pair(std::size_t{0}, n)); }

  std::vector<unsigned char> compress(HostMatrix const& x) {
    auto const device = to_device<T, Exec>(x);
    Kokkos::deep_copy(buffer, static_cast<unsigned char>(0xa5));
    Scalar<std::uint64_t, Exec> length("kaon::test::length");
    c->compress(exec, payload(c->bytes_bound()), length, device, state, key);
    exec.fence();
    std::uint64_t used = 0;
    Kokkos::deep_copy(used, length);
    EXPECT_LE(used, c->bytes_bound());
    EXPECT_TRUE(c->plausible(used)) << c->spec();
    auto const bytes = host_bytes<Exec>(buffer);
    for (std::size_t i = used; i < bytes.size(); ++i)
      EXPECT_EQ(bytes[i], 0xa5) << c->spec() << " wrote byte " << i << " of " << used;
    auto const unchanged = to_host(device);
    for (std::size_t i = 0; i < x.a.size(); ++i)
      EXPECT_TRUE(unchanged.a[i] == static_cast<double>(static_cast<T>(x.a[i])) || std::isnan(x.a[i]));
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(used)};
  }

  /// y + C(x) from bytes; the memory around y is watched.
  HostMatrix decompress(std::vector<unsigned char> const& bytes, HostMatrix const& y) {
    Bytes<Exec> in("kaon::test::in", bytes.size());
    auto mirror = Kokkos::create_mirror_view(in);
    std::copy(bytes.begin(), bytes.end(), mirror.data());
    Kokkos::deep_copy(in, mirror);
    std::size_t const n = y.a.size();
    Vector<T, Exec> memory("kaon::test::guarded", n + 2 * guard);
    auto host = Kokkos::create_mirror_view(memory);
    for (std::size_t i = 0; i < n + 2 * guard; ++i) host(i) = T(-12345);
    for (std::size_t i = 0; i < n; ++i) host(guard + i) = static_cast<T>(y.a[i]);
    Kokkos::deep_copy(memory, host);
    Matrix<T, Exec> const out(memory.data() + guard, static_cast<std::size_t>(y.rows), static_cast<std::size_t>(y.cols));
    c->decompress_add(exec, out, in, bytes.size());
    exec.fence();
    Kokkos::deep_copy(host, memory);
    for (std::size_t i = 0; i < guard; ++i) {
      EXPECT_EQ(host(i), T(-12345)) << c->spec() << " wrote before y";
      EXPECT_EQ(host(guard + n + i), T(-12345)) << c->spec() << " wrote behind y";
    }
    HostMatrix r(y.rows, y.cols);
    for (std::size_t i = 0; i < n; ++i) r.a[i] = static_cast<double>(host(guard + i));
    return r;
  }
  HostMatrix apply(HostMatrix const& x) { return decompress(compress(x), HostMatrix(x.rows, x.cols)); }
};

/// x rounded to T, as the device sees it.
template <class T>
HostMatrix rounded(HostMatrix x) {
  for (auto& a : x.a) a = static_cast<double>(static_cast<T>(a));
  return x;
}

inline double squared(HostMatrix const& x) {
  double s = 0;
  for (double const a : x.a) s += a * a;
  return s;
}

/// 1 − ‖C − x‖²/‖x‖²; 1 for x = 0 = C.
inline double alpha(HostMatrix const& c, HostMatrix const& x) {
  double error = 0;
  for (std::size_t i = 0; i < x.a.size(); ++i) error += (c.a[i] - x.a[i]) * (c.a[i] - x.a[i]);
  double const all = squared(x);
  return all > 0 ? 1 - error / all : (error == 0 ? 1 : -std::numeric_limits<double>::infinity());
}

}  // namespace kaon::test

#endif
