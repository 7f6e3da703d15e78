#include <kaon/exchange/packet.hpp>

#include <kaon/core/error.hpp>

#include <xxhash.h>

#include <bit>
#include <cstring>

namespace kaon {

static_assert(std::endian::native == std::endian::little, "Kaon's wire and file formats are little-endian");

namespace {

std::uint64_t checksum(PacketHeader header, std::span<unsigned char const> payload) {
  header.checksum = 0;
  return XXH3_64bits_withSeed(payload.data(), payload.size(), XXH3_64bits(&header, sizeof header));
}

}  // namespace

std::uint32_t encoding_of(std::string const& spec) { return static_cast<std::uint32_t>(XXH3_64bits(spec.data(), spec.size())); }

std::size_t seal_packet(std::span<unsigned char> packet, PacketId const& id, std::size_t length) {
  require(packet.size() >= packet_header_bytes + length, "seal_packet: the buffer is smaller than its payload");
  PacketHeader header{packet_magic,
                      packet_version,
                      static_cast<std::uint16_t>(id.direction),
                      id.step,
                      id.layer,
                      id.worker,
                      length,
                      id.encoding,
                      0,
                      0};
  header.checksum = checksum(header, packet.subspan(packet_header_bytes, length));
  std::memcpy(packet.data(), &header, sizeof header);
  return packet_header_bytes + length;
}

std::span<unsigned char const> open_packet(std::span<unsigned char const> packet, PacketId const& expected,
                                           std::string const& layer_name) {
  auto const refuse = [&](std::string const& what) {
    throw IoError("refused a packet: " + what + " (expected step " + std::to_string(expected.step) + ", layer " + layer_name +
                  (expected.direction == Direction::up ? ", from worker " + std::to_string(expected.worker) : ", downlink") +
                  ")");
  };
  auto const differs = [&](char const* what, std::uint64_t found, std::uint64_t wanted) {
    if (found != wanted) refuse(std::string(what) + " is " + std::to_string(found) + " instead of " + std::to_string(wanted));
  };
  if (packet.size() < packet_header_bytes) refuse("it has " + std::to_string(packet.size()) + " bytes, fewer than a header");
  PacketHeader header;
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.magic != packet_magic) refuse("it does not begin with Kaon's magic number");
  differs("the format version", header.version, packet_version);
  differs("the length", header.length, packet.size() - packet_header_bytes);
  auto const payload = packet.subspan(packet_header_bytes);
  if (header.checksum != checksum(header, payload)) refuse("its checksum does not fit its bytes: it was corrupted on the way");
  differs("the direction", header.direction, static_cast<std::uint16_t>(expected.direction));
  differs("the step", header.step, expected.step);
  differs("the layer", header.layer, expected.layer);
  differs("the worker", header.worker, expected.worker);
  differs("the encoding", header.encoding, expected.encoding);
  differs("the reserved field", header.reserved, 0);
  return payload;
}

}  // namespace kaon
