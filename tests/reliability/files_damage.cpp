#include "files_damage.hpp"

#include "../unit/checkpoint/toy.hpp"

#include <kaon/checkpoint/reader.hpp>

#include <algorithm>
#include <map>

namespace kaon::test {
namespace {

/// Numbers of one seed, one after the other.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : key_{seed, Purpose::test, 0, 77, 0} {}
  std::uint64_t below(std::uint64_t n) { return random_word(key_, next_++) % n; }

 private:
  StreamKey key_;
  std::uint64_t next_ = 0;
};

struct Extent {
  std::uint64_t begin, end;
  std::string path;
};

/// The data of all datasets, by offset.
std::vector<Extent> extents(std::string const& path) {
  std::vector<Extent> all;
  std::vector<std::string> names{format::deck, format::integrity};
  {
    CheckpointFile const file(path);
    for (auto const& f : file.fields()) names.push_back(f.path);
  }
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (auto const& name : names) {
    hid_t const set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
    auto const at = H5Dget_offset(set);
    all.push_back({at, at + H5Dget_storage_size(set), name});
    H5Dclose(set);
  }
  H5Fclose(file);
  std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.begin < b.begin; });
  return all;
}

}  // namespace

Damage flip(std::uint64_t at, unsigned bit) {
  return {"bit " + std::to_string(bit) + " of byte " + std::to_string(at), at,
          [=](std::string& s) { s[at] = static_cast<char>(s[at] ^ (1 << bit)); }};
}

std::vector<Damage> some_flips(std::string const& path, std::size_t count, std::uint64_t seed) {
  Dice dice(seed);
  std::uint64_t const size = std::filesystem::file_size(path);
  auto const sets = extents(path);
  auto const in_large_data = [&](std::uint64_t at) {
    return std::any_of(sets.begin(), sets.end(),
                       [&](auto const& e) { return at >= e.begin && at < e.end && e.end - e.begin > 4096; });
  };
  std::vector<Damage> all;
  while (all.size() < count) {
    std::uint64_t at = dice.below(size);
    while (all.size() % 2 == 1 && in_large_data(at)) at = dice.below(size);
    all.push_back(flip(at, static_cast<unsigned>(dice.below(8))));
  }
  return all;
}

std::vector<Damage> all_flips(std::uint64_t size, bool every_bit, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Damage> all;
  for (std::uint64_t at = 0; at < size; at += every_bit ? 1 : 3)
    if (every_bit)
      for (unsigned bit = 0; bit < 8; ++bit) all.push_back(flip(at, bit));
    else
      all.push_back(flip(at, static_cast<unsigned>(dice.below(8))));
  return all;
}

std::vector<Damage> bursts(std::uint64_t size, std::size_t count, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Damage> all;
  while (all.size() < count) {
    std::uint64_t const length = 2 + dice.below(63), at = dice.below(size - length), kind = dice.below(4);
    std::string bytes(length, kind == 1 ? '\xff' : '\0');
    for (auto& c : bytes)
      if (kind > 1) c = static_cast<char>(dice.below(256));
    all.push_back({std::to_string(length) + " other bytes at " + std::to_string(at), at,
                   [=](std::string& s) { s.replace(at, length, bytes); }});
  }
  return all;
}

std::vector<Damage> coarse_damage(std::string const& good, std::string const& other, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Damage> all;
  auto const add = [&](std::string const& what, std::uint64_t at, std::function<void(std::string&)> apply) {
    all.push_back({what, at, std::move(apply)});
  };
  std::uint64_t const size = good.size();
  add("an empty file", 0, [](std::string& s) { s.clear(); });
  add("another step's file under this name", 0, [other](std::string& s) { s = other; });
  for (int i = 0; i < 100; ++i) {
    std::uint64_t const at = i < 20 ? 1 + dice.below(4096) : i < 40 ? size - 1 - dice.below(4096) : 1 + dice.below(size - 1);
    add("cut at " + std::to_string(at), at, [at](std::string& s) { s.resize(at); });
    if (i % 4 == 0)
      add("zeros from " + std::to_string(at) + " on", at,
          [at](std::string& s) { std::fill(s.begin() + static_cast<std::ptrdiff_t>(at), s.end(), '\0'); });
  }
  for (std::uint64_t block : {512, 4096}) {
    std::uint64_t const blocks = size / block;
    auto const sensible = [&](std::uint64_t at) {  // a block of zeros stays one: no damage
      return good.find_first_not_of('\0', at) < at + block;
    };
    for (int i = 0; i < 50; ++i) {
      std::uint64_t at = (i < 8 ? static_cast<std::uint64_t>(i) % blocks : dice.below(blocks)) * block;
      while (!sensible(at)) at = dice.below(blocks) * block;
      std::uint64_t const from = dice.below(blocks) * block;
      add("zeros in " + std::to_string(block) + " bytes at " + std::to_string(at), at,
          [=](std::string& s) { s.replace(at, block, block, '\0'); });
      if (good.compare(at, block, good, from, block) != 0) {
        add(std::to_string(block) + " bytes of " + std::to_string(from) + " repeated at " + std::to_string(at), at,
            [=](std::string& s) { s.replace(at, block, s.substr(from, block)); });
        add(std::to_string(block) + " bytes of " + std::to_string(from) + " and " + std::to_string(at) + " exchanged", at,
            [=](std::string& s) {
              auto const a = s.substr(at, block), b = s.substr(from, block);
              s.replace(at, block, b), s.replace(from, block, a);
            });
      }
      add(std::to_string(block) + " bytes twice at " + std::to_string(at) + ", the rest moved on", at,
          [=](std::string& s) { s.insert(at, s.substr(at, block)); });
      if (other.size() == size && good.compare(at, block, other, at, block) != 0)
        add(std::to_string(block) + " bytes at " + std::to_string(at) + " from another step's file", at,
            [=](std::string& s) { s.replace(at, block, other, at, block); });
    }
  }
  for (std::uint64_t junk : {1, 8, 511, 4096, 100000})
    add(std::to_string(junk) + " bytes of junk at the end", size, [junk](std::string& s) { s.append(junk, 'j'); });
  add("zeros at the end", size, [](std::string& s) { s.append(4096, '\0'); });
  add("the file twice", size, [](std::string& s) { s += std::string(s); });
  add("a byte in front", 0, [](std::string& s) { s.insert(0, 1, 'j'); });
  add("512 zeros in front", 0, [](std::string& s) { s.insert(0, 512, '\0'); });
  add("bits inverted", 0, [](std::string& s) {
    for (auto& c : s) c = static_cast<char>(~c);
  });
  return all;
}

std::function<std::string(std::uint64_t)> regions_of(std::string const& path) {
  auto const sets = extents(path);
  return [sets](std::uint64_t at) -> std::string {
    for (auto const& e : sets)
      if (at >= e.begin && at < e.end)
        return e.path == format::deck || e.path == format::integrity ? "data of " + e.path : "data of the state";
    return "metadata and gaps";
  };
}

}  // namespace kaon::test
