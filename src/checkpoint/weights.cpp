#include <kaon/checkpoint/weight_source.hpp>

#include <kaon/checkpoint/h5.hpp>
#include <kaon/checkpoint/identity.hpp>
#include <kaon/checkpoint/npz_weights.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

namespace kaon {

namespace {

using h5::Blame;

constexpr char const* in_extract = "/W";

bool has_link(h5::Handle const& file, char const* path) { return H5Lexists(file.get(), path, H5P_DEFAULT) > 0; }

}  // namespace

namespace {

class OfCheckpoint final : public WeightFile::Source {
 public:
  explicit OfCheckpoint(std::string const& path) : file_(path), folder_(older::model(file_.format_version())) { file_.verify(); }
  std::uint64_t step() const override { return file_.info().step; }
  std::string run() const override { return run_in(file_.info().provenance); }
  std::vector<std::string> layers() const override {
    std::vector<std::string> names;
    for (auto const& f : file_.fields())
      if (f.path.starts_with(folder_)) names.push_back(f.path.substr(folder_.size()));
    return names;
  }
  std::vector<std::uint64_t> shape(std::string const& layer) const override { return field(layer).shape; }
  std::size_t width(std::string const& layer) const override { return size_of(field(layer).type); }
  std::vector<double> read(std::string const& layer) const override {
    auto const& f = field(layer);
    auto const bytes = file_.read(f);
    return f.type == ElementType::f32 ? numbers<float>(bytes) : numbers<double>(bytes);
  }

 private:
  FieldShape const& field(std::string const& layer) const { return *file_.find(folder_ + layer); }
  template <class T>
  static std::vector<double> numbers(std::vector<unsigned char> const& bytes) {
    std::vector<T> typed(bytes.size() / sizeof(T));
    std::memcpy(typed.data(), bytes.data(), typed.size() * sizeof(T));
    return {typed.begin(), typed.end()};
  }
  CheckpointFile file_;
  std::string folder_;
};

class OfExtract final : public WeightFile::Source {
 public:
  OfExtract(std::string path, h5::Handle file) : path_(std::move(path)), file_(std::move(file)) {}
  std::uint64_t step() const override {
    auto const root = h5::own(H5Gopen2(file_.get(), "/", H5P_DEFAULT), H5Gclose, Blame::content, "read " + path_);
    for (auto const& name : h5::attribute_names(root.get(), path_))
      if (name == "step") return h5::read_number(root.get(), name, path_);
    return 0;
  }
  std::vector<std::string> layers() const override {
    auto const doing = "list " + std::string(in_extract) + " of " + path_;
    auto const group = h5::own(H5Gopen2(file_.get(), in_extract, H5P_DEFAULT), H5Gclose, Blame::content, doing);
    std::vector<std::string> names;
    auto const visit = [](hid_t, char const* name, H5L_info_t const*, void* out) -> herr_t {
      static_cast<std::vector<std::string>*>(out)->emplace_back(name);
      return 0;
    };
    h5::check(H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, +visit, &names), Blame::content, doing);
    return names;
  }
  std::vector<std::uint64_t> shape(std::string const& layer) const override {
    auto const set = open(layer);
    auto const space = h5::own(H5Dget_space(set.get()), H5Sclose, Blame::content, doing(layer));
    int const rank = h5::check(H5Sget_simple_extent_ndims(space.get()), Blame::content, doing(layer));
    std::vector<hsize_t> size(static_cast<std::size_t>(rank));
    h5::check(H5Sget_simple_extent_dims(space.get(), size.data(), nullptr), Blame::content, doing(layer));
    return {size.begin(), size.end()};
  }
  std::size_t width(std::string const& layer) const override {
    auto const type = h5::own(H5Dget_type(open(layer).get()), H5Tclose, Blame::content, doing(layer));
    return H5Tget_size(type.get());
  }
  std::vector<double> read(std::string const& layer) const override {
    auto const set = open(layer);
    auto const type = h5::own(H5Dget_type(set.get()), H5Tclose, Blame::content, doing(layer));
    if (H5Tget_class(type.get()) != H5T_FLOAT)
      throw InputError(fmt::format("cannot {}: it does not hold floating-point numbers", doing(layer)));
    auto const size = shape(layer);
    h5::stored_bytes(set.get(), size, H5Tget_size(type.get()), doing(layer));
    std::vector<double> out(size[0] * size[1]);
    h5::check(H5Dread(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()), Blame::content, doing(layer));
    return out;
  }

 private:
  std::string doing(std::string const& layer) const { return fmt::format("read dataset {}/{} of {}", in_extract, layer, path_); }
  h5::Handle open(std::string const& layer) const {
    auto const path = std::string(in_extract) + "/" + layer;
    return h5::own(H5Dopen2(file_.get(), path.c_str(), H5P_DEFAULT), H5Dclose, Blame::content, doing(layer));
  }
  std::string path_;
  h5::Handle file_;
};

std::string text(std::uint64_t rows, std::uint64_t cols) { return fmt::format("{} x {}", rows, cols); }

}  // namespace

WeightFile::WeightFile(std::string const& path) : path_(path) {
  constexpr char const* cure =
      "weights are read from a checkpoint, from what kaon-ckpt extract FILE -o OUT or kaon-ckpt export FILE -o OUT.npz writes, "
      "or "
      "from an .npz of numpy.savez with an array for each layer";
  if (std::filesystem::is_directory(path)) throw InputError(fmt::format("{} is a folder; {}", path, cure));
  if (is_npz(path)) {
    try {
      source_ = open_npz(path);
    } catch (InputError const& e) {
      throw InputError(fmt::format("{}; {}", e.what(), cure));
    }
    return;
  }
  h5::Handle file;
  try {
    file = h5::open_readable(path, "file of weights");
  } catch (InputError const& e) {
    throw InputError(fmt::format("{}; {}", e.what(), cure));
  }
  if (has_link(file, "/model") || has_link(file, "/server")) {
    file.reset();
    source_ = std::make_unique<OfCheckpoint>(path);
  } else if (has_link(file, in_extract)) {
    source_ = std::make_unique<OfExtract>(path, std::move(file));
  } else {
    throw InputError(fmt::format("{} holds no weights: it has neither /model/W nor /W; {}", path, cure));
  }
}
WeightFile::~WeightFile() = default;

std::uint64_t WeightFile::step() const { return source_->step(); }
std::string WeightFile::run() const { return source_->run(); }
std::vector<std::string> WeightFile::layers() const { return source_->layers(); }
std::size_t WeightFile::width(std::string const& layer) const { return source_->width(layer); }

std::vector<double> WeightFile::read(std::string const& layer, std::uint64_t rows, std::uint64_t cols) const {
  auto const names = layers();
  if (std::find(names.begin(), names.end(), layer) == names.end())
    throw InputError(fmt::format("{} has no layer {}; it has {}", path_, layer, fmt::join(names, ", ")));
  auto const shape = source_->shape(layer);
  if (shape != std::vector<std::uint64_t>{rows, cols})
    throw InputError(
        fmt::format("layer {} of {} is {}, and the model's is {}", layer, path_, fmt::join(shape, " x "), text(rows, cols)));
  auto numbers = source_->read(layer);
  for (double const x : numbers)
    if (!std::isfinite(x)) throw InputError(fmt::format("layer {} of {} holds a NaN or an infinity", layer, path_));
  return numbers;
}

}  // namespace kaon
