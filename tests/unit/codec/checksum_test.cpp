#include <kaon/codec/checksum.hpp>
#include <kaon/codec/records.hpp>
#include <kaon/support/backends.hpp>

#include <algorithm>
#include <cstring>

namespace checksum_test {

using namespace kaon;

/// The definition, byte by byte.
std::uint64_t reference(std::vector<unsigned char> const& bytes, std::size_t offset, std::size_t length) {
  std::uint64_t sum = 0;
  for (std::size_t w = 0; 8 * w < length; ++w) {
    std::uint64_t word = 0;
    for (std::size_t b = 0; b < 8 && 8 * w + b < length; ++b)
      word += static_cast<std::uint64_t>(bytes[offset + 8 * w + b]) << (8 * b);
    sum += checksum_term(word, w);
  }
  return sum;
}

std::vector<unsigned char> random_bytes(std::size_t n) {
  std::vector<unsigned char> v(n);
  StreamKey const key{11, Purpose::test, 0, 0, 0};
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<unsigned char>(random_word(key, i));
  return v;
}

template <class B>
struct ChecksumTest : ::testing::Test {
  using On = typename B::Exec;
  static Bytes<On> on_device(std::vector<unsigned char> const& bytes) {
    Bytes<On> out("kaon::test::bytes", bytes.size());
    Kokkos::deep_copy(out, Kokkos::View<unsigned char const*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                               bytes.data(), bytes.size()));
    return out;
  }
  static std::uint64_t sum_of(Bytes<On> const& bytes, std::size_t offset, std::size_t length) {
    Scalar<std::uint64_t, On> out("kaon::test::sum");
    On const exec;
    checksum<On>(exec, out, bytes, offset, length);
    exec.fence();
    std::uint64_t value = 0;
    Kokkos::deep_copy(value, out);
    return value;
  }
};
TYPED_TEST_SUITE(ChecksumTest, kaon::test::Backends, kaon::test::BackendNames);

TYPED_TEST(ChecksumTest, IsItsDefinitionAtEveryOffsetAndLength) {
  auto const bytes = random_bytes(300);
  auto const there = this->on_device(bytes);
  for (std::size_t offset = 0; offset <= 8; ++offset)
    for (std::size_t length = 0; length <= 33; ++length)
      ASSERT_EQ(this->sum_of(there, offset, length), reference(bytes, offset, length)) << offset << ' ' << length;
  for (std::size_t length = 283; length <= 290; ++length)
    ASSERT_EQ(this->sum_of(there, 300 - length, length), reference(bytes, 300 - length, length)) << "to the very end";
  auto const many = random_bytes(1000003);
  EXPECT_EQ(this->sum_of(this->on_device(many), 5, 999998), reference(many, 5, 999998));
}

TYPED_TEST(ChecksumTest, ChangesWithEveryBitAndWithTheOrderOfWords) {
  auto bytes = random_bytes(83);
  auto const there = this->on_device(bytes);
  auto const sum = this->sum_of(there, 3, 80);
  for (std::size_t bit = 24; bit < 8 * 83; ++bit) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    ASSERT_NE(this->sum_of(this->on_device(changed), 3, 80), sum) << "bit " << bit;
  }
  auto swapped = bytes;
  std::swap_ranges(swapped.begin() + 3, swapped.begin() + 11, swapped.begin() + 43);
  EXPECT_NE(this->sum_of(this->on_device(swapped), 3, 80), sum);
  std::vector<unsigned char> const zeros(64, 0);
  EXPECT_NE(this->sum_of(this->on_device(zeros), 0, 8), this->sum_of(this->on_device(zeros), 0, 16)) << "zeros count";
}

TYPED_TEST(ChecksumTest, RefusesWhatIsBeyondTheBuffer) {
  using Exec = typename TypeParam::Exec;
  Bytes<Exec> const bytes("kaon::test::bytes", 16);
  Scalar<std::uint64_t, Exec> const out("kaon::test::sum");
  EXPECT_THROW(checksum<Exec>(Exec{}, out, bytes, 0, 17), std::invalid_argument);
  EXPECT_THROW(checksum<Exec>(Exec{}, out, bytes, 17, 0), std::invalid_argument);
  EXPECT_THROW(checksum<Exec>(Exec{}, out, bytes, 8, ~std::uint64_t{0}), std::invalid_argument);
}

