#include <kaon/codec/bit_stream.hpp>
#include <kaon/codec/exponent_code.hpp>
#include <kaon/codec/huffman.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>
#include <cstdio>
#include <numeric>

namespace exponent_code_test {

using namespace kaon;

template <class B>
struct ExponentCodeTest : ::testing::Test {};
template <class... B>
::testing::Types<B...> drop_first(::testing::Types<int, B...>);
#define KAON_ENTRY(Exec) , Exec
using Spaces = decltype(drop_first(::testing::Types<int KAON_FOR_EACH_SPACE(KAON_ENTRY)>{}));
TYPED_TEST_SUITE(ExponentCodeTest, Spaces, test::SpaceNames);

using Plain = std::vector<unsigned char>;
constexpr std::size_t guard = 64;
constexpr unsigned char mark = 0xa5;

std::uint32_t word(std::uint64_t seed, std::uint64_t i) { return random_word(StreamKey{seed, Purpose::test, 0, 0, 0}, i); }
std::size_t sign_begin(std::size_t n) { return (n + 7) / 8 * 8; }

/// n bytes from `symbol(i)` and random signs, none where the byte is 0.
template <class F>
Plain make_plain(std::size_t n, std::uint64_t seed, F const& symbol) {
  Plain plain(sign_begin(n) + (n + 63) / 64 * 8);
  for (std::size_t i = 0; i < n; ++i) {
    plain[i] = symbol(i);
    if (plain[i] != 0 && word(seed, i) % 2 == 0) plain[sign_begin(n) + i / 8] |= static_cast<unsigned char>(1U << (i % 8));
  }
  return plain;
}
unsigned char geometric(std::uint64_t seed, std::size_t i) {
  return static_cast<unsigned char>(127 - std::min(126, __builtin_ctz(word(seed, i) | 1U << 30)));
}

template <class Exec>
Bytes<Exec> upload(Plain const& bytes) {
  Bytes<Exec> device("kaon::test::bytes", bytes.size());
  auto mirror = Kokkos::create_mirror_view(device);
  std::copy(bytes.begin(), bytes.end(), mirror.data());
  Kokkos::deep_copy(device, mirror);
  return device;
}

template <class Exec>
Plain encode(std::size_t n, Plain const& plain, ExponentCodec<Exec> const& codec) {
  EXPECT_EQ(plain.size(), codec.plain_bytes()) << n;
  Bytes<Exec> out("kaon::test::out", codec.bytes_bound() + guard);
  Kokkos::deep_copy(out, mark);
  Scalar<std::uint64_t, Exec> length("kaon::test::length");
  Exec const exec;
  codec.encode(exec, Kokkos::subview(out, std::make_pair(std::size_t{0}, static_cast<std::size_t>(codec.bytes_bound()))), length,
               upload<Exec>(plain));
  exec.fence();
  std::uint64_t used = 0;
  Kokkos::deep_copy(used, length);
  EXPECT_LE(used, codec.bytes_bound());
  EXPECT_GE(used, codec.bytes_least());
  EXPECT_EQ(used % 8, 0U);
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, out);
  for (std::size_t i = used; i < host.extent(0); ++i) EXPECT_EQ(host(i), mark) << "byte " << i << " behind the code was written";
  return {host.data(), host.data() + used};
}
template <class Exec>
Plain encode(std::size_t n, Plain const& plain) {
  return encode<Exec>(n, plain, ExponentCodec<Exec>(n));
}

template <class Exec>
Plain decode(std::size_t n, Plain const& code) {
  ExponentCodec<Exec> const codec(n);
  Bytes<Exec> out("kaon::test::plain", codec.plain_bytes() + guard);
  Kokkos::deep_copy(out, mark);
  Exec const exec;
  codec.decode(exec, Kokkos::subview(out, std::make_pair(std::size_t{0}, static_cast<std::size_t>(codec.plain_bytes()))),
               upload<Exec>(code), code.size());
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, out);
  for (std::size_t i = codec.plain_bytes(); i < host.extent(0); ++i) EXPECT_EQ(host(i), mark) << "wrote behind the values";
  return {host.data(), host.data() + codec.plain_bytes()};
}

