#include <kaon/run/totals.hpp>

#include <cstring>
#include <utility>

namespace kaon {

void Totals::register_state(Registry& registry, int rank) {
  std::pair<char const*, std::uint64_t*> const all[] = {{"/counters/rounds", &steps},
                                                        {"/counters/tokens", &samples},
                                                        {"/counters/bytes_up", &bytes_up},
                                                        {"/counters/bytes_down", &bytes_down}};
  for (auto const& [path, value] : all) {
    Field f;
    f.path = path;
    f.type = ElementType::u64;
    f.shape = {1};
    f.written = rank == 0 ? Part{{0}, {1}} : Part{{0}, {0}};
    f.needed = {{0}, {1}};
    f.get = [value = value](void* out) { std::memcpy(out, value, sizeof *value); };
    f.set = [value = value](void const* in) { std::memcpy(value, in, sizeof *value); };
    registry.push_back(std::move(f));
  }
}

void Totals::to_provenance(std::map<std::string, std::string>& provenance) const {
  provenance["wire_bytes_up"] = std::to_string(wire_up);
  provenance["wire_bytes_down"] = std::to_string(wire_down);
}

void Totals::from_provenance(std::map<std::string, std::string> const& provenance) {
  auto const read = [&](char const* key) -> std::uint64_t {
    auto const it = provenance.find(key);
    return it == provenance.end() ? 0 : std::stoull(it->second);
  };
  wire_up = read("wire_bytes_up");
  wire_down = read("wire_bytes_down");
}

Totals add_exchange(Totals before, ByteCount const& mine, Communicator const& comm) {
  std::vector<std::int64_t> v{static_cast<std::int64_t>(mine.up), static_cast<std::int64_t>(mine.down),
                              static_cast<std::int64_t>(mine.wire_up), static_cast<std::int64_t>(mine.wire_down)};
  comm.sum_each(v);
  before.bytes_up += static_cast<std::uint64_t>(v[0]);
  before.bytes_down += static_cast<std::uint64_t>(v[1]);
  before.wire_up += static_cast<std::uint64_t>(v[2]);
  before.wire_down += static_cast<std::uint64_t>(v[3]);
  return before;
}

}  // namespace kaon
