// message: a byte of settings, then a letter of three packets, whose payloads are decoded as a server does. Settings: 1 gives
// packets whose header has a length that fits a correct checksum, 2 the identity too that the receiver expects; 64 a message in
// device memory (of a host back end).
#include "choices.hpp"
#include "codecs.hpp"

#include <kaon/exchange/device_sealer.hpp>
#include <kaon/exchange/letter.hpp>

#include <cstring>

namespace kaon::fuzz {
namespace {

struct Layer {
  char const* spec;
  int rows, cols;
};
std::array<Layer, 3> const layers{{{"top:0.3+natural:coded", 9, 11}, {"bits:4:block=64", 5, 7}, {"natural:coded", 8, 24}}};
std::vector<std::string> const names{"zero", "one", "two"};

Codec& codec(std::size_t layer) {
  static auto const all = [] {
    std::vector<std::unique_ptr<Codec>> made;
    for (auto const& l : layers) made.push_back(make_codec(l.spec, l.rows, l.cols, false));
    return made;
  }();
  return *all[layer];
}

/// The places come in another order than the layers, as in a bundle.
std::array<std::size_t, 3> const order{2, 0, 1};

PacketId id(std::size_t place, Direction direction) {
  auto const layer = order[place];
  return {direction,
          5,
          static_cast<std::uint32_t>(layer),
          direction == Direction::down ? 0U : 3U,
          encoding_of(layers[layer].spec),
          direction == Direction::sum ? 4U : 0U,
          static_cast<std::uint8_t>(direction == Direction::sum ? 0 : 1)};
}

Letter letter() {
  std::vector<Place> places;
  for (auto const layer : order) places.push_back({static_cast<int>(layer), 0, codec(layer).bytes_bound()});
  return Letter(places);
}

Sealer& sealer(bool device) {
  static HostSealer host;
  static DeviceSealer other(DeviceSealer::Space(), order.size(), packet_header_bytes + letter().bound());
  return device ? static_cast<Sealer&>(other) : host;
}

/// Seals the packets again as far as their lengths lie inside the message.
void mend(Input& message, Direction direction, bool identity, Sealer& with) {
  std::size_t at = 0;
  for (std::size_t place = 0; place < order.size() && message.size() - at >= packet_header_bytes; ++place) {
    PacketHeader header;
    std::memcpy(&header, message.data() + at, sizeof header);
    auto const left = message.size() - at - packet_header_bytes;
    auto const length = place + 1 == order.size() ? left : static_cast<std::size_t>(header.length);
    if (length > left) return;
    PacketId found{static_cast<Direction>(header.direction),
                   header.step,
                   header.layer,
                   header.worker,
                   header.encoding,
                   header.part,
                   header.stage};
    with.seal(message, at, identity ? id(place, direction) : found, length);
    at += packet_header_bytes + length;
  }
}

void run_message(InputView input) {
  Choices choices(input);
  auto const how = choices.number<std::uint8_t>();
  auto const direction = static_cast<Direction>(1 + how / 4 % 3);
  auto const rest = choices.rest();
  Input message(rest.begin(), rest.end());
  auto& with = sealer((how & 64) != 0);
  if (how & 1) mend(message, direction, (how & 2) != 0, with);
  std::vector<PacketId> ids;
  for (std::size_t place = 0; place < order.size(); ++place) ids.push_back(id(place, direction));

  auto reader = letter();
  reader.open(with, message, ids, names);
  std::size_t bytes = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    auto const payload = reader.payload(message, place);
    bytes += packet_header_bytes + payload.size();
    demand(payload.data() + payload.size() <= message.data() + message.size(), "a payload reaches beyond its message");
    codec(order[place]).decompress(payload);
  }
  demand(bytes == message.size(), "the packets of a letter do not make up its bytes");
}

std::vector<Input> seeds_of_message() {
  std::vector<Input> all;
  for (unsigned char how : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 64, 65, 66, 67}) {
    auto writer = letter();
    Input buffer(writer.bound());
    writer.begin();
    for (std::size_t place = 0; place < order.size(); ++place) {
      auto const payload = codec(order[place]).compressed(how);
      std::copy(payload.begin(), payload.end(), writer.room(buffer, place).begin());
      writer.seal(sealer((how & 64) != 0), buffer, place, id(place, static_cast<Direction>(1 + how / 4 % 3)), payload.size());
    }
    buffer.resize(writer.size());
    buffer.insert(buffer.begin(), how);
    all.push_back(buffer);
  }
  return all;
}

}  // namespace

Target message_target() {
  return {"message",
          {Exit::io, Exit::bad_input},
          2048,
          run_message,
          seeds_of_message,
          {"KAON", std::string("\x04\x01\x01\0", 4), std::string(8, '\xff')}};
}

}  // namespace kaon::fuzz