/// Three records at odd offsets.
template <class Exec>
struct Records {
  std::vector<std::size_t> lengths{5, 0, 16};
  std::vector<unsigned char> host = random_bytes(3 * 48 + 21 + 7);
  Bytes<Exec> bytes{"kaon::test::bytes", host.size()};
  std::vector<std::size_t> at{0, 53, 101};
  std::size_t size = 3 * 48 + 21;

  RecordHeader header(std::size_t p) const {
    RecordHeader h;
    for (std::size_t b = 0; b < h.size(); ++b) h[b] = static_cast<unsigned char>(17 * p + b);
    for (std::size_t b = 0; b < 8; ++b) h[record_length_at + b] = static_cast<unsigned char>(b == 0 ? lengths[p] : 0);
    return h;
  }
  Records() {
    bytes = ChecksumTest<kaon::test::Backend<float, Exec>>::on_device(host);
    Exec const exec;
    Scalar<std::uint64_t, Exec> const sum("kaon::test::sum");
    for (std::size_t p = 0; p < 3; ++p) {
      checksum<Exec>(exec, sum, bytes, at[p] + 48, lengths[p]);
      write_record_header<Exec>(exec, bytes, at[p], header(p), sum, 1000 + p);
    }
    exec.fence();
  }
};

TYPED_TEST(ChecksumTest, RecordsGetTheirHeadersAndTheseAreFoundAgain) {
  using Exec = typename TypeParam::Exec;
  Records<Exec> const r;
  auto const all = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, r.bytes);
  Bytes<Exec> const headers("kaon::test::headers", 4 * 48);
  Kokkos::deep_copy(headers, static_cast<unsigned char>(0xee));
  Exec const exec;
  read_record_headers<Exec>(exec, headers, r.bytes, r.size);
  exec.fence();
  auto const found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, headers);
  for (std::size_t p = 0; p < 3; ++p) {
    auto expected = r.header(p);
    auto const sum = record_checksum(reference(r.host, r.at[p] + 48, r.lengths[p]), 1000 + p);
    std::memcpy(expected.data() + record_checksum_at, &sum, 8);
    for (std::size_t b = 0; b < 48; ++b) {
      ASSERT_EQ(all(r.at[p] + b), expected[b]) << "record " << p << " byte " << b;
      ASSERT_EQ(found(48 * p + b), expected[b]) << "record " << p << " byte " << b;
    }
    for (std::size_t b = 0; b < r.lengths[p]; ++b) ASSERT_EQ(all(r.at[p] + 48 + b), r.host[r.at[p] + 48 + b]);
  }
  for (std::size_t b = 3 * 48; b < 4 * 48; ++b) EXPECT_EQ(found(b), 0xee) << "there is no fourth";
  for (std::size_t b = r.size; b < r.host.size(); ++b) EXPECT_EQ(all(b), r.host[b]) << "behind the last";
}

TYPED_TEST(ChecksumTest, ACutMessageIsReadNoFurtherThanItGoes) {
  using Exec = typename TypeParam::Exec;
  Records<Exec> const r;
  Exec const exec;
  for (std::size_t size = 0; size <= r.size; size += 5) {
    Bytes<Exec> const headers("kaon::test::headers", 3 * 48);
    Kokkos::deep_copy(headers, static_cast<unsigned char>(0xee));
    read_record_headers<Exec>(exec, headers, r.bytes, size);
    exec.fence();
    auto const found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, headers);
    for (std::size_t p = 0; p < 3; ++p) {
      bool const whole = size >= r.at[p] + 48;
      ASSERT_EQ(found(48 * p), whole ? r.header(p)[0] : 0xee) << size << " bytes, record " << p;
    }
  }
  // A length that runs beyond the message ends the walk, however large.
  auto bytes = r.host;
  Kokkos::deep_copy(
      Kokkos::View<unsigned char*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(bytes.data(), bytes.size()),
      r.bytes);
  for (std::size_t b = 0; b < 8; ++b) bytes[record_length_at + b] = 0xff;
  auto const bad = this->on_device(bytes);
  Bytes<Exec> const headers("kaon::test::headers", 3 * 48);
  Kokkos::deep_copy(headers, static_cast<unsigned char>(0xee));
  read_record_headers<Exec>(exec, headers, bad, r.size);
  exec.fence();
  auto const found = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, headers);
  EXPECT_EQ(found(0), r.header(0)[0]);
  EXPECT_EQ(found(48), 0xee);
}

}  // namespace checksum_test
