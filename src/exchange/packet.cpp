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
                      id.part,
                      0};
  header.checksum = checksum(header, packet.subspan(packet_header_bytes, length));
  std::memcpy(packet.data(), &header, sizeof header);
  return packet_header_bytes + length;
}

namespace {

[[noreturn]] void refuse(std::string const& what, PacketId const& expected, std::string const& layer_name) {
  std::string from;
  if (expected.direction == Direction::up) from = ", from worker " + std::to_string(expected.worker);
  if (expected.direction == Direction::down) from = ", downlink";
  if (expected.direction == Direction::sum)
    from = ", sum of worker " + std::to_string(expected.worker) + " from micro-batch " + std::to_string(expected.part);
  throw IoError("refused a packet: " + what + " (expected step " + std::to_string(expected.step) + ", layer " + layer_name +
                from + ")");
}

PacketHeader header_of(std::span<unsigned char const> packet, PacketId const& expected, std::string const& layer_name) {
  if (packet.size() < packet_header_bytes)
    refuse("it has " + std::to_string(packet.size()) + " bytes, fewer than a header", expected, layer_name);
  PacketHeader header;
  std::memcpy(&header, packet.data(), sizeof header);
  if (header.magic != packet_magic) refuse("it does not begin with Kaon's magic number", expected, layer_name);
  return header;
}

}  // namespace

std::size_t packet_bytes_of(std::span<unsigned char const> rest, PacketId const& expected, std::string const& layer_name) {
  auto const header = header_of(rest, expected, layer_name);
  if (header.length > rest.size() - packet_header_bytes)
    refuse("the length is " + std::to_string(header.length) + ", but " + std::to_string(rest.size() - packet_header_bytes) +
               " bytes are left of the message",
           expected, layer_name);
  return packet_header_bytes + header.length;
}

std::span<unsigned char const> open_packet(std::span<unsigned char const> packet, PacketId const& expected,
                                           std::string const& layer_name) {
  auto const differs = [&](char const* what, std::uint64_t found, std::uint64_t wanted) {
    if (found != wanted)
      refuse(std::string(what) + " is " + std::to_string(found) + " instead of " + std::to_string(wanted), expected, layer_name);
  };
  auto const header = header_of(packet, expected, layer_name);
  differs("the format version", header.version, packet_version);
  differs("the length", header.length, packet.size() - packet_header_bytes);
  auto const payload = packet.subspan(packet_header_bytes);
  if (header.checksum != checksum(header, payload))
    refuse("its checksum does not fit its bytes: it was corrupted on the way", expected, layer_name);
  differs("the direction", header.direction, static_cast<std::uint16_t>(expected.direction));
  differs("the step", header.step, expected.step);
  differs("the layer", header.layer, expected.layer);
  differs("the worker", header.worker, expected.worker);
  differs("the part", header.part, expected.part);
  differs("the encoding", header.encoding, expected.encoding);
  return payload;
}

}  // namespace kaon
