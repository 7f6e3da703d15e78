#include "count.hpp"

#include <cstdlib>
#include <fstream>

namespace kaon::fault {

void Counter::add(Message const& m, std::vector<Packet> const& packets) {
  if (packets.empty()) {
    other_.bytes += m.size, ++other_.messages;
    return;
  }
  auto const sum_of = [&](Packet const& p) -> Sum& { return direction_[p.header.direction <= 3 ? p.header.direction : 0]; };
  ++sum_of(packets.front()).messages;
  for (auto const& p : packets) sum_of(p).bytes += p.size;
  auto const& last = packets.back();
  if (auto const covered = last.at + last.size; covered != m.size) stray_.bytes += m.size - covered, ++stray_.messages;
}

void Counter::write(int rank) const {
  char const* const prefix = std::getenv("KAON_FAULT_COUNTS");
  if (!prefix) return;
  std::ofstream out(std::string(prefix) + "." + std::to_string(rank));
  auto const line = [&](char const* name, Sum const& s) { out << name << ' ' << s.bytes << ' ' << s.messages << '\n'; };
  line("up", direction_[1]);
  line("down", direction_[2]);
  line("sum", direction_[3]);
  line("unknown", direction_[0]);
  line("stray", stray_);
  line("other", other_);
  if (!out.flush()) give_up("cannot write the counts");
}

}  // namespace kaon::fault
