#include <kaon/core/error.hpp>
#include <kaon/exchange/packet.hpp>

#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
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

// The documented checksum, computed here, for whatever now stands in the header.
void reseal(std::vector<unsigned char>& packet) {
  std::uint64_t checksum = 0;
  auto* const field = packet.data() + offsetof(PacketHeader, checksum);
  std::memcpy(field, &checksum, sizeof checksum);
  checksum = XXH3_64bits_withSeed(packet.data() + packet_header_bytes, packet.size() - packet_header_bytes,
                                  XXH3_64bits(packet.data(), packet_header_bytes));
  std::memcpy(field, &checksum, sizeof checksum);
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
  EXPECT_EQ(p[4], 4);  // version
  EXPECT_EQ(p[5], 0);  // stage
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
  other = id, other.stage = 1;
  EXPECT_NE(refusal(p, other).find("the stage is 0 instead of 1 (expected step 7, layer h0.attn.q, from worker 2, stage 1)"),
            std::string::npos)
      << refusal(p, other);
  other = id, other.encoding = encoding_of("bits:2:block=256");
  EXPECT_NE(refusal(p, other).find("encoding"), std::string::npos);
}

// Identity in every field, not only in those that a mistake would change: the checksum fits each of these.
TEST(Packet, NoOtherHeaderIsTakenEvenWithAChecksumThatFits) {
  for (std::size_t bit = 0; bit < 8 * offsetof(PacketHeader, checksum); ++bit) {
    auto bad = sealed(40);
    bad[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    reseal(bad);
    ASSERT_NE(refusal(bad), "") << "bit " << bit;
  }
  auto untouched = sealed(40);
  reseal(untouched);
  EXPECT_EQ(refusal(untouched), "");
}

TEST(Packet, NoRandomDamageIsTakenForThePacket) {
  constexpr unsigned seed = 20240611;
  std::printf("seed %u\n", seed);
  std::mt19937_64 random(seed);
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int same = 0, refused = 0;
  for (int trial = 0; trial < 100000; ++trial) {
    PacketId const expected{random() % 2 ? Direction::up : Direction::down, random() >> below(64),
                            static_cast<std::uint32_t>(random() >> (32 + below(32))),
                            static_cast<std::uint32_t>(random() >> (32 + below(32))), static_cast<std::uint32_t>(random())};
    std::size_t const length = 8 * below(33);
    std::vector<unsigned char> good(packet_header_bytes + length);
    for (auto& byte : good) byte = static_cast<unsigned char>(random());
    ASSERT_EQ(seal_packet(good, expected, length), good.size());
    auto bad = good;
    if (trial % 5 == 4) {  // another length
      bad.resize(below(good.size() + 64));
      for (std::size_t i = good.size(); i < bad.size(); ++i) bad[i] = static_cast<unsigned char>(random());
    } else if (trial % 5 == 3) {  // bytes moved
      auto const from = below(bad.size()), to = below(bad.size());
      std::memmove(bad.data() + to, good.data() + from, good.size() - std::max(from, to));
    } else {
      auto const bytes = below(8);  // some of these change nothing
      for (std::size_t i = 0; i < bytes; ++i)
        bad[below(trial % 2 ? packet_header_bytes : bad.size())] = static_cast<unsigned char>(random());
    }
    bool const equal = bad == good;
    ASSERT_EQ(refusal(bad, expected).empty(), equal) << "trial " << trial;
    ++(equal ? same : refused);
  }
  std::printf("%d damaged packets refused, %d that were not changed taken\n", refused, same);
  EXPECT_GT(refused, 80000);
  EXPECT_GT(same, 1000);
}

TEST(Packet, SealChecksItsBuffer) {
  std::vector<unsigned char> small(packet_header_bytes + 3);
  EXPECT_THROW(seal_packet(small, id, 4), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