TYPED_TEST(ExponentCodeTest, RoundTripsEveryKindOfBytes) {
  for (std::size_t const n : {1, 7, 64, 65, 1000, 1024, 1025, 3072, 5000, 100000}) {
    Plain const cases[] = {
        make_plain(n, 1, [](std::size_t) { return static_cast<unsigned char>(0); }),
        make_plain(n, 2, [](std::size_t) { return static_cast<unsigned char>(255); }),
        make_plain(n, 3, [](std::size_t i) { return geometric(30, i); }),
        make_plain(n, 4, [](std::size_t i) { return static_cast<unsigned char>(word(31, i)); }),
        make_plain(n, 5, [](std::size_t i) { return static_cast<unsigned char>(i == 0 ? 9 : 0); }),
        make_plain(n, 6, [](std::size_t i) { return static_cast<unsigned char>(i % 50 == 0 ? word(32, i) : 120); })};
    for (auto const& plain : cases) {
      auto const code = encode<TypeParam>(n, plain);
      ASSERT_EQ(decode<TypeParam>(n, code), plain) << "n " << n << " case " << &plain - cases;
      auto longer = code;  // what stands behind a code does no harm
      longer.resize(code.size() + 48, 0xee);
      ASSERT_EQ(decode<TypeParam>(n, longer), plain) << "n " << n << " case " << &plain - cases;
    }
  }
}

TYPED_TEST(ExponentCodeTest, IsPlainWhereCodingDoesNotPay) {
  std::size_t const n = 5000;
  auto const noise = make_plain(n, 7, [](std::size_t i) { return static_cast<unsigned char>(word(33, i)); });
  auto const code = encode<TypeParam>(n, noise);
  ASSERT_EQ(code.size(), noise.size() + 8);
  EXPECT_EQ(code[0], 0);
  EXPECT_TRUE(std::equal(noise.begin(), noise.end(), code.begin() + 8));
  auto const zeros = encode<TypeParam>(n, Plain(noise.size()));
  EXPECT_EQ(zeros.size(), 32U);  // kind, one length, five blocks without a word
}

TYPED_TEST(ExponentCodeTest, ComesNearTheEntropy) {
  std::size_t const n = 300000;
  auto const plain = make_plain(n, 8, [](std::size_t i) {
    return static_cast<unsigned char>(std::ilogb(random_normal(StreamKey{34, Purpose::test, 0, 0, 0}, i)) + 127);
  });
  std::vector<double> count(256, 0.0);
  for (std::size_t i = 0; i < n; ++i) count[plain[i]] += 1;
  double entropy = 1;  // the sign
  for (double const c : count)
    if (c > 0) entropy -= c / static_cast<double>(n) * std::log2(c / static_cast<double>(n));
  double const bits = 8.0 * static_cast<double>(encode<TypeParam>(n, plain).size()) / static_cast<double>(n);
  std::printf("seed 34: exponents and signs of normal numbers, %.4f bits a value, entropy %.4f\n", bits, entropy);
  EXPECT_LE(bits, 1.03 * entropy);
  EXPECT_GE(bits, entropy);
}

TYPED_TEST(ExponentCodeTest, WritesTheSameBytesOnEveryHostBackendAndEveryCall) {
  std::size_t const n = 70000;
  ExponentCodec<TypeParam> const codec(n);
  for (std::uint64_t seed = 40; seed < 43; ++seed) {
    auto const plain = make_plain(n, seed, [&](std::size_t i) { return geometric(seed, i); });
    auto const code = encode<TypeParam>(n, plain, codec);
    EXPECT_EQ(code, encode<TypeParam>(n, plain, codec));  // the counts of the message before are gone
    EXPECT_EQ(code, encode<Kokkos::DefaultHostExecutionSpace>(n, plain));
  }
}

