#include "commands.hpp"
#include "said_elsewhere.hpp"
#include "text.hpp"

#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

namespace kaon::ckpt {
namespace {

template <class T>
T load(unsigned char const* at) {
  T v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

/// The shortest text that gives the same bits back.
std::string value_text(ElementType type, unsigned char const* at) {
  switch (type) {
    case ElementType::f32:
      return fmt::format("{}", load<float>(at));
    case ElementType::f64:
      return fmt::format("{}", load<double>(at));
    case ElementType::i64:
      return fmt::format("{}", load<std::int64_t>(at));
    case ElementType::u64:
      return fmt::format("{}", load<std::uint64_t>(at));
  }
  return {};
}

/// |a − b| of floating-point values; 0 for integers.
double distance(ElementType type, unsigned char const* a, unsigned char const* b) {
  if (type == ElementType::f32) return std::abs(double(load<float>(a)) - double(load<float>(b)));
  if (type == ElementType::f64) return std::abs(load<double>(a) - load<double>(b));
  return 0;
}

/// Whether what was read of block `k` of a field is what was once written.
bool sound(CheckpointFile const& file, FieldShape const& field, std::uint64_t k, std::vector<unsigned char> const& bytes) {
  auto const& table = file.table();
  for (std::size_t f = 0; f < table.fields.size(); ++f)
    if (table.fields[f].path == field.path) return xxh3(bytes.data(), bytes.size()) == table.hashes[table.first[f] + k];
  return false;
}

/// Prints one line when the field, which is `g` in b, differs; returns whether it does.
bool differs(CheckpointFile const& a, CheckpointFile const& b, FieldShape const& f, FieldShape const& g) {
  Blocks const blocks(f);
  std::vector<unsigned char> x, y;
  std::uint64_t bytes = 0, elements = 0;
  double largest = 0;
  std::string first;
  std::set<std::string> damaged;
  for (std::uint64_t k = 0; k < blocks.count(); ++k) {
    Part const box = blocks.box(k);
    std::size_t const size = size_of(f.type);
    x.resize(box.elements() * size);
    y.resize(x.size());
    a.read(f, box, x.data());
    b.read(g, box, y.data());
    if (std::memcmp(x.data(), y.data(), x.size()) == 0) continue;
    if (!sound(a, f, k, x)) damaged.insert(a.path());
    if (!sound(b, g, k, y)) damaged.insert(b.path());
    for (std::size_t e = 0; e < x.size(); e += size) {
      if (std::memcmp(&x[e], &y[e], size) == 0) continue;
      if (first.empty())
        first = fmt::format("{}: {} | {}", index_text(box, e / size), value_text(f.type, &x[e]), value_text(f.type, &y[e]));
      ++elements;
      double const d = distance(f.type, &x[e], &y[e]);
      if (!(d <= largest) && !std::isnan(largest)) largest = d;  // a NaN stays
      for (std::size_t i = 0; i < size; ++i) bytes += x[e + i] != y[e + i];
    }
  }
  if (bytes == 0) return false;
  print("{}: first at {}; {} of {} bytes differ, in {} of {} elements{}\n", f.path, first, bytes, f.bytes(), elements,
        f.elements(),
        f.type == ElementType::f32 || f.type == ElementType::f64 ? fmt::format(", by {:.2g} at most", largest) : "");
  for (auto const& path : damaged) print("  {} is damaged there: the data do not fit their hash\n", path);
  return true;
}

template <class T>
bool differs(char const* name, T const& a, T const& b) {
  if (a == b) return false;
  print("{}: {} | {}\n", name, a, b);
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

/// Version 1 made it otherwise, or had none: then it tells nothing.
constexpr char const* fingerprint = "/data/fingerprint";
bool fingerprints_compare(CheckpointFile const& a, CheckpointFile const& b) {
  return (a.format_version() == 1) == (b.format_version() == 1);
}

void list_uncounted(CheckpointFile const& a, CheckpointFile const& b) {
  auto x = provenance(a.info()), y = provenance(b.info());
  std::set<std::string> keys;
  for (auto const* map : {&x, &y})
    for (auto const& entry : *map) keys.insert(entry.first);
  bool titled = false;
  auto const line = [&](std::string const& key, std::string const& left, std::string const& right) {
    if (!titled) print("not counted:\n");
    titled = true;
    print("  {}: {} | {}\n", key, left, right);
  };
  for (auto const& key : keys)
    if (x[key] != y[key]) line(key, x[key], y[key]);
  if (a.format_version() != b.format_version())
    line("format version", std::to_string(a.format_version()), std::to_string(b.format_version()));
  if (!fingerprints_compare(a, b)) line(fingerprint, "one is of version 1", "which made it otherwise or had none");
  if (auto const& left = a.info().deck, &right = b.info().deck; left != right)
    line("deck", fmt::format("{} bytes", left.size()), fmt::format("{} bytes, another text", right.size()));
}

/// In files of different versions a field may have different paths.
std::string path_now(CheckpointFile const& file, FieldShape const& field) {
  return file.has_older_paths() ? older::as_now(field.path).path : field.path;
}

/// Of a dataset that the other file has not; returns whether that is a difference.
bool alone(CheckpointFile const& file, std::string const& name, FieldShape const& field) {
  auto const other = said_elsewhere(file, field);
  if (other.empty())
    print("{}: only in {}\n", field.path, name);
  else
    print("{}: only in {}, where it says what {} says: no difference\n", field.path, name, other);
  return other.empty();
}

}  // namespace

int diff(std::string const& a, std::string const& b) {
  CheckpointFile const x(a), y(b);
  int count = differs("step", x.info().step, y.info().step);
  count += differs("workers", x.info().workers, y.info().workers);
  count += differs("seed", x.info().seed, y.info().seed);
  count += differs("precision", x.info().precision, y.info().precision);
  count += differs("method", x.info().method, y.info().method);

  std::map<std::string, FieldShape> right;
  for (auto const& f : y.fields()) right[path_now(y, f)] = f;
  bool const with_fingerprint = fingerprints_compare(x, y);
  if (!with_fingerprint) right.erase(fingerprint);
  for (auto const& f : x.fields()) {
    if (f.path == fingerprint && !with_fingerprint) continue;
    auto const other = right.find(path_now(x, f));
    if (other == right.end()) {
      count += alone(x, a, f);
      continue;
    }
    if (other->second.type != f.type || other->second.shape != f.shape) {
      print("{}: {} {} | {} {}\n", f.path, h5::name_of(f.type), f.shape_text(), h5::name_of(other->second.type),
            other->second.shape_text());
      ++count;
    } else {
      count += differs(x, y, f, other->second);
    }
    right.erase(other);
  }
  for (auto const& entry : right) count += alone(y, b, entry.second);
  list_uncounted(x, y);
  print("{}\n", count == 0 ? "the states are the same, bit for bit" : fmt::format("{} differences", count));
  return count == 0 ? 0 : 1;
}

}  // namespace kaon::ckpt
