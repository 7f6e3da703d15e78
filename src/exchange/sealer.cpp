#include <kaon/exchange/sealer.hpp>

#include <cstring>

namespace kaon {

void HostSealer::seal(std::span<unsigned char> buffer, std::size_t at, PacketId const& id, std::size_t length) {
  seal_packet(buffer.subspan(at), id, length);
}

void HostSealer::move(std::span<unsigned char> buffer, std::size_t to, std::size_t from, std::size_t bytes) {
  std::memmove(buffer.data() + to, buffer.data() + from, bytes);
}

void HostSealer::open(std::span<unsigned char const> message, std::span<PacketId const> ids,
                      std::span<std::string const> layer_names, std::span<Extent> found) {
  std::size_t at = 0;
  for (std::size_t p = 0; p < ids.size(); ++p) {
    auto const& name = layer_names[ids[p].layer];
    auto const rest = message.subspan(at);
    auto const size = p + 1 == ids.size() ? rest.size() : packet_bytes_of(rest, ids[p], name);
    open_packet(rest.first(size), ids[p], name);
    found[p] = {at, size};
    at += size;
  }
}

}  // namespace kaon
