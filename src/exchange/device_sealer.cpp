#include <kaon/exchange/device_sealer.hpp>

#include <kaon/codec/records.hpp>
#include <kaon/core/error.hpp>

#include <cstddef>
#include <cstring>
#include <exception>

namespace kaon {

static_assert(packet_header_bytes == record_header_bytes && offsetof(PacketHeader, length) == record_length_at &&
                  offsetof(PacketHeader, checksum) == record_checksum_at,
              "kernels know where a header has length and checksum");

namespace {

using Space = DeviceSealer::Space;

Bytes<Space> view_of(std::span<unsigned char> bytes) { return Bytes<Space>(bytes.data(), bytes.size()); }
ConstBytes<Space> view_of(std::span<unsigned char const> bytes) { return ConstBytes<Space>(bytes.data(), bytes.size()); }

template <class View>
auto part(View const& view, std::size_t at, std::size_t count) {
  return Kokkos::subview(view, Kokkos::pair<std::size_t, std::size_t>(at, at + count));
}

}  // namespace

DeviceSealer::DeviceSealer(Space const& exec, std::size_t packets, std::size_t movable)
    : exec_(exec),
      sum_("kaon::exchange::checksum"),
      sums_("kaon::exchange::checksums", packets),
      headers_("kaon::exchange::headers", packets * packet_header_bytes),
      moved_("kaon::exchange::moved", movable),
      host_sums_("kaon::exchange::host_checksums", packets),
      host_headers_("kaon::exchange::host_headers", packets * packet_header_bytes) {}

void DeviceSealer::seal(std::span<unsigned char> buffer, std::size_t at, PacketId const& id, std::size_t length) {
  auto const header = header_of(id, length, ChecksumKind::sum);
  RecordHeader raw;
  std::memcpy(raw.data(), &header, sizeof header);
  auto const bytes = view_of(buffer);
  checksum<Space>(exec_, sum_, bytes, at + packet_header_bytes, length);
  write_record_header<Space>(exec_, bytes, at, raw, sum_, seed_of(header));
}

void DeviceSealer::move(std::span<unsigned char> buffer, std::size_t to, std::size_t from, std::size_t bytes) {
  require(bytes <= moved_.extent(0), "DeviceSealer: a packet is larger than what can be moved");
  auto const view = view_of(buffer);
  auto const through = part(moved_, 0, bytes);
  Kokkos::deep_copy(exec_, through, part(view, from, bytes));
  Kokkos::deep_copy(exec_, part(view, to, bytes), through);
}

PacketHeader DeviceSealer::header(std::size_t packet, PacketCheck const& check, std::size_t left) const {
  return check.header(host_headers_.data() + packet * packet_header_bytes, left);
}

void DeviceSealer::open(std::span<unsigned char const> message, std::span<PacketId const> ids,
                        std::span<std::string const> layer_names, std::span<Extent> found) {
  require(ids.size() <= sums_.extent(0), "DeviceSealer: a message of too many packets");
  auto const wanted = ids.size() * packet_header_bytes;
  read_record_headers<Space>(exec_, part(headers_, 0, wanted), view_of(message), message.size());
  Kokkos::deep_copy(exec_, part(host_headers_, 0, wanted), part(headers_, 0, wanted));
  exec_.fence();
  std::size_t at = 0;
  for (std::size_t p = 0; p < ids.size(); ++p) {
    PacketCheck const one(ids[p], layer_names[ids[p].layer]);
    auto const left = message.size() - at;
    try {
      auto const h = header(p, one, left);
      found[p] = {at, p + 1 == ids.size() ? left : one.fits(h, left)};
      one.frame(h, found[p].size, ChecksumKind::sum);
    } catch (IoError const&) {  // perhaps the length of one before is what is wrong: its checksum knows
      check(message, ids.first(p), layer_names, found);
      throw;
    }
    at += found[p].size;
  }
  check(message, ids, layer_names, found);
}

// All checksums, then all identities.
void DeviceSealer::check(std::span<unsigned char const> message, std::span<PacketId const> ids,
                         std::span<std::string const> layer_names, std::span<Extent const> found) {
  if (ids.empty()) return;
  auto const bytes = view_of(message);
  for (std::size_t p = 0; p < ids.size(); ++p)
    checksum<Space>(exec_, Scalar<std::uint64_t, Space>(sums_.data() + p), bytes, found[p].at + packet_header_bytes,
                    found[p].size - packet_header_bytes);
  Kokkos::deep_copy(exec_, part(host_sums_, 0, ids.size()), part(sums_, 0, ids.size()));
  exec_.fence();
  for (std::size_t p = 0; p < ids.size(); ++p) {
    PacketCheck const one(ids[p], layer_names[ids[p].layer]);
    auto const h = header(p, one, found[p].size);
    one.checksum(h, record_checksum(host_sums_(p), seed_of(h)));
    one.identity(h);
  }
}

}  // namespace kaon
