#include <kaon/core/error.hpp>
#include <kaon/exchange/letter.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace kaon {
namespace {

std::vector<std::string> const names{"zero", "one", "two"};

PacketId id(int layer, std::uint32_t part = 0) {
  return {Direction::up, 5, static_cast<std::uint32_t>(layer), 3, encoding_of("bits:4"), part};
}
std::vector<PacketId> const ids{id(2), id(1), id(0)};
std::size_t const lengths[] = {24, 0, 40};

Letter three() { return Letter({{2, 0, 64}, {1, 0, 8}, {0, 0, 40}}); }

/// Seals the places in this order; the payload of place p is full of p + 1.
std::vector<unsigned char> written(Letter& letter, std::vector<std::size_t> const& order) {
  std::vector<unsigned char> buffer(letter.bound());
  letter.begin();
  for (std::size_t k = 0; k < order.size(); ++k) {
    auto const p = order[k];
    auto const room = letter.room(buffer, p);
    EXPECT_EQ(room.size(), letter.places()[p].bound);
    std::fill_n(room.begin(), lengths[p], static_cast<unsigned char>(p + 1));
    EXPECT_EQ(letter.seal(buffer, p, ids[p], lengths[p]), k + 1 == order.size());
  }
  EXPECT_TRUE(letter.complete());
  buffer.resize(letter.size());
  return buffer;
}

TEST(Letter, HasTheSameBytesInWhicheverOrderItIsWritten) {
  auto letter = three();
  auto const straight = written(letter, {0, 1, 2});
  EXPECT_EQ(straight.size(), 3 * packet_header_bytes + 64);
  std::vector<std::size_t> order{0, 1, 2};
  do {
    EXPECT_EQ(written(letter, order), straight);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Letter, IsReadPlaceByPlace) {
  auto letter = three(), reader = three();
  auto const bytes = written(letter, {2, 0, 1});
  reader.open(bytes, ids, names);
  for (std::size_t p = 0; p < 3; ++p) {
    auto const payload = reader.payload(bytes, p);
    ASSERT_EQ(payload.size(), lengths[p]);
    for (auto const b : payload) EXPECT_EQ(b, p + 1);
    EXPECT_EQ(letter.packet_bytes(p), packet_header_bytes + lengths[p]);
  }
}

std::string refusal(std::vector<unsigned char> const& bytes, std::vector<PacketId> const& expected = ids) {
  auto reader = three();
  try {
    reader.open(bytes, expected, names);
  } catch (IoError const& e) {
    return e.what();
  }
  return "";
}

TEST(Letter, EveryFlippedBitAndEveryTruncationIsRefusedByName) {
  auto letter = three();
  auto const good = written(letter, {0, 1, 2});
  EXPECT_EQ(refusal(good), "");
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    auto const why = refusal(bad);
    ASSERT_NE(why.find("step 5, layer "), std::string::npos) << "bit " << bit << ": " << why;
    ASSERT_NE(why.find("worker 3"), std::string::npos) << why;
  }
  for (std::size_t n = 0; n < good.size(); ++n)
    ASSERT_NE(refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}), "") << n << " bytes";
  auto longer = good;
  longer.resize(good.size() + 8, 0);
  EXPECT_NE(refusal(longer), "") << "bytes are left over";
}

TEST(Letter, SwappedAndRepeatedPacketsAreRefused) {
  auto letter = three();
  auto const good = written(letter, {0, 1, 2});
  std::size_t const first = packet_header_bytes + lengths[0], second = packet_header_bytes;
  std::vector<unsigned char> swapped(good.begin() + static_cast<std::ptrdiff_t>(first),
                                     good.begin() + static_cast<std::ptrdiff_t>(first + second));
  swapped.insert(swapped.end(), good.begin(), good.begin() + static_cast<std::ptrdiff_t>(first));
  swapped.insert(swapped.end(), good.begin() + static_cast<std::ptrdiff_t>(first + second), good.end());
  EXPECT_NE(refusal(swapped).find("layer is 1 instead of 2"), std::string::npos) << refusal(swapped);
  auto later = ids;
  for (auto& i : later) i.step = 6;
  EXPECT_NE(refusal(good, later).find("step is 5 instead of 6"), std::string::npos);
  auto part = ids;
  part[0].part = 4;
  EXPECT_NE(refusal(good, part).find("part is 0 instead of 4"), std::string::npos);
}

TEST(Letter, ChecksItsWriter) {
  auto letter = three();
  std::vector<unsigned char> buffer(letter.bound());
  letter.begin();
  EXPECT_THROW(letter.seal(buffer, 1, ids[1], 9), std::invalid_argument);
  letter.seal(buffer, 1, ids[1], 8);
  EXPECT_THROW(letter.seal(buffer, 1, ids[1], 8), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
