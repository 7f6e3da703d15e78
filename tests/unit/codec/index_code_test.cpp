#include <kaon/codec/index_code.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace index_code_test {

using namespace kaon;

template <class B>
struct IndexCodeTest : ::testing::Test {};
template <class... B>
::testing::Types<B...> drop_first(::testing::Types<int, B...>);
#define KAON_ENTRY(Exec) , Exec
using Spaces = decltype(drop_first(::testing::Types<int KAON_FOR_EACH_SPACE(KAON_ENTRY)>{}));
TYPED_TEST_SUITE(IndexCodeTest, Spaces, test::SpaceNames);

std::uint32_t word(std::uint64_t seed, std::uint64_t i) { return random_word(StreamKey{seed, Purpose::test, 0, 0, 0}, i); }

/// k increasing indices below n, every subset equally likely (Knuth's algorithm S).
std::vector<std::uint32_t> random_subset(std::uint64_t n, std::uint64_t k, std::uint64_t seed) {
  std::vector<std::uint32_t> out;
  for (std::uint64_t i = 0; i < n && out.size() < k; ++i) {
    double const u = (word(seed, i) + 0.5) / 4294967296.0;
    if (static_cast<double>(n - i) * u < static_cast<double>(k - out.size())) out.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

double log2_choose(double n, double k) {
  return (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2.0);
}

constexpr std::size_t guard = 64;

/// Encoded bytes of `indices`; checks the bound and that nothing beyond it is written.
template <class Exec>
std::vector<unsigned char> encode(std::uint64_t n, std::vector<std::uint32_t> const& indices) {
  IndexCodec<Exec> const codec(n, indices.size());
  Vector<std::uint32_t, Exec> device("kaon::test::indices", indices.size());
  auto mirror = Kokkos::create_mirror_view(device);
  for (std::size_t i = 0; i < indices.size(); ++i) mirror(i) = indices[i];
  Kokkos::deep_copy(device, mirror);
  Bytes<Exec> out("kaon::test::bytes", codec.bytes_bound() + guard);
  Kokkos::deep_copy(out, static_cast<unsigned char>(0xa5));
  Scalar<std::uint64_t, Exec> length("kaon::test::length");
  Exec const exec;
  codec.encode(exec, Kokkos::subview(out, std::make_pair(std::size_t{0}, static_cast<std::size_t>(codec.bytes_bound()))), length,
               1000, device);
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, out);
  std::uint64_t used = 0;
  Kokkos::deep_copy(used, length);
  used -= 1000;
  EXPECT_LE(used, codec.bytes_bound());
  EXPECT_GE(used, codec.bytes_least());
  EXPECT_EQ(used % 8, 0U);
  for (std::size_t i = used; i < host.extent(0); ++i) EXPECT_EQ(host(i), 0xa5) << "byte " << i << " after the code was written";
  return {host.data(), host.data() + used};
}

template <class Exec>
std::vector<std::uint32_t> decode(std::uint64_t n, std::uint64_t k, std::vector<unsigned char> const& code) {
  IndexCodec<Exec> const codec(n, k);
  Bytes<Exec> bytes("kaon::test::bytes", code.size());
  auto mirror = Kokkos::create_mirror_view(bytes);
  for (std::size_t i = 0; i < code.size(); ++i) mirror(i) = code[i];
  Kokkos::deep_copy(bytes, mirror);
  Vector<std::uint32_t, Exec> device("kaon::test::indices", k + guard);
  Kokkos::deep_copy(device, 0xdeadbeefU);
  Exec const exec;
  codec.decode(exec, Kokkos::subview(device, std::make_pair(std::size_t{0}, static_cast<std::size_t>(k))), bytes, code.size());
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, device);
  for (std::size_t i = k; i < k + guard; ++i) EXPECT_EQ(host(i), 0xdeadbeefU) << "index after the end was written";
  return {host.data(), host.data() + k};
}

TYPED_TEST(IndexCodeTest, RoundTripsRandomSubsets) {
  std::uint64_t seed = 100;
  for (std::uint64_t n : {1ULL, 2ULL, 7ULL, 1000ULL, 1025ULL, 30000ULL, 100000ULL})
    for (double p : {1e-4, 0.01, 0.03, 0.11, 0.15, 0.3, 0.5, 0.9, 1.0}) {
      auto const k = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(p * static_cast<double>(n)));
      auto const indices = random_subset(n, k, ++seed);
      ASSERT_EQ(indices.size(), k);
      EXPECT_EQ(decode<TypeParam>(n, k, encode<TypeParam>(n, indices)), indices) << "n " << n << " k " << k << " seed " << seed;
    }
}

