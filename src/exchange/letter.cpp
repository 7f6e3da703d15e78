#include <kaon/exchange/letter.hpp>

#include <kaon/core/error.hpp>

#include <cstring>

namespace kaon {

Letter::Letter(std::vector<Place> places) : places_(std::move(places)), packets_(places_.size()) {
  for (auto const& p : places_) {
    latest_.push_back(bound_);
    bound_ += packet_header_bytes + p.bound;
  }
}

void Letter::begin() {
  sealed_ = 0;
  for (auto& p : packets_) p.sealed = false;
}

// Right behind its predecessor where all of them are sealed: in the order of the places nothing need be moved later.
std::size_t Letter::start_of(std::size_t place) const {
  for (std::size_t p = 0; p < place; ++p)
    if (!packets_[p].sealed) return latest_[place];
  return place == 0 ? 0 : packets_[place - 1].at + packets_[place - 1].size;
}

std::span<unsigned char> Letter::room(std::span<unsigned char> buffer, std::size_t place) const {
  return buffer.subspan(start_of(place) + packet_header_bytes, places_[place].bound);
}

bool Letter::seal(std::span<unsigned char> buffer, std::size_t place, PacketId const& id, std::size_t length) {
  require(!packets_[place].sealed, "Letter: a packet is sealed twice");
  require(length <= places_[place].bound, "Letter: a payload is longer than its bound");
  auto const at = start_of(place);
  packets_[place] = {at, seal_packet(buffer.subspan(at), id, length), true};
  if (++sealed_ < places_.size()) return false;
  size_ = 0;
  for (auto& p : packets_) {
    if (p.at != size_) std::memmove(buffer.data() + size_, buffer.data() + p.at, p.size);
    p.at = size_;
    size_ += p.size;
  }
  return true;
}

void Letter::open(std::span<unsigned char const> letter, std::span<PacketId const> ids, std::span<std::string const> names) {
  std::size_t at = 0;
  for (std::size_t p = 0; p < places_.size(); ++p) {
    auto const& name = names[static_cast<std::size_t>(places_[p].layer)];
    auto const rest = letter.subspan(at);
    auto const size = p + 1 == places_.size() ? rest.size() : packet_bytes_of(rest, ids[p], name);
    open_packet(rest.first(size), ids[p], name);
    packets_[p] = {at, size, true};
    at += size;
  }
  size_ = at;
}

std::span<unsigned char const> Letter::payload(std::span<unsigned char const> buffer, std::size_t place) const {
  auto const& p = packets_[place];
  return buffer.subspan(p.at + packet_header_bytes, p.size - packet_header_bytes);
}

}  // namespace kaon
