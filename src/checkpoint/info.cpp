#include <kaon/checkpoint/info.hpp>

#include <kaon/checkpoint/blocks.hpp>
#include <kaon/core/error.hpp>

#include <cstring>
#include <ctime>

namespace kaon {
namespace {

void put(std::string& out, std::uint64_t v) { out.append(reinterpret_cast<char const*>(&v), sizeof v); }
void put(std::string& out, std::string const& s) {
  put(out, static_cast<std::uint64_t>(s.size()));
  out += s;
}

class Unpacker {
 public:
  explicit Unpacker(std::string const& text) : text_(text) {}
  std::uint64_t number() {
    std::uint64_t v = 0;
    std::memcpy(&v, take(sizeof v), sizeof v);
    return v;
  }
  std::string string() {
    std::uint64_t const n = number();
    return {take(n), n};
  }

 private:
  char const* take(std::uint64_t n) {
    if (n > text_.size() - at_) throw InputError("a packed checkpoint description is cut short");
    char const* p = text_.data() + at_;
    at_ += n;
    return p;
  }
  std::string const& text_;
  std::size_t at_ = 0;
};

std::string pack_state(CheckpointInfo const& i, bool names_method) {
  std::string out;
  put(out, i.step);
  put(out, i.workers);
  put(out, i.seed);
  put(out, i.precision);
  put(out, i.deck);
  if (!names_method) return out;
  put(out, i.method);
  put(out, i.problem);
  return out;
}

std::string pack_provenance(CheckpointInfo const& i) {
  std::string out;
  for (auto const* s : {&i.version, &i.git_hash, &i.fingerprint, &i.created}) put(out, *s);
  put(out, static_cast<std::uint64_t>(i.provenance.size()));
  for (auto const& [key, value] : i.provenance) {
    put(out, key);
    put(out, value);
  }
  return out;
}

std::uint64_t hash(std::string const& s) { return xxh3(s.data(), s.size()); }

}  // namespace

std::string pack(CheckpointInfo const& info) { return pack_state(info, true) + pack_provenance(info); }

CheckpointInfo unpack(std::string const& text) {
  Unpacker u(text);
  CheckpointInfo i;
  i.step = u.number();
  i.workers = u.number();
  i.seed = u.number();
  i.precision = u.string();
  i.deck = u.string();
  i.method = u.string();
  i.problem = u.string();
  i.version = u.string();
  i.git_hash = u.string();
  i.fingerprint = u.string();
  i.created = u.string();
  for (std::uint64_t n = u.number(); n > 0; --n) {
    std::string const key = u.string();
    i.provenance[key] = u.string();
  }
  return i;
}

std::uint64_t state_hash(CheckpointInfo const& info, bool names_method) { return hash(pack_state(info, names_method)); }
std::uint64_t provenance_hash(CheckpointInfo const& info) { return hash(pack_provenance(info)); }

std::string utc_now() {
  std::time_t const now = std::time(nullptr);
  std::tm t{};
  gmtime_r(&now, &t);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
  return text;
}

}  // namespace kaon
