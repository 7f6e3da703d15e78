#include <kaon/core/error.hpp>
#include <kaon/exchange/device_sealer.hpp>
#include <kaon/exchange/letter.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace kaon {
namespace {

std::vector<std::string> const names{"zero", "one", "two"};

PacketId id_of(int layer, std::uint32_t part = 0) {
  return {Direction::up, 5, static_cast<std::uint32_t>(layer), 3, encoding_of("bits:4"), part};
}
std::vector<PacketId> const ids{id_of(2), id_of(1), id_of(0)};
std::size_t const lengths[] = {24, 0, 40};

Letter three() { return Letter({{2, 0, 64}, {1, 0, 8}, {0, 0, 40}}); }

/// A sealer and the memory it looks into; bytes come and go by way of the host.
struct InHost {
  HostSealer sealer;
  static constexpr MessageMemory memory = MessageMemory::host;
};
struct OnDevice {
  DeviceSealer sealer{{}, 3, packet_header_bytes + 64};
  static constexpr MessageMemory memory = MessageMemory::device;
};

template <class Where>
struct LetterIn : ::testing::Test {
  using Pinned = Kokkos::View<unsigned char*, StagingSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  using Device = Kokkos::View<unsigned char*, Kokkos::DefaultExecutionSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  using Host = Kokkos::View<unsigned char*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  static void put(unsigned char* there, std::vector<unsigned char> bytes) {
    Host const here(bytes.data(), bytes.size());
    if (Where::memory == MessageMemory::host)
      Kokkos::deep_copy(Pinned(there, bytes.size()), here);
    else
      Kokkos::deep_copy(Device(there, bytes.size()), here);
  }
  static std::vector<unsigned char> get(unsigned char const* there, std::size_t n) {
    std::vector<unsigned char> bytes(n);
    Host const here(bytes.data(), n);
    auto* const from = const_cast<unsigned char*>(there);
    if (Where::memory == MessageMemory::host)
      Kokkos::deep_copy(here, Pinned(from, n));
    else
      Kokkos::deep_copy(here, Device(from, n));
    return bytes;
  }

  /// Seals the places in this order; the payload of place p is full of p + 1.
  std::vector<unsigned char> written(Letter& letter, std::vector<std::size_t> const& order) {
    MessageBuffer const whole(Where::memory, "kaon::test::letter", letter.bound());
    std::span<unsigned char> const buffer(whole.data(), whole.size());
    letter.begin();
    for (std::size_t k = 0; k < order.size(); ++k) {
      auto const p = order[k];
      auto const room = letter.room(buffer, p);
      EXPECT_EQ(room.size(), letter.places()[p].bound);
      put(room.data(), std::vector<unsigned char>(lengths[p], static_cast<unsigned char>(p + 1)));
      EXPECT_EQ(letter.seal(here.sealer, buffer, p, ids[p], lengths[p]), k + 1 == order.size());
    }
    here.sealer.complete();
    EXPECT_TRUE(letter.complete());
    return get(buffer.data(), letter.size());
  }

  /// The payloads of an opened letter.
  std::vector<std::vector<unsigned char>> read(Letter& reader, std::vector<unsigned char> const& bytes,
                                               std::vector<PacketId> const& expected = ids) {
    MessageBuffer const whole(Where::memory, "kaon::test::letter", bytes.size() + 1);
    put(whole.data(), bytes);
    std::span<unsigned char const> const message(whole.data(), bytes.size());
    reader.open(here.sealer, message, expected, names);
    std::vector<std::vector<unsigned char>> payloads;
    for (std::size_t p = 0; p < 3; ++p) {
      auto const payload = reader.payload(message, p);
      payloads.push_back(get(payload.data(), payload.size()));
    }
    return payloads;
  }

  std::string refusal(std::vector<unsigned char> const& bytes, std::vector<PacketId> const& expected = ids) {
    auto reader = three();
    try {
      read(reader, bytes, expected);
    } catch (IoError const& e) {
      return e.what();
    }
    return "";
  }

