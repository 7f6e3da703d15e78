#include <kaon/core/error.hpp>
#include <kaon/exchange/packet.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

namespace kaon {
namespace {

PacketId const id{Direction::up, 7, 3, 2, encoding_of("bits:4:block=256")};

std::vector<unsigned char> sealed(std::size_t payload = 100) {
  std::vector<unsigned char> p(packet_header_bytes + payload);
  std::iota(p.begin() + packet_header_bytes, p.end(), static_cast<unsigned char>(0));
  EXPECT_EQ(seal_packet(p, id, payload), p.size());
  return p;
}

std::string refusal(std::vector<unsigned char> const& packet, PacketId const& expected = id) {
  try {
    open_packet(packet, expected, "h0.attn.q");
  } catch (IoError const& e) {
    return e.what();
  }
  return "";
}

TEST(Packet, OpensWhatWasSealed) {
  for (std::size_t n : {0, 1, 7, 4096}) {
    auto const p = sealed(n);
    auto const payload = open_packet(p, id, "x");
    ASSERT_EQ(payload.size(), n);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(payload[i], static_cast<unsigned char>(i));
  }
}

TEST(Packet, HeaderIsTheDocumentedWireFormat) {
  auto const p = sealed(5);
  EXPECT_EQ(std::memcmp(p.data(), "KAON", 4), 0);
  EXPECT_EQ(p[4], packet_version);
  EXPECT_EQ(p[6], 1);  // up
  EXPECT_EQ(p[8], 7);  // step
  EXPECT_EQ(p[16], 3);
  EXPECT_EQ(p[20], 2);
  EXPECT_EQ(p[24], 5);  // length
}

TEST(Packet, EveryFlippedBitIsRefused) {
  auto const good = sealed(33);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bad = good;
    bad[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    ASSERT_NE(refusal(bad), "") << "bit " << bit;
  }
}

TEST(Packet, EveryTruncationIsRefused) {
  auto const good = sealed(33);
  for (std::size_t n = 0; n < good.size(); ++n)
    ASSERT_NE(refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}), "") << n << " bytes";
}

TEST(Packet, MisaddressedPacketsAreRefusedByName) {
  auto const p = sealed();
  auto other = id;
  other.step = 8;
  auto const text = refusal(p, other);
  EXPECT_NE(text.find("step is 7 instead of 8"), std::string::npos) << text;
  EXPECT_NE(text.find("h0.attn.q"), std::string::npos) << text;
  EXPECT_NE(text.find("worker 2"), std::string::npos) << text;
  other = id, other.layer = 4;
  EXPECT_NE(refusal(p, other).find("layer is 3"), std::string::npos);
  other = id, other.worker = 0;
  EXPECT_NE(refusal(p, other).find("worker is 2"), std::string::npos);
  other = id, other.direction = Direction::down;
  EXPECT_NE(refusal(p, other).find("direction"), std::string::npos);
  other = id, other.encoding = encoding_of("bits:2:block=256");
  EXPECT_NE(refusal(p, other).find("encoding"), std::string::npos);
}

TEST(Packet, SealChecksItsBuffer) {
  std::vector<unsigned char> small(packet_header_bytes + 3);
  EXPECT_THROW(seal_packet(small, id, 4), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