TYPED_TEST(IndexCodeTest, RoundTripsExtremesWithinTheBound) {
  std::uint64_t const n = 200000;
  for (std::uint64_t k : {1ULL, 2ULL, 1025ULL, 2047ULL, 2048ULL, 2049ULL, 5000ULL, 6144ULL, 150000ULL}) {
    std::vector<std::uint32_t> first(k), last(k), split(k);
    for (std::uint64_t i = 0; i < k; ++i) {
      first[i] = static_cast<std::uint32_t>(i);
      last[i] = static_cast<std::uint32_t>(n - k + i);
      split[i] = i < k / 2 ? first[i] : last[i];  // one huge gap
    }
    for (auto const& indices : {first, last, split}) EXPECT_EQ(decode<TypeParam>(n, k, encode<TypeParam>(n, indices)), indices);
  }
  std::uint64_t const big = (std::uint64_t{1} << 31) - 1;
  std::vector<std::uint32_t> const far{0, 1, 2147483645U, 2147483646U};
  EXPECT_EQ(decode<TypeParam>(big, 4, encode<TypeParam>(big, far)), far);
}

TYPED_TEST(IndexCodeTest, IsWithinTwoPercentOfTheEntropy) {
  std::uint64_t seed = 500;
  double worst = 0;
  for (std::uint64_t n : {100000ULL, 589824ULL})
    for (double p : {0.01, 0.015, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1, 0.11, 0.12, 0.15}) {
      auto const k = static_cast<std::uint64_t>(p * static_cast<double>(n));
      auto const code = encode<TypeParam>(n, random_subset(n, k, ++seed));
      double const bits = 8.0 * static_cast<double>(code.size()) / static_cast<double>(k);
      double const entropy = log2_choose(static_cast<double>(n), static_cast<double>(k)) / static_cast<double>(k);
      double const overhead = bits / entropy - 1;
      if (n == 589824)
        std::printf("n %llu density %.3f: %.3f bits an index, entropy %.3f, overhead %.2f %%\n",
                    static_cast<unsigned long long>(n), p, bits, entropy, 100 * overhead);
      EXPECT_LE(overhead, 0.02) << "n " << n << " density " << p;
      EXPECT_GE(overhead, 0.0);
      worst = std::max(worst, overhead);
    }
  std::printf("worst overhead %.2f %% (goal 2 %%)\n", 100 * worst);
}

TYPED_TEST(IndexCodeTest, ArbitraryBytesDecodeToIndicesInRange) {
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    std::uint64_t const n = 10 + word(900, 3 * trial) % 50000;
    std::uint64_t const k = 1 + word(900, 3 * trial + 1) % n;
    std::uint64_t const least = IndexCodec<TypeParam>(n, k).bytes_least();
    std::uint64_t const bound = index_bytes_bound(n, k);
    std::vector<unsigned char> code(least + 8 * (word(900, 3 * trial + 2) % ((bound - least) / 8 + 1)));
    unsigned const kind = trial % 4;
    for (std::size_t i = 0; i < code.size(); ++i)
      code[i] = kind == 0 ? 0xff : kind == 1 ? 0 : static_cast<unsigned char>(word(901 + trial, i));
    if (kind == 3)  // believable directory, garbage codes
      for (std::size_t i = 0; i < least; ++i) code[i] = i % 4 < 2 && i % 8 < 4 ? code[i] : 0;
    for (std::uint32_t const index : decode<TypeParam>(n, k, code))
      ASSERT_TRUE(index < n || index == no_index) << "trial " << trial;
  }
}

TYPED_TEST(IndexCodeTest, FlippedBitsOfAGoodCodeAreSafe) {
  std::uint64_t const n = 40000, k = 3000;
  auto const good = encode<TypeParam>(n, random_subset(n, k, 77));
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    auto bad = good;
    for (int flips = 0; flips < 3; ++flips)
      bad[word(78, 6 * trial + flips) % bad.size()] ^= static_cast<unsigned char>(1 << (trial % 8));
    for (std::uint32_t const index : decode<TypeParam>(n, k, bad)) ASSERT_TRUE(index < n || index == no_index);
  }
}

TYPED_TEST(IndexCodeTest, BytesAreTheSameOnEveryHostBackend) {
  std::uint64_t const n = 123457, k = 9000;
  auto const indices = random_subset(n, k, 5);
  EXPECT_EQ(encode<TypeParam>(n, indices), encode<Kokkos::DefaultHostExecutionSpace>(n, indices));
}

