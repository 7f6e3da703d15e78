#ifndef KAON_EXCHANGE_PACKET_HPP
#define KAON_EXCHANGE_PACKET_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace kaon {

/// up: R_j, worker → server, or a partial sum of all workers' gradients; down: S, server → workers; sum: a partial sum of a
/// worker's gradient, inside its group of ranks.
enum class Direction : std::uint16_t { up = 1, down = 2, sum = 3 };

/// What a packet's checksum is made with. xxh3: XXH3-64 of the payload, seeded with the XXH3-64 of the header (its checksum taken
/// as zero). sum: record_checksum of the payload's checksum and the same seed (kaon/codec), for packets in device memory, where
/// kernels make it.
enum class ChecksumKind : std::uint8_t { xxh3 = 0, sum = 1 };

/// Who sends what, for what: everything a receiver must find in a packet.
struct PacketId {
  Direction direction = Direction::up;
  std::uint64_t step = 0;
  std::uint32_t layer = 0;
  std::uint32_t worker = 0;    ///< sender of an uplink packet or owner of a sum; 0 for a downlink packet and a sum over workers
  std::uint32_t encoding = 0;  ///< encoding_of(compressor spec): both sides must run the same compressor
  std::uint32_t part = 0;      ///< of a sum: the first gradient that is in it (AddBlock); else 0
  std::uint8_t stage = 0;      ///< of the rounds that depend on one another within a step: 0, 1
  bool operator==(PacketId const&) const = default;
};

/// On the wire, little-endian, in front of every payload.
struct PacketHeader {
  std::uint32_t magic;
  std::uint8_t version;
  std::uint8_t stage;
  std::uint8_t direction;
  std::uint8_t checksum_kind;
  std::uint64_t step;
  std::uint32_t layer;
  std::uint32_t worker;
  std::uint64_t length;  ///< payload bytes
  std::uint32_t encoding;
  std::uint32_t part;
  std::uint64_t checksum;
};
static_assert(sizeof(PacketHeader) == 48, "the header is a wire format");

inline constexpr std::uint32_t packet_magic = 0x4e4f414b;  // "KAON"
inline constexpr std::uint8_t packet_version = 4;
inline constexpr std::size_t packet_header_bytes = sizeof(PacketHeader);

/// A number that stands for a compressor's canonical spec in packet headers.
std::uint32_t encoding_of(std::string const& spec);

/// A packet's header without its checksum.
PacketHeader header_of(PacketId const& id, std::size_t length, ChecksumKind kind);
/// The XXH3-64 of a header, its checksum taken as zero.
std::uint64_t seed_of(PacketHeader header);

/// Writes the header in front of the `length` payload bytes that already stand at packet[48 …). Returns the packet's size.
std::size_t seal_packet(std::span<unsigned char> packet, PacketId const& id, std::size_t length);

/// Bytes of the packet that `rest` begins with, as its header has it. Throws IoError that names step, layer and worker when no
/// header is there or the packet would not fit into `rest`; open_packet checks everything else.
std::size_t packet_bytes_of(std::span<unsigned char const> rest, PacketId const& expected, std::string const& layer_name);

/// One received packet, check by check, each throwing IoError that names step, layer and worker and what differs: where payloads
/// are not in host memory, the caller brings headers and checksums.
class PacketCheck {
 public:
  PacketCheck(PacketId const& expected, std::string const& layer_name) : expected_(expected), layer_name_(layer_name) {}
  /// The header at the beginning of `bytes`; `left`: bytes of the message from there on.
  PacketHeader header(unsigned char const* bytes, std::size_t left) const;
  /// Bytes of the packet, in front of others.
  std::size_t fits(PacketHeader const& header, std::size_t left) const;
  /// Format version, kind of checksum, and the length of a packet of `size` bytes.
  void frame(PacketHeader const& header, std::size_t size, ChecksumKind kind) const;
  void checksum(PacketHeader const& header, std::uint64_t computed) const;
  /// Stage, direction, step, layer, worker, part and encoding.
  void identity(PacketHeader const& header) const;

 private:
  [[noreturn]] void refuse(std::string const& what) const;
  void same(char const* what, std::uint64_t found, std::uint64_t wanted) const;

  PacketId const& expected_;
  std::string const& layer_name_;
};

/// Checks magic, version, stage, direction, step, layer, worker, part, encoding, length and checksum of a received packet.
/// Returns its payload. Throws IoError that names step, layer and worker and what differs.
std::span<unsigned char const> open_packet(std::span<unsigned char const> packet, PacketId const& expected,
                                           std::string const& layer_name);

}  // namespace kaon

#endif