TYPED_TEST(ExponentCodeTest, ArbitraryBytesAreSafe) {
  for (std::uint64_t trial = 0; trial < 120; ++trial) {
    std::size_t const n = 1 + word(950, trial) % 9000;
    auto code = encode<TypeParam>(n, make_plain(n, trial, [&](std::size_t i) { return geometric(trial, i); }));
    for (std::size_t i = 0; i < code.size(); ++i) {
      if (trial % 4 == 0) code[i] = static_cast<unsigned char>(word(951 + trial, i));
      if (trial % 4 == 1 && i > 2) code[i] = 0xff;
      if (trial % 4 == 2 && word(951 + trial, i) % 16 == 0) code[i] ^= static_cast<unsigned char>(1U << (i % 8));
      if (trial % 4 == 3 && i >= 8 && i < 40) code[i] = static_cast<unsigned char>(word(951 + trial, i));
    }
    if (trial % 4 == 0) code[0] &= 1;
    decode<TypeParam>(n, code);  // its guards are the test
    code.resize(ExponentCodec<TypeParam>(n).bytes_least());
    decode<TypeParam>(n, code);
  }
}

TYPED_TEST(ExponentCodeTest, RefusesTooFewBytes) {
  ExponentCodec<TypeParam> const codec(3000);
  Bytes<TypeParam> plain("kaon::test::plain", codec.plain_bytes()), few("kaon::test::few", codec.bytes_least() - 8);
  EXPECT_THROW(codec.decode(TypeParam{}, plain, few, few.extent(0)), std::invalid_argument);
  EXPECT_THROW(ExponentCodec<TypeParam>(0), std::invalid_argument);
}

TEST(Huffman, LengthsAreAPrefixCodeWithinTheLimitAndNearOptimal) {
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    std::uint32_t count[256] = {};
    int const n = 1 + static_cast<int>(word(60, trial) % 256);
    for (int i = 0; i < n; ++i)  // some with a range that asks for long codes
      count[word(61 + trial, i) % 256] = trial % 2 == 0 ? 1 + word(62 + trial, i) % 1000 : 1U << (i % 25);
    detail::HuffmanTree tree;
    std::uint8_t length[256];
    detail::huffman_lengths(length, count, tree);
    detail::CanonicalCode canonical;
    std::uint32_t const used = canonical.build(length);
    int occurring = 0;
    double total = 0, bits = 0, entropy = 0;
    for (int s = 0; s < 256; ++s) total += count[s];
    for (int s = 0; s < 256; ++s) {
      ASSERT_LE(length[s], detail::longest_code);
      if (count[s] > 0) ++occurring;
      if (count[s] > 0) entropy -= count[s] * std::log2(count[s] / total);
      bits += static_cast<double>(count[s]) * length[s];
    }
    for (int s = 0; s < 256; ++s) ASSERT_EQ(length[s] > 0, count[s] > 0 && occurring > 1);
    if (occurring > 1) {
      EXPECT_EQ(used, detail::decode_entries) << "trial " << trial;  // complete: no bit is wasted
      EXPECT_LE(bits, entropy + total);
      EXPECT_GE(bits, entropy - 1e-6 * entropy);
    }
  }
}

TEST(BitStream, ReadsBackWhatWasWrittenAndNothingBehindIsTouched) {
  std::vector<std::uint32_t> words(500, 0xabababab);
  BitWriter writer;
  writer.out = words.data();
  std::size_t total = 0;
  for (std::uint64_t i = 0; total < 9000; ++i) {
    int const bits = 1 + static_cast<int>(word(70, i) % 32);
    writer.put(word(71, i) >> (32 - bits), bits);
    total += static_cast<std::size_t>(bits);
  }
  writer.finish();
  std::size_t const used = (total + 31) / 32;
  for (std::size_t i = used; i < words.size(); ++i) ASSERT_EQ(words[i], 0xababababU);
  BitReader reader(words.data(), used, 0);
  for (std::uint64_t i = 0; reader.position < total; ++i) {
    int const bits = 1 + static_cast<int>(word(70, i) % 32);
    ASSERT_EQ(reader.peek() & ((std::uint64_t{1} << bits) - 1), word(71, i) >> (32 - bits));
    reader.skip(bits);
  }
  reader.skip(1000000);
  EXPECT_EQ(reader.peek(), 0U);
}

}  // namespace exponent_code_test