TEST(IndexCode, LayoutIsAsDocumented) {
  // n = 16, k = 4: m = round(ln 2 (4 - 1/2)) = 2, one remainder bit. Gaps less one: 1 -> q 0 r 1; 0; 5 -> q 2 r 1.
  EXPECT_EQ(index_code(16, 4).m, 2U);
  auto const code = encode<Kokkos::DefaultHostExecutionSpace>(16, {3, 5, 6, 12});
  // first index, words of the block, padding of the directory; bits, lowest first: 0 1 | 0 0 | 1 1 0 1
  std::vector<unsigned char> const expected{3, 0, 0, 0, 1, 0, 0, 0, 0b10110010, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(code, expected);
  // n = 1000, k = 2: m = 346, bits 9, so a quotient never reaches 23. n = 1000, k = 500: m = 1, bits 0, escape 32: a gap of 40 is
  // 32 ones and 40 in 32 bits, then ten gaps less one of 0.
  EXPECT_EQ(index_code(1000, 2).escape, 23U);
  std::vector<std::uint32_t> sparse(500);
  for (std::uint32_t i = 0; i < 500; ++i) sparse[i] = i == 0 ? 0 : 40 + i;
  auto const escaped = encode<Kokkos::DefaultHostExecutionSpace>(1000, sparse);
  EXPECT_EQ(escaped[4], (64 + 498 + 31) / 32);
  std::vector<unsigned char> const code_begin(escaped.begin() + 8, escaped.begin() + 18);
  EXPECT_EQ(code_begin, (std::vector<unsigned char>{255, 255, 255, 255, 40, 0, 0, 0, 0, 0}));
}

TEST(IndexCode, DividesExactlyByItsReciprocal) {
  std::uint64_t tried = 0;
  for (std::uint64_t n : {5ULL, 1000ULL, 77777ULL, 16777216ULL, 2147483647ULL})
    for (std::uint64_t k = 1; k <= n; k = k * 3 + 1) {
      auto const code = index_code(n, k);
      for (std::uint64_t j = 0; j < 200; ++j) {
        std::uint64_t const multiple = word(600, ++tried) % (n / code.m + 1) * code.m;
        for (std::uint64_t const g : {multiple, multiple + code.m - 1, multiple == 0 ? 0 : multiple - 1, n - 1}) {
          if (g >= std::uint64_t{1} << 31) continue;
          ASSERT_EQ((g * code.inverse) >> (31 + code.bits), g / code.m) << "g " << g << " m " << code.m;
        }
      }
    }
}

TYPED_TEST(IndexCodeTest, AppendsBehindWhatOnlyTheDeviceKnows) {
  using Exec = TypeParam;
  std::uint64_t const n = 50000, k = 4000, before = 4096;
  auto const indices = random_subset(n, k, 91);
  auto const plain = encode<Exec>(n, indices);
  IndexCodec<Exec> const codec(n, k);
  Vector<std::uint32_t, Exec> device("kaon::test::indices", k);
  auto mirror = Kokkos::create_mirror_view(device);
  for (std::size_t i = 0; i < k; ++i) mirror(i) = indices[i];
  Kokkos::deep_copy(device, mirror);
  Bytes<Exec> out("kaon::test::bytes", before + codec.bytes_bound());
  Scalar<std::uint64_t, Exec> length("kaon::test::length");
  Kokkos::deep_copy(length, before);
  Exec const exec;
  codec.append(exec, out, length, device);
  exec.fence();
  std::uint64_t used = 0;
  Kokkos::deep_copy(used, length);
  ASSERT_EQ(used, before + plain.size());
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, out);
  EXPECT_TRUE(std::equal(plain.begin(), plain.end(), host.data() + before));
  Scalar<std::uint64_t, Exec> begin("kaon::test::begin");
  for (std::uint64_t const at : {before, std::uint64_t{0}, before + 1, used, used + 8, ~std::uint64_t{7}}) {
    Kokkos::deep_copy(begin, at);
    codec.decode(exec, device, out, used, begin);
    exec.fence();
    Kokkos::deep_copy(mirror, device);
    for (std::size_t i = 0; i < k; ++i) {
      if (at == before)
        ASSERT_EQ(mirror(i), indices[i]);
      else if (at != 0)
        ASSERT_EQ(mirror(i), no_index) << "begin " << at;
      else
        ASSERT_TRUE(mirror(i) < n || mirror(i) == no_index);
    }
  }
}

TEST(IndexCode, RefusesBadShapes) {
  EXPECT_THROW(index_code(10, 0), std::invalid_argument);
  EXPECT_THROW(index_code(10, 11), std::invalid_argument);
  EXPECT_THROW(index_code(std::uint64_t{1} << 31, 5), std::invalid_argument);
  using Exec = Kokkos::DefaultHostExecutionSpace;
  IndexCodec<Exec> const codec(100, 10);
  Vector<std::uint32_t, Exec> indices("kaon::test::indices", 10);
  Bytes<Exec> bytes("kaon::test::bytes", 4);
  EXPECT_THROW(codec.decode(Exec{}, indices, bytes, 4), std::invalid_argument);
}

}  // namespace index_code_test
