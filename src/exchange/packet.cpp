#include <kaon/exchange/packet.hpp>

#include <kaon/core/error.hpp>

#include <xxhash.h>

#include <bit>
#include <cstring>

namespace kaon {

static_assert(std::endian::native == std::endian::little, "Kaon's wire and file formats are little-endian");

namespace {

std::uint64_t xxh3_checksum(PacketHeader const& header, std::span<unsigned char const> payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed_of(header));
}

}  // namespace

std::uint32_t encoding_of(std::string const& spec) { return static_cast<std::uint32_t>(XXH3_64bits(spec.data(), spec.size())); }

PacketHeader header_of(PacketId const& id, std::size_t length, ChecksumKind kind) {
  return {packet_magic,
          packet_version,
          id.stage,
          static_cast<std::uint8_t>(id.direction),
          static_cast<std::uint8_t>(kind),
          id.step,
          id.layer,
          id.worker,
          length,
          id.encoding,
          id.part,
          0};
}

std::uint64_t seed_of(PacketHeader header) {
  header.checksum = 0;
  return XXH3_64bits(&header, sizeof header);
}

std::size_t seal_packet(std::span<unsigned char> packet, PacketId const& id, std::size_t length) {
  require(packet.size() >= packet_header_bytes + length, "seal_packet: the buffer is smaller than its payload");
  auto header = header_of(id, length, ChecksumKind::xxh3);
  header.checksum = xxh3_checksum(header, packet.subspan(packet_header_bytes, length));
  std::memcpy(packet.data(), &header, sizeof header);
  return packet_header_bytes + length;
}

void PacketCheck::refuse(std::string const& what) const {
  std::string from;
  if (expected_.direction == Direction::up) from = ", from worker " + std::to_string(expected_.worker);
  if (expected_.direction == Direction::down) from = ", downlink";
  if (expected_.direction == Direction::sum)
    from = ", sum of worker " + std::to_string(expected_.worker) + " from micro-batch " + std::to_string(expected_.part);
  if (expected_.stage > 0) from += ", stage " + std::to_string(expected_.stage);
  throw IoError("refused a packet: " + what + " (expected step " + std::to_string(expected_.step) + ", layer " + layer_name_ +
                from + ")");
}

void PacketCheck::same(char const* what, std::uint64_t found, std::uint64_t wanted) const {
  if (found != wanted) refuse(std::string(what) + " is " + std::to_string(found) + " instead of " + std::to_string(wanted));
}

PacketHeader PacketCheck::header(unsigned char const* bytes, std::size_t left) const {
  if (left < packet_header_bytes) refuse("it has " + std::to_string(left) + " bytes, fewer than a header");
  PacketHeader header;
  std::memcpy(&header, bytes, sizeof header);
  if (header.magic != packet_magic) refuse("it does not begin with Kaon's magic number");
  return header;
}

std::size_t PacketCheck::fits(PacketHeader const& header, std::size_t left) const {
  if (header.length > left - packet_header_bytes)
    refuse("the length is " + std::to_string(header.length) + ", but " + std::to_string(left - packet_header_bytes) +
           " bytes are left of the message");
  return packet_header_bytes + header.length;
}

void PacketCheck::frame(PacketHeader const& header, std::size_t size, ChecksumKind kind) const {
  same("the format version", header.version, packet_version);
  same("the kind of checksum", header.checksum_kind, static_cast<std::uint8_t>(kind));
  same("the length", header.length, size - packet_header_bytes);
}

void PacketCheck::checksum(PacketHeader const& header, std::uint64_t computed) const {
  if (header.checksum != computed) refuse("its checksum does not fit its bytes: it was corrupted on the way");
}

void PacketCheck::identity(PacketHeader const& header) const {
  same("the stage", header.stage, expected_.stage);
  same("the direction", header.direction, static_cast<std::uint8_t>(expected_.direction));
  same("the step", header.step, expected_.step);
  same("the layer", header.layer, expected_.layer);
  same("the worker", header.worker, expected_.worker);
  same("the part", header.part, expected_.part);
  same("the encoding", header.encoding, expected_.encoding);
}

std::size_t packet_bytes_of(std::span<unsigned char const> rest, PacketId const& expected, std::string const& layer_name) {
  PacketCheck const check(expected, layer_name);
  return check.fits(check.header(rest.data(), rest.size()), rest.size());
}

std::span<unsigned char const> open_packet(std::span<unsigned char const> packet, PacketId const& expected,
                                           std::string const& layer_name) {
  PacketCheck const check(expected, layer_name);
  auto const header = check.header(packet.data(), packet.size());
  check.frame(header, packet.size(), ChecksumKind::xxh3);
  auto const payload = packet.subspan(packet_header_bytes);
  check.checksum(header, xxh3_checksum(header, payload));
  check.identity(header);
  return payload;
}

}  // namespace kaon