  Where here;
};
using Wheres = ::testing::Types<InHost, OnDevice>;
TYPED_TEST_SUITE(LetterIn, Wheres);

TYPED_TEST(LetterIn, HasTheSameBytesInWhicheverOrderItIsWritten) {
  auto letter = three();
  auto const straight = this->written(letter, {0, 1, 2});
  EXPECT_EQ(straight.size(), 3 * packet_header_bytes + 64);
  std::vector<std::size_t> order{0, 1, 2};
  do {
    EXPECT_EQ(this->written(letter, order), straight);
  } while (std::next_permutation(order.begin(), order.end()));
}

TYPED_TEST(LetterIn, IsReadPlaceByPlace) {
  auto letter = three(), reader = three();
  auto const bytes = this->written(letter, {2, 0, 1});
  auto const payloads = this->read(reader, bytes);
  for (std::size_t p = 0; p < 3; ++p) {
    EXPECT_EQ(payloads[p], std::vector<unsigned char>(lengths[p], static_cast<unsigned char>(p + 1)));
    EXPECT_EQ(letter.packet_bytes(p), packet_header_bytes + lengths[p]);
  }
}

TYPED_TEST(LetterIn, EveryFlippedBitAndEveryTruncationIsRefusedByName) {
  auto letter = three();
  auto const good = this->written(letter, {0, 1, 2});
  EXPECT_EQ(this->refusal(good), "");
  std::size_t const first = packet_header_bytes + lengths[0], second = first + packet_header_bytes;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    auto const why = this->refusal(bad);
    auto const layer = bit / 8 < first ? "two" : bit / 8 < second ? "one" : "zero";
    ASSERT_NE(why.find(std::string("step 5, layer ") + layer), std::string::npos) << "bit " << bit << ": " << why;
    ASSERT_NE(why.find("worker 3"), std::string::npos) << why;
  }
  for (std::size_t n = 0; n < good.size(); ++n)
    ASSERT_NE(this->refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}), "") << n << " bytes";
  auto longer = good;
  longer.resize(good.size() + 8, 0);
  EXPECT_NE(this->refusal(longer), "") << "bytes are left over";
}

TYPED_TEST(LetterIn, SwappedAndRepeatedPacketsAreRefused) {
  auto letter = three();
  auto const good = this->written(letter, {0, 1, 2});
  std::size_t const first = packet_header_bytes + lengths[0], second = packet_header_bytes;
  std::vector<unsigned char> swapped(good.begin() + static_cast<std::ptrdiff_t>(first),
                                     good.begin() + static_cast<std::ptrdiff_t>(first + second));
  swapped.insert(swapped.end(), good.begin(), good.begin() + static_cast<std::ptrdiff_t>(first));
  swapped.insert(swapped.end(), good.begin() + static_cast<std::ptrdiff_t>(first + second), good.end());
  EXPECT_NE(this->refusal(swapped).find("layer is 1 instead of 2"), std::string::npos) << this->refusal(swapped);
  auto later = ids;
  for (auto& i : later) i.step = 6;
  EXPECT_NE(this->refusal(good, later).find("step is 5 instead of 6"), std::string::npos);
  auto part = ids;
  part[0].part = 4;
  EXPECT_NE(this->refusal(good, part).find("part is 0 instead of 4"), std::string::npos);
}

TEST(Letter, ChecksItsWriter) {
  auto letter = three();
  std::vector<unsigned char> buffer(letter.bound());
  letter.begin();
  HostSealer sealer;
  EXPECT_THROW(letter.seal(sealer, buffer, 1, ids[1], 9), std::invalid_argument);
  letter.seal(sealer, buffer, 1, ids[1], 8);
  EXPECT_THROW(letter.seal(sealer, buffer, 1, ids[1], 8), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
