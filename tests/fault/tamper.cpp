#include "tamper.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>

namespace kaon::fault {

namespace {

std::set<std::string> const kinds{"flip",    "truncate", "extend", "duplicate", "replay", "misaddress", "swap",
                                  "foreign", "forge",    "delay",  "spoil",     "lose",   "stall",      "die"};
std::set<std::string> const keys{"rank",        "to",       "direction", "step",        "layer",   "worker",
                                 "bit",         "keep",     "more",      "from",        "ms",      "as_direction",
                                 "as_step",     "as_layer", "as_worker", "as_encoding", "as_part", "with_layer",
                                 "with_worker", "size",     "stage",     "as_stage"};

std::int64_t number(std::string const& text) {
  if (text == "up") return 1;
  if (text == "down") return 2;
  if (text == "sum") return 3;
  std::size_t used = 0;
  std::int64_t n = 0;
  try {
    n = std::stoll(text, &used);
  } catch (std::exception const&) {
  }
  if (used == 0 || used != text.size()) give_up("KAON_FAULT: not a number: " + text);
  return n;
}

void randomize(unsigned char* bytes, std::size_t size) {
  std::mt19937 random(20240607);
  std::generate(bytes, bytes + size, [&] { return static_cast<unsigned char>(random()); });
}

std::size_t from_end(std::int64_t at, std::size_t size) {
  auto const n = at < 0 ? static_cast<std::int64_t>(size) + at : at;
  if (n < 0 || n >= static_cast<std::int64_t>(size)) give_up("KAON_FAULT: the packet has no place " + std::to_string(at));
  return static_cast<std::size_t>(n);
}

}  // namespace

Tamper::Tamper() {
  char const* const text = std::getenv("KAON_FAULT");
  if (!text) return;
  std::istringstream in(text);
  in >> kind_;
  if (!kinds.count(kind_)) give_up("KAON_FAULT: no kind is called '" + kind_ + "'");
  for (std::string word; in >> word;) {
    auto const eq = word.find('=');
    if (eq == std::string::npos || !keys.count(word.substr(0, eq))) give_up("KAON_FAULT: what is '" + word + "'?");
    values_[word.substr(0, eq)] = number(word.substr(eq + 1));
  }
}

std::int64_t Tamper::value(char const* key, std::int64_t otherwise) const {
  auto const it = values_.find(key);
  return it == values_.end() ? otherwise : it->second;
}

bool Tamper::selects(Message const& m, Header const& h, bool partner) const {
  auto const fits = [&](char const* key, std::uint64_t found) {
    return !has(key) || value(key) == static_cast<std::int64_t>(found);
  };
  auto const field = [&](char const* key, char const* other, std::uint64_t found) {
    return fits(partner && has(other) ? other : key, found);
  };
  return fits("rank", static_cast<std::uint64_t>(rank_)) && fits("to", static_cast<std::uint64_t>(m.to)) &&
         fits("direction", h.direction) && fits("step", h.step) && fits("stage", h.stage) &&
         field("layer", "with_layer", h.layer) && field("worker", "with_worker", h.worker);
}

bool Tamper::selects_source(Message const& m, Header const& h) const {
  Header later = h;
  later.step = static_cast<std::uint64_t>(value("step"));
  return static_cast<std::int64_t>(h.step) == value("from") && selects(m, later);
}

void Tamper::report(Packet const& p, Message const& m, std::string const& more) const {
  auto const& h = p.header;
  std::ostringstream line;
  line << kind_ << " rank=" << rank_ << " to=" << m.to << " direction=" << int{h.direction} << " step=" << h.step
       << " layer=" << h.layer << " worker=" << h.worker << " encoding=" << h.encoding << " at=" << p.at << " size=" << p.size
       << " message=" << m.size << more;
  append_line("KAON_FAULT_REPORT", line.str());
}

void Tamper::readdress(Bytes& bytes, Packet const& p) const {
  auto h = p.header;
  h.direction = static_cast<std::uint8_t>(value("as_direction", h.direction));
  h.stage = static_cast<std::uint8_t>(value("as_stage", h.stage));
  h.step = static_cast<std::uint64_t>(value("as_step", static_cast<std::int64_t>(h.step)));
  h.layer = static_cast<std::uint32_t>(value("as_layer", h.layer));
  h.worker = static_cast<std::uint32_t>(value("as_worker", h.worker));
  h.encoding = static_cast<std::uint32_t>(value("as_encoding", h.encoding));
  h.part = static_cast<std::uint32_t>(value("as_part", h.part));
  if (std::memcmp(&h, &p.header, sizeof h) == 0) give_up("KAON_FAULT: misaddress changes nothing");
  std::memcpy(bytes.data() + p.at, &h, sizeof h);
  seal(bytes.data() + p.at, p.size);
}

void Tamper::forge(Bytes& bytes, Packet const& p) const {
  auto h = p.header;
  if (has("keep")) h.length = from_end(value("keep"), h.length);
  auto const from = bytes.begin() + static_cast<std::ptrdiff_t>(p.at + sizeof h);
  bytes.erase(from + static_cast<std::ptrdiff_t>(h.length), from + static_cast<std::ptrdiff_t>(p.header.length));
  std::memcpy(bytes.data() + p.at, &h, sizeof h);
  randomize(bytes.data() + p.at + sizeof h, h.length);
  seal(bytes.data() + p.at, sizeof h + h.length);
}

// The first of the two waits for the second; then each goes out under the other's tag.
std::vector<Tamper::Outgoing> Tamper::swap(Message const& m, Packet const& p) {
  if (held_.empty()) {
    held_.push_back({{m.copy(), m}, p, Clock::now()});
    return {};
  }
  auto const first = held_.front();
  held_.clear();
  done_ = true;
  report(first.packet, first.message.to,
         " other_layer=" + std::to_string(p.header.layer) + " other_worker=" + std::to_string(p.header.worker));
  return {{m.copy(), first.message.to}, {first.message.bytes, m}};
}

std::optional<std::vector<Tamper::Outgoing>> Tamper::replace(Message const& m, std::vector<Packet> const& packets) {
  if (rank_ < 0) PMPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  for (auto& h : held_) ++h.overtaken;
  if (!armed() || done_) return std::nullopt;
  if (kind_ == "spoil") {
    bool const victim = packets.empty() && m.data && static_cast<std::int64_t>(m.size) == value("size") &&
                        (!has("rank") || value("rank") == rank_);
    if (!victim) return std::nullopt;
    done_ = true;
    Bytes bytes = m.copy();
    bytes[bytes.size() / 2] ^= 1;
    append_line("KAON_FAULT_REPORT", "spoil rank=" + std::to_string(rank_) + " to=" + std::to_string(m.to));
    return std::vector<Outgoing>{{bytes, m}};
  }
  for (auto const& p : packets) {
    if (kind_ == "replay" && selects_source(m, p.header)) earlier_.push_back({m.copy(), m});
    if (kind_ == "swap" && !held_.empty()) {
      bool const other =
          held_.front().packet.header.layer != p.header.layer || held_.front().packet.header.worker != p.header.worker;
      if (other && m.to == held_.front().message.to.to && (selects(m, p.header) || selects(m, p.header, true))) return swap(m, p);
      continue;
    }
    if (!selects(m, p.header) && !(kind_ == "swap" && selects(m, p.header, true))) continue;
    if (kind_ == "swap") return swap(m, p);
    done_ = true;
    Bytes bytes = m.copy();
    if (kind_ == "lose" || kind_ == "stall" || kind_ == "die") {
      report(p, m, "");
      if (kind_ == "stall") raise(SIGSTOP);
      if (kind_ == "die") raise(SIGKILL);
      return std::vector<Outgoing>();
    }
    if (kind_ == "delay") {
      held_.push_back({{bytes, m}, p, Clock::now()});
      return std::vector<Outgoing>();
    }
    if (kind_ == "flip") {
      auto const bit = from_end(value("bit"), 8 * p.size);
      bytes[p.at + bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
    } else if (kind_ == "truncate") {
      bytes.resize(p.at + from_end(value("keep"), p.size));
    } else if (kind_ == "extend") {
      bytes.resize(bytes.size() + static_cast<std::size_t>(value("more", 1)), 0);
    } else if (kind_ == "replay") {
      auto const old = std::find_if(earlier_.begin(), earlier_.end(), [&](auto const& e) { return e.to.same_channel(m); });
      if (old == earlier_.end()) give_up("KAON_FAULT: there is no such message in step " + std::to_string(value("from")));
      bytes = old->bytes;
    } else if (kind_ == "misaddress") {
      readdress(bytes, p);
    } else if (kind_ == "foreign") {
      randomize(bytes.data(), bytes.size());
    } else if (kind_ == "forge") {
      forge(bytes, p);
    }
    report(p, m, " sent=" + std::to_string(bytes.size()));
    std::vector<Outgoing> out(kind_ == "duplicate" ? 2 : 1, Outgoing{bytes, m});
    return out;
  }
  return std::nullopt;
}

std::vector<Tamper::Outgoing> Tamper::due(bool all) {
  std::vector<Outgoing> out;
  auto const patience = std::chrono::milliseconds(value("ms"));
  for (auto it = held_.begin(); it != held_.end();) {
    auto const waited = Clock::now() - it->since;
    if (!all && (kind_ != "delay" || waited < patience)) {
      ++it;
      continue;
    }
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(waited).count();
    if (kind_ == "delay")
      report(it->packet, it->message.to, " held=" + std::to_string(ms) + " overtaken=" + std::to_string(it->overtaken));
    out.push_back(std::move(it->message));
    it = held_.erase(it);
  }
  return out;
}

bool Tamper::holds(Message const& m) const {
  return std::any_of(held_.begin(), held_.end(), [&](Held const& h) { return h.message.to.same_channel(m); });
}

}  // namespace kaon::fault
