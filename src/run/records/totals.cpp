#include <kaon/run/records/totals.hpp>

#include <cstring>
#include <iterator>
#include <sstream>
#include <utility>

namespace kaon {

void Totals::register_state(Registry& registry, int rank) {
  std::pair<char const*, std::uint64_t*> const all[] = {{"/counters/rounds", &steps},
                                                        {"/counters/tokens", &samples},
                                                        {"/counters/bytes_up", &bytes.up},
                                                        {"/counters/bytes_down", &bytes.down}};
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

// Of a group, in the order in which they came to be counted: what is sent, then what is received.
constexpr std::uint64_t ByteCount::*of_group[] = {&ByteCount::up,           &ByteCount::down,     &ByteCount::wire_up,
                                                  &ByteCount::wire_down,    &ByteCount::wire_sum, &ByteCount::received,
                                                  &ByteCount::wire_received};
static_assert(std::size(of_group) == byte_counts);
// Of the run, beside what is state, in the same order.
constexpr std::pair<char const*, std::uint64_t ByteCount::*> of_run[] = {{"wire_bytes_up", &ByteCount::wire_up},
                                                                         {"wire_bytes_down", &ByteCount::wire_down},
                                                                         {"wire_bytes_sum", &ByteCount::wire_sum},
                                                                         {"bytes_received", &ByteCount::received},
                                                                         {"wire_bytes_received", &ByteCount::wire_received}};

std::string group_key(std::size_t group) { return "group_bytes_" + std::to_string(group); }

}  // namespace

void to_numbers(ByteCount const& count, std::span<double> out) {
  for (std::size_t i = 0; i < byte_counts; ++i) out[i] = static_cast<double>(count.*byte_columns[i].of);
}

ByteCount from_numbers(std::span<double const> in) {
  ByteCount count;
  for (std::size_t i = 0; i < byte_counts; ++i) count.*byte_columns[i].of = static_cast<std::uint64_t>(in[i]);
  return count;
}

void Totals::to_provenance(std::map<std::string, std::string>& provenance) const {
  for (auto const& [key, part] : of_run) provenance[key] = std::to_string(bytes.*part);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::ostringstream text;
    for (auto const part : of_group) text << groups[g].*part << ' ';
    provenance[group_key(g)] = text.str();
  }
}

void Totals::from_provenance(std::map<std::string, std::string> const& provenance) {
  auto const text = [&](std::string const& key) {
    auto const it = provenance.find(key);
    return std::istringstream(it == provenance.end() ? std::string() : it->second);
  };
  auto const take = [](std::istringstream& from, std::uint64_t& to) {
    if (std::uint64_t n = 0; from >> n) to = n;
  };
  auto const of_run_from = [&](std::size_t first, std::size_t end) {
    for (auto k = first; k < end; ++k) {
      auto from = text(of_run[k].first);
      take(from, bytes.*of_run[k].second);
    }
  };
  bytes = {.up = bytes.up, .down = bytes.down};
  of_run_from(0, 3);
  bytes = received_as_sent(bytes);  // where the file does not say
  of_run_from(3, std::size(of_run));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto from = text(group_key(g));
    groups[g] = {};
    for (std::size_t k = 0; k < byte_counts; ++k) {
      if (k == 5) groups[g] = received_as_sent(groups[g]);
      take(from, groups[g].*of_group[k]);
    }
  }
}

Totals add_exchange(Totals before, ByteCount const& mine, std::vector<ByteCount> const& by_group, Communicator const& comm) {
  std::vector<double> numbers((1 + by_group.size()) * byte_counts);
  auto const part = [&](std::size_t k) { return std::span<double>(numbers).subspan(k * byte_counts, byte_counts); };
  to_numbers(mine, part(0));
  for (std::size_t g = 0; g < by_group.size(); ++g) to_numbers(by_group[g], part(1 + g));
  comm.sum_each(numbers);
  before.bytes += from_numbers(part(0));
  before.groups.resize(by_group.size());
  for (std::size_t g = 0; g < by_group.size(); ++g) before.groups[g] += from_numbers(part(1 + g));
  return before;
}

}  // namespace kaon
