#include <kaon/checkpoint/npz_weights.hpp>

#include <kaon/checkpoint/npy.hpp>
#include <kaon/checkpoint/zip.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace kaon {

namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they stand in the file");

constexpr std::string_view suffix = ".npy";

/// A member whose header has been read.
struct Array {
  ZipFile::Member member;
  NpyHeader header;
  std::uint64_t left;  ///< bytes behind the header, by the archive's directory
};

Array begin_array(ZipFile const& archive, std::string const& name) {
  auto member = archive.open(name);
  auto const in_member = [&](auto&& parse) {
    try {
      return parse();
    } catch (InputError const& e) {
      member.refuse(e.what());
    }
  };
  std::vector<unsigned char> head(npy_prefix);
  head.resize(member.read(head));
  auto const have = head.size(), bytes = in_member([&] { return npy_header_bytes(head); });
  head.resize(std::max(bytes, have));
  if (have + member.read(std::span(head).subspan(have)) != bytes || member.size() < bytes)
    member.refuse("it ends within its header");
  auto header = in_member([&] { return parse_npy_header(head); });
  return {std::move(member), std::move(header), member.size() - bytes};
}

class OfNpz final : public WeightFile::Source {
 public:
  explicit OfNpz(std::string const& path) : archive_(path) {
    for (auto const* folder : {"model/W/", "server/W/"}) {
      prefix_ = folder;
      for (auto const& name : archive_.names())
        if (name.starts_with(prefix_) && name.ends_with(suffix)) layers_.push_back(layer_in(name));
      if (!layers_.empty()) return;
    }
    prefix_.clear();
    for (auto const& name : archive_.names()) {
      if (!name.ends_with(suffix) || name.size() == suffix.size())
        throw InputError(fmt::format("member {} of {} is no array of numpy's", name, path));
      layers_.push_back(layer_in(name));
    }
    if (layers_.empty()) throw InputError(fmt::format("{} holds no arrays", path));
  }

  std::uint64_t step() const override {
    if (prefix_.empty() || std::find(archive_.names().begin(), archive_.names().end(), "step.npy") == archive_.names().end())
      return 0;
    auto a = begin_array(archive_, "step.npy");
    if (!a.header.shape.empty() || (a.header.descr != "<u8" && a.header.descr != "<i8") || a.left != sizeof(std::uint64_t))
      a.member.refuse("it is no number of a step");
    std::array<unsigned char, sizeof(std::uint64_t)> bytes;
    if (a.member.read(bytes) != bytes.size()) a.member.refuse("it is shorter than the archive says");
    a.member.end();
    return std::bit_cast<std::uint64_t>(bytes);
  }
  std::vector<std::string> layers() const override { return layers_; }
  std::vector<std::uint64_t> shape(std::string const& layer) const override {
    return begin_array(archive_, member_of(layer)).header.shape;
  }
  std::size_t width(std::string const& layer) const override { return width_of(begin_array(archive_, member_of(layer))); }
  std::vector<double> read(std::string const& layer) const override {
    auto a = begin_array(archive_, member_of(layer));
    return width_of(a) == sizeof(float) ? numbers<float>(a) : numbers<double>(a);
  }

 private:
  std::string layer_in(std::string const& member) const {
    return member.substr(prefix_.size(), member.size() - prefix_.size() - suffix.size());
  }
  std::string member_of(std::string const& layer) const { return prefix_ + layer + std::string(suffix); }

  static std::size_t width_of(Array const& a) {
    auto const& descr = a.header.descr;
    if (descr != "<f4" && descr != "<f8")
      a.member.refuse(fmt::format("its numbers are {}; weights are <f4 or <f8 (astype('<f4') in numpy)", descr));
    if (a.header.fortran_order) a.member.refuse("its order is Fortran's; numpy.ascontiguousarray makes it C's");
    return descr == "<f4" ? sizeof(float) : sizeof(double);
  }

  // A piece at a time. The caller has found the shape to be a model's: what is allocated is not the archive's to say.
  template <class T>
  static std::vector<double> numbers(Array& a) {
    auto const rows = a.header.shape.at(0), cols = a.header.shape.at(1);
    if (auto const bytes = rows * cols * sizeof(T); a.left != bytes)
      a.member.refuse(fmt::format("it has {} bytes of numbers, and by its header {}", a.left, bytes));
    std::vector<double> all;
    all.reserve(rows * cols);
    std::vector<T> piece(std::size_t(1) << 16);
    while (all.size() < rows * cols) {
      auto const n = std::min<std::size_t>(piece.size(), rows * cols - all.size());
      std::span<unsigned char> const bytes(reinterpret_cast<unsigned char*>(piece.data()), n * sizeof(T));
      if (a.member.read(bytes) != bytes.size()) a.member.refuse("it is shorter than the archive says");
      all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    }
    a.member.end();
    return all;
  }

  ZipFile archive_;
  std::string prefix_;
  std::vector<std::string> layers_;
};

}  // namespace

bool is_npz(std::string const& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  if (path.ends_with(".npz")) return true;
  char first[2] = {};
  std::ifstream(path, std::ios::binary).read(first, sizeof first);
  return first[0] == 'P' && first[1] == 'K';
}

std::unique_ptr<WeightFile::Source> open_npz(std::string const& path) { return std::make_unique<OfNpz>(path); }

}  // namespace kaon
