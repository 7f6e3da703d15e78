#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <cmath>
#include <limits>

namespace pack_test {

using namespace kaon;

struct Code {
  StreamKey key;
  std::uint32_t mask;
  KOKKOS_FUNCTION std::uint32_t operator()(std::uint64_t i) const { return random_word(key, i) & mask; }
};

template <class B>
struct PackTest : ::testing::Test {
  template <int Bits>
  static void round_trip(std::uint64_t count) {
    using Exec = typename B::Exec;
    Code const code{StreamKey{42, Purpose::test, Bits, 0, 0}, static_cast<std::uint32_t>((std::uint64_t{1} << Bits) - 1)};
    std::uint64_t const bytes = packed_bytes(count, Bits);
    ASSERT_EQ(bytes, 8 * ((count * Bits + 63) / 64));
    Bytes<Exec> out("kaon::test::bytes", bytes + 16);
    Kokkos::deep_copy(out, static_cast<unsigned char>(0xa5));
    Exec const exec;
    pack_codes<Bits, Exec>(exec, "kaon::test::pack", out, count, code);
    exec.fence();
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, out);
    // The serial reference sets one bit at a time, by the documented layout.
    std::vector<unsigned char> reference(bytes, 0);
    for (std::uint64_t i = 0; i < count; ++i)
      for (std::uint64_t b = 0; b < Bits; ++b)
        if ((code(i) >> b) & 1U) reference[(i * Bits + b) / 8] |= static_cast<unsigned char>(1U << ((i * Bits + b) % 8));
    for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(host(i), reference[i]) << "bits " << Bits << " byte " << i;
    for (std::size_t i = bytes; i < bytes + 16; ++i) ASSERT_EQ(host(i), 0xa5);
    auto const* const words =
        as_words<Kokkos::DefaultHostExecutionSpace>(ConstBytes<Kokkos::DefaultHostExecutionSpace>(host.data(), bytes), bytes);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(packed_code<Bits>(words, i), code(i));
  }
};
TYPED_TEST_SUITE(PackTest, kaon::test::Backends, kaon::test::BackendNames);

TYPED_TEST(PackTest, MatchesTheBitByBitReference) {
  for (std::uint64_t count : {1, 7, 8, 9, 63, 64, 65, 128, 1000}) {
    this->template round_trip<1>(count);
    this->template round_trip<2>(count);
    this->template round_trip<4>(count);
    this->template round_trip<8>(count);
    this->template round_trip<9>(count);
    this->template round_trip<32>(count);
  }
}

TYPED_TEST(PackTest, RefusesSmallOrMisalignedBuffers) {
  using Exec = typename TypeParam::Exec;
  Bytes<Exec> out("kaon::test::bytes", 64);
  Code const code{{}, 1};
  EXPECT_THROW((pack_codes<1, Exec>(Exec{}, "kaon::test::pack", out, 513, code)), std::invalid_argument);
  auto const shifted = Kokkos::subview(out, std::make_pair(4, 64));
  EXPECT_THROW((pack_codes<1, Exec>(Exec{}, "kaon::test::pack", shifted, 8, code)), std::invalid_argument);
}

TEST(Bfloat16, RoundsToNearestWithinItsBound) {
  kaon::test::Untrapped const untrapped;
  StreamKey const key{7, Purpose::test, 0, 0, 0};
  double worst = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    float const v = from_bits(random_word(key, i));
    if (!std::isfinite(v)) continue;
    float const r = from_bf16(to_bf16(v));
    ASSERT_TRUE(std::isfinite(r));
    ASSERT_LE(std::fabs(static_cast<double>(r) - v), std::fabs(static_cast<double>(v)));
    if (std::fabs(v) >= std::numeric_limits<float>::min() && std::fabs(v) < 3.38e38F)
      worst = std::max(worst, std::fabs(static_cast<double>(r) / v - 1));
  }
  std::printf("seed 7: largest relative error %.6g (bound %.6g)\n", worst, std::ldexp(1.0, -8));
  EXPECT_LE(worst, std::ldexp(1.0, -8));
  EXPECT_GT(worst, std::ldexp(1.0, -9));
}

TEST(Bfloat16, KeepsSpecialValues) {
  EXPECT_EQ(to_bf16(0.0F), 0);
  EXPECT_EQ(from_bf16(to_bf16(1.0F)), 1.0F);
  EXPECT_EQ(from_bf16(to_bf16(-2.5F)), -2.5F);
  EXPECT_EQ(from_bf16(to_bf16(1.00390625F)), 1.0F);       // a tie goes to the even fraction
  EXPECT_EQ(from_bf16(to_bf16(1.01171875F)), 1.015625F);  // and the other way
  EXPECT_TRUE(std::isfinite(from_bf16(to_bf16(std::numeric_limits<float>::max()))));
  EXPECT_TRUE(std::isnan(from_bf16(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isinf(from_bf16(to_bf16(std::numeric_limits<float>::infinity()))));
}

TEST(Bits, MagnitudesAreOrderedAndRunsCounted) {
  EXPECT_LT(magnitude_bits(-1.0F), magnitude_bits(1.5F));
  EXPECT_EQ(magnitude_bits(-0.0), 0U);
  EXPECT_GT(magnitude_bits(std::numeric_limits<double>::quiet_NaN()), magnitude_bits(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(trailing_ones(0), 0);
  EXPECT_EQ(trailing_ones(0b10111), 3);
  EXPECT_EQ(trailing_ones(~std::uint64_t{0}), 64);
}

}  // namespace pack_test
