#ifndef KAON_EXCHANGE_LETTER_HPP
#define KAON_EXCHANGE_LETTER_HPP

#include <kaon/exchange/packet.hpp>
#include <kaon/exchange/sealer.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// One packet of a letter: what it is for, and how long its payload may be.
struct Place {
  int layer = 0;
  std::uint32_t part = 0;  ///< PacketId::part
  std::size_t bound = 0;   ///< largest payload in bytes
};

/// One message: packets one behind the other, in the order of its places, in a buffer that somebody else owns. They may be
/// sealed in any order; the last one makes the letter complete.
class Letter {
 public:
  Letter() = default;
  explicit Letter(std::vector<Place> places);
  /// Bytes that the largest letter takes.
  std::size_t bound() const { return bound_; }
  std::vector<Place> const& places() const { return places_; }

  // Writing.
  void begin();
  bool empty() const { return sealed_ == 0; }
  bool complete() const { return sealed_ == places_.size(); }
  /// Where the payload of the place belongs until it is sealed.
  std::span<unsigned char> room(std::span<unsigned char> buffer, std::size_t place) const;
  /// Writes the header in front of the `length` payload bytes in room(place). True when this was the last place: then the
  /// packets stand close together from the start of the buffer, size() bytes. The sealer is the one of the buffer's memory.
  bool seal(Sealer& sealer, std::span<unsigned char> buffer, std::size_t place, PacketId const& id, std::size_t length);
  std::size_t size() const { return size_; }
  std::size_t packet_bytes(std::size_t place) const { return packets_[place].size; }

  // Reading.
  /// Checks every packet of a received letter against the id of its place (ids[place]); throws IoError as open_packet does, and
  /// when bytes are left over.
  void open(Sealer& sealer, std::span<unsigned char const> letter, std::span<PacketId const> ids,
            std::span<std::string const> layer_names);
  /// The payload of a place in a complete or opened letter.
  std::span<unsigned char const> payload(std::span<unsigned char const> buffer, std::size_t place) const;

 private:
  std::size_t start_of(std::size_t place) const;

  std::vector<Place> places_;
  std::vector<std::size_t> latest_;  // where a packet starts at the latest: behind the bounds of those before it
  std::vector<Extent> packets_;
  std::vector<bool> done_;  // sealed
  std::size_t bound_ = 0, size_ = 0, sealed_ = 0;
};

}  // namespace kaon

#endif
