// A small state with every kind of field, for checkpoint tests on any number of ranks.
#ifndef KAON_TESTS_CHECKPOINT_TOY_HPP
#define KAON_TESTS_CHECKPOINT_TOY_HPP

#include <kaon/checkpoint/checkpoints.hpp>
#include <kaon/random/stream.hpp>

#include <hdf5.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace kaon::test {

inline constexpr std::uint64_t toy_workers = 6;

/// A folder under the current one that goes away at the end; the same on every rank.
class TempFolder {
 public:
  explicit TempFolder(Communicator const& comm) : comm_(comm) {
    std::string name;
    if (comm.rank() == 0) {
      char text[] = "kaon-test-XXXXXX";
      name = std::filesystem::absolute(mkdtemp(text)).string();
    }
    path_ = comm.broadcast(name, 0);
  }
  ~TempFolder() {
    comm_.barrier();
    std::error_code ignored;
    if (comm_.rank() == 0) std::filesystem::remove_all(path_, ignored);
    comm_.barrier();
  }
  std::string operator/(std::string const& name) const { return path_ + "/" + name; }
  std::string const& path() const { return path_; }

 private:
  Communicator const& comm_;
  std::string path_;
};

/// The state of one rank. `small` leaves out the fields of more than one block.
class Toy {
 public:
  Toy(Communicator const& comm, std::uint64_t version, bool small = false) : comm_(comm), version_(version) {
    add("/server/X/a", ElementType::f32, small ? Shape{3, 4} : Shape{300, 1000}, Resize::kept);
    add("/server/W/a", ElementType::f32, small ? Shape{3, 4} : Shape{300, 1000}, Resize::kept);
    add("/server/W/b", ElementType::f64, {7, 5}, Resize::mean_of);
    registry_.back().of = "/workers/M/b";
    add("/workers/G/a", ElementType::f32, small ? Shape{toy_workers, 3, 4} : Shape{toy_workers, 300, 1000}, Resize::weighted);
    add("/workers/M/b", ElementType::f64, {toy_workers, 7, 5}, Resize::weighted);
    add("/data/position", ElementType::i64, {toy_workers, 3}, Resize::new_epoch);
    add("/data/history", ElementType::i64, {toy_workers, small ? std::uint64_t(2) : std::uint64_t(70000)}, Resize::copied);
    add("/server/wide", ElementType::f32, {2, small ? std::uint64_t(3) : std::uint64_t(400000)});
    add("/counters/up", ElementType::u64, {1}, Resize::kept);
  }

  Registry& registry() { return registry_; }
  Field& field(std::string const& path) {
    for (auto& f : registry_)
      if (f.path == path) return f;
    throw std::out_of_range(path);
  }
  CheckpointInfo info() const {
    CheckpointInfo i;
    i.step = version_;
    i.workers = toy_workers;
    i.seed = 42;
    i.precision = "float32";
    i.deck = "steps = 10\nworkers = 6\n# µ\n";
    i.method = "toy";
    i.problem = "0123456789012345";
    i.version = "0.1.0";
    i.git_hash = "abc";
    i.fingerprint = "Serial, test";
    i.created = "2030-01-01T00:00:00Z";
    i.provenance = {{"kokkos", "3.4.01"}, {"hosts", "a b c"}};
    return i;
  }
  /// Number of needed bytes that set() did not receive, or received wrong.
  std::uint64_t wrong_bytes() const {
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < registry_.size(); ++i) {
      auto const want = bytes(i, version_, registry_[i].needed);
      auto const& got = received_[i];
      if (got.size() != want.size()) return ~std::uint64_t(0);
      for (std::size_t k = 0; k < want.size(); ++k) wrong += got[k] != want[k];
    }
    return wrong;
  }
  /// What set() received for field i.
  std::vector<unsigned char> const& received(std::size_t i) const { return received_[i]; }
  bool untouched() const {
    for (auto const& r : received_)
      if (!r.empty()) return false;
    return true;
  }

  /// The bytes of a part of field i in version v: a function of field, element and version alone.
  std::vector<unsigned char> bytes(std::size_t i, std::uint64_t v, Part const& part) const {
    auto const& f = registry_[i];
    std::uint64_t row = 1;
    for (std::size_t d = 1; d < f.shape.size(); ++d) row *= f.shape[d];
    std::vector<unsigned char> out(part.elements() * size_of(f.type));
    StreamKey const key{v, Purpose::test, 0, static_cast<std::uint32_t>(i), 0};
    for (std::uint64_t e = 0; e < part.elements(); ++e) {
      std::uint64_t const word = random_word(key, part.offset[0] * row + e) >> 9;
      auto const put = [&](auto value) { std::memcpy(&out[e * sizeof value], &value, sizeof value); };
      if (f.type == ElementType::f32) put(static_cast<float>(word));
      if (f.type == ElementType::f64) put(static_cast<double>(word) / 3);
      if (f.type == ElementType::i64) put(-static_cast<std::int64_t>(word));
      if (f.type == ElementType::u64) put(word << 30);
    }
    return out;
  }

 private:
  using Shape = std::vector<std::uint64_t>;

  void add(std::string const& path, ElementType type, Shape const& shape, Resize rule = Resize::refused) {
    std::size_t const i = registry_.size();
    auto const size = static_cast<std::uint64_t>(comm_.size()), rank = static_cast<std::uint64_t>(comm_.rank());
    Part whole{Shape(shape.size(), 0), shape}, none{Shape(shape.size(), 0), Shape(shape.size(), 0)}, mine = whole;
    bool const of_workers = shape[0] == toy_workers;
    if (of_workers) {
      mine.offset[0] = toy_workers * rank / size;
      mine.count[0] = toy_workers * (rank + 1) / size - mine.offset[0];
    } else if (i % size != rank) {
      mine = none;
    }
    received_.emplace_back();
    registry_.push_back({path, type, shape, mine, of_workers ? mine : whole,
                         [this, i](void* out) {
                           auto const b = bytes(i, version_, registry_[i].written);
                           std::memcpy(out, b.data(), b.size());
                         },
                         [this, i](void const* in) {
                           auto const* p = static_cast<unsigned char const*>(in);
                           received_[i].assign(p, p + registry_[i].needed.elements() * size_of(registry_[i].type));
                         }});
    registry_.back().resize = rule;
  }

  Communicator const& comm_;
  std::uint64_t version_;
  Registry registry_;
  std::vector<std::vector<unsigned char>> received_;
};

inline std::string file_text(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void put_text(std::string const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
inline void flip_byte(std::string const& path, std::uint64_t at) {
  std::string text = file_text(path);
  text.at(at) = static_cast<char>(text[at] ^ 0x10);
  put_text(path, text);
}
/// Where a dataset's bytes start in the file.
inline std::uint64_t dataset_offset(std::string const& path, std::string const& name) {
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t const set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  std::uint64_t const at = H5Dget_offset(set);
  H5Dclose(set);
  H5Fclose(file);
  return at;
}
/// Changes a file through HDF5, as a stranger's tool would.
inline void edit(std::string const& path, std::function<void(hid_t)> const& change) {
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  change(file);
  H5Fclose(file);
}

/// The message of the E that `f` throws; anything else fails the test.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (E const& e) {
    return e.what();
  } catch (std::exception const& e) {
    return std::string("ANOTHER EXCEPTION: ") + e.what();
  }
  return "NO EXCEPTION";
}

}  // namespace kaon::test

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

#endif
