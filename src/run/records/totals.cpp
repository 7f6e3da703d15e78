#include <kaon/run/records/totals.hpp>

#include <cstring>
#include <iterator>
#include <sstream>
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
    f.resize = Resize::kept;
    registry.push_back(std::move(f));
  }
}

namespace {

using CountMember = std::uint64_t ByteCount::*;
constexpr CountMember parts[] = {&ByteCount::up, &ByteCount::down, &ByteCount::wire_up, &ByteCount::wire_down,
                                 &ByteCount::wire_sum};
static_assert(std::size(parts) == byte_counts);

std::string group_key(std::size_t group) { return "group_bytes_" + std::to_string(group); }

}  // namespace

void to_numbers(ByteCount const& count, std::span<double> out) {
  for (std::size_t i = 0; i < byte_counts; ++i) out[i] = static_cast<double>(count.*parts[i]);
}

ByteCount from_numbers(std::span<double const> in) {
  ByteCount count;
  for (std::size_t i = 0; i < byte_counts; ++i) count.*parts[i] = static_cast<std::uint64_t>(in[i]);
  return count;
}

void Totals::to_provenance(std::map<std::string, std::string>& provenance) const {
  provenance["wire_bytes_up"] = std::to_string(wire_up);
  provenance["wire_bytes_down"] = std::to_string(wire_down);
  provenance["wire_bytes_sum"] = std::to_string(wire_sum);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::ostringstream text;
    for (auto const part : parts) text << groups[g].*part << ' ';
    provenance[group_key(g)] = text.str();
  }
}

void Totals::from_provenance(std::map<std::string, std::string> const& provenance) {
  auto const read = [&](std::string const& key) {
    auto const it = provenance.find(key);
    return std::istringstream(it == provenance.end() ? "0 0 0 0 0" : it->second);
  };
  read("wire_bytes_up") >> wire_up;
  read("wire_bytes_down") >> wire_down;
  read("wire_bytes_sum") >> wire_sum;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto text = read(group_key(g));
    for (auto const part : parts) text >> groups[g].*part;
  }
}

Totals& Totals::operator+=(ByteCount const& all_ranks) {
  bytes_up += all_ranks.up;
  bytes_down += all_ranks.down;
  wire_up += all_ranks.wire_up;
  wire_down += all_ranks.wire_down;
  wire_sum += all_ranks.wire_sum;
  return *this;
}

Totals add_exchange(Totals before, ByteCount const& mine, std::vector<ByteCount> const& by_group, Communicator const& comm) {
  std::vector<double> numbers((1 + by_group.size()) * byte_counts);
  auto const part = [&](std::size_t k) { return std::span<double>(numbers).subspan(k * byte_counts, byte_counts); };
  to_numbers(mine, part(0));
  for (std::size_t g = 0; g < by_group.size(); ++g) to_numbers(by_group[g], part(1 + g));
  comm.sum_each(numbers);
  before += from_numbers(part(0));
  before.groups.resize(by_group.size());
  for (std::size_t g = 0; g < by_group.size(); ++g) before.groups[g] += from_numbers(part(1 + g));
  return before;
}

}  // namespace kaon
