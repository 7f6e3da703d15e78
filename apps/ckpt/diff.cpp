#include "commands.hpp"

#include <kaon/checkpoint/reader.hpp>

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <set>

namespace kaon::ckpt {
namespace {

std::string value_text(ElementType type, unsigned char const* at) {
  auto const as = [&]<class T>(T v) {
    std::memcpy(&v, at, sizeof v);
    return fmt::format("{}", v);  // shortest text that gives the same bits back
  };
  switch (type) {
    case ElementType::f32:
      return as(float{});
    case ElementType::f64:
      return as(double{});
    case ElementType::i64:
      return as(std::int64_t{});
    case ElementType::u64:
      return as(std::uint64_t{});
  }
  return {};
}

/// Index of the element `n` places into a box, in the field.
std::string index_text(Part const& box, std::uint64_t n) {
  std::vector<std::uint64_t> index(box.count.size());
  for (std::size_t d = box.count.size(); d-- > 0; n /= box.count[d]) index[d] = box.offset[d] + n % box.count[d];
  return fmt::format("[{}]", fmt::join(index, ","));
}

/// Prints one line when the field differs; returns whether it does.
bool differs(CheckpointFile const& a, CheckpointFile const& b, FieldShape const& f) {
  Blocks const blocks(f);
  std::vector<unsigned char> x, y;
  std::uint64_t bytes = 0, elements = 0;
  std::string first;
  for (std::uint64_t k = 0; k < blocks.count(); ++k) {
    Part const box = blocks.box(k);
    std::size_t const size = size_of(f.type);
    x.resize(box.elements() * size);
    y.resize(x.size());
    a.read(f, box, x.data());
    b.read(f, box, y.data());
    if (std::memcmp(x.data(), y.data(), x.size()) == 0) continue;
    for (std::size_t e = 0; e < x.size(); e += size) {
      if (std::memcmp(&x[e], &y[e], size) == 0) continue;
      if (first.empty())
        first = fmt::format("{}: {} | {}", index_text(box, e / size), value_text(f.type, &x[e]), value_text(f.type, &y[e]));
      ++elements;
      for (std::size_t i = 0; i < size; ++i) bytes += x[e + i] != y[e + i];
    }
  }
  if (bytes > 0)
    fmt::print("{}: first at {}; {} of {} bytes differ, in {} elements\n", f.path, first, bytes, f.bytes(), elements);
  return bytes > 0;
}

template <class T>
bool differs(char const* name, T const& a, T const& b) {
  if (a == b) return false;
  fmt::print("{}: {} | {}\n", name, a, b);
  return true;
}

std::map<std::string, std::string> provenance(CheckpointInfo const& info) {
  auto all = info.provenance;
  all["kaon_version"] = info.version;
  all["git_hash"] = info.git_hash;
  all["fingerprint"] = info.fingerprint;
  all["created"] = info.created;
  return all;
}

void list_provenance(CheckpointInfo const& a, CheckpointInfo const& b) {
  auto x = provenance(a), y = provenance(b);
  std::set<std::string> keys;
  for (auto const* map : {&x, &y})
    for (auto const& entry : *map) keys.insert(entry.first);
  bool titled = false;
  auto const line = [&](std::string const& key, std::string const& left, std::string const& right) {
    if (!titled) fmt::print("not counted:\n");
    titled = true;
    fmt::print("  {}: {} | {}\n", key, left, right);
  };
  for (auto const& key : keys)
    if (x[key] != y[key]) line(key, x[key], y[key]);
  if (a.deck != b.deck)
    line("deck", fmt::format("{} bytes", a.deck.size()), fmt::format("{} bytes, another text", b.deck.size()));
}

}  // namespace

int diff(std::string const& a, std::string const& b) {
  CheckpointFile const x(a), y(b);
  int count = differs("step", x.info().step, y.info().step);
  count += differs("workers", x.info().workers, y.info().workers);
  count += differs("seed", x.info().seed, y.info().seed);
  count += differs("precision", x.info().precision, y.info().precision);

  std::map<std::string, FieldShape> right;
  for (auto const& f : y.fields()) right[f.path] = f;
  for (auto const& f : x.fields()) {
    auto const other = right.find(f.path);
    if (other == right.end()) {
      fmt::print("{}: only in {}\n", f.path, a);
      ++count;
      continue;
    }
    if (other->second.type != f.type || other->second.shape != f.shape) {
      fmt::print("{}: {} {} | {} {}\n", f.path, h5::name_of(f.type), f.shape_text(), h5::name_of(other->second.type),
                 other->second.shape_text());
      ++count;
    } else {
      count += differs(x, y, f);
    }
    right.erase(other);
  }
  for (auto const& entry : right) fmt::print("{}: only in {}\n", entry.first, b);
  count += static_cast<int>(right.size());
  list_provenance(x.info(), y.info());
  fmt::print("{}\n", count == 0 ? "the states are the same, bit for bit" : fmt::format("{} differences", count));
  return count == 0 ? 0 : 1;
}

}  // namespace kaon::ckpt
