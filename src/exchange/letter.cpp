#include <kaon/exchange/letter.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>

namespace kaon {

Letter::Letter(std::vector<Place> places) : places_(std::move(places)), packets_(places_.size()), done_(places_.size()) {
  for (auto const& p : places_) {
    latest_.push_back(bound_);
    bound_ += packet_header_bytes + p.bound;
  }
}

void Letter::begin() {
  sealed_ = 0;
  std::fill(done_.begin(), done_.end(), false);
}

// Right behind its predecessor where all of them are sealed: in the order of the places nothing need be moved later.
std::size_t Letter::start_of(std::size_t place) const {
  for (std::size_t p = 0; p < place; ++p)
    if (!done_[p]) return latest_[place];
  return place == 0 ? 0 : packets_[place - 1].at + packets_[place - 1].size;
}

std::span<unsigned char> Letter::room(std::span<unsigned char> buffer, std::size_t place) const {
  return buffer.subspan(start_of(place) + packet_header_bytes, places_[place].bound);
}

bool Letter::seal(Sealer& sealer, std::span<unsigned char> buffer, std::size_t place, PacketId const& id, std::size_t length) {
  require(!done_[place], "Letter: a packet is sealed twice");
  require(length <= places_[place].bound, "Letter: a payload is longer than its bound");
  auto const at = start_of(place);
  sealer.seal(buffer, at, id, length);
  packets_[place] = {at, packet_header_bytes + length};
  done_[place] = true;
  if (++sealed_ < places_.size()) return false;
  size_ = 0;
  for (auto& p : packets_) {
    if (p.at != size_) sealer.move(buffer, size_, p.at, p.size);
    p.at = size_;
    size_ += p.size;
  }
  return true;
}

void Letter::open(Sealer& sealer, std::span<unsigned char const> letter, std::span<PacketId const> ids,
                  std::span<std::string const> names) {
  sealer.open(letter, ids, names, packets_);
  size_ = letter.size();
}

std::span<unsigned char const> Letter::payload(std::span<unsigned char const> buffer, std::size_t place) const {
  auto const& p = packets_[place];
  return buffer.subspan(p.at + packet_header_bytes, p.size - packet_header_bytes);
}

}  // namespace kaon
