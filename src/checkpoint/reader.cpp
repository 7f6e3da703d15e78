#include <kaon/checkpoint/reader.hpp>

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

namespace kaon {
namespace {

using h5::Blame;

h5::Handle open_file(std::string const& path) {
  folder::require_no_folder(path);
  return h5::open_readable(path, "checkpoint");
}

/// True for "step-<digits>.h5" with other digits.
bool names_another_step(std::string const& name, std::uint64_t step) {
  if (name.size() < 9 || name.rfind("step-", 0) != 0 || name.substr(name.size() - 3) != ".h5") return false;
  return name.find_first_not_of("0123456789", 5) == name.size() - 3 && name != folder::step_name(step);
}

ElementType element_type(hid_t type, std::string const& what) {
  for (auto const t : {ElementType::f32, ElementType::f64, ElementType::i64, ElementType::u64})
    if (H5Tequal(type, h5::file_type(t)) > 0) return t;
  throw InputError("cannot read " + what + ": its type is none of little-endian float32, float64, int64, uint64");
}

std::vector<std::uint64_t> shape_of(hid_t set, std::string const& what) {
  h5::Handle const space = h5::own(H5Dget_space(set), H5Sclose, Blame::content, "read " + what);
  int const rank = h5::check(H5Sget_simple_extent_ndims(space.get()), Blame::content, "read " + what);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  h5::check(H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr), Blame::content, "read " + what);
  return {dims.begin(), dims.end()};
}

/// Paths of all datasets, and of links, which Kaon does not write and nobody follows, ascending.
std::vector<std::string> datasets(hid_t file, std::string const& what) {
  std::vector<std::string> found;
  auto const visit = [](hid_t root, char const* name, H5L_info_t const* link, void* out) -> herr_t {
    if (link->type != H5L_TYPE_HARD) {
      static_cast<std::vector<std::string>*>(out)->push_back(std::string("/") + name + " (a link)");
      return 0;
    }
    h5::Handle const object(H5Oopen(root, name, H5P_DEFAULT), H5Oclose);
    if (!object.valid()) return -1;
    if (H5Iget_type(object.get()) == H5I_DATASET) static_cast<std::vector<std::string>*>(out)->push_back(std::string("/") + name);
    return 0;
  };
  h5::check(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, +visit, &found), Blame::content, "walk the tree of " + what);
  std::sort(found.begin(), found.end());
  return found;
}

std::string joined(std::vector<std::uint64_t> const& v) { return fmt::format("{}", fmt::join(v, "×")); }

}  // namespace

CheckpointFile::CheckpointFile(std::string path) : path_(folder::followed(path)), file_(open_file(path_)) {
  read_info();
  read_table();
  check_tree();
  if (auto const name = std::filesystem::path(path_).filename().string(); names_another_step(name, info_.step))
    throw InputError(fmt::format("{} holds step {}, but its name says otherwise: it was renamed or exchanged; cure: {}", path_,
                                 info_.step, folder::step_name(info_.step)));
}

void CheckpointFile::read_info() {
  if (!h5::has_attribute(file_.get(), "format", path_) || h5::read_text(file_.get(), "format", path_) != format::name)
    throw InputError(path_ + " is not a Kaon checkpoint: its attribute 'format' is not '" + format::name + "'");
  version_ = h5::read_number(file_.get(), "format_version", path_);
  if (version_ > format::version)
    throw InputError(fmt::format("{} has format version {}, this Kaon reads versions up to {}: use a newer Kaon", path_, version_,
                                 format::version));
  if (version_ < format::oldest_version)
    throw InputError(fmt::format("{} has format version {}, but the first one is {}: the file is damaged", path_, version_,
                                 format::oldest_version));
  info_.step = h5::read_number(file_.get(), "step", path_);
  info_.workers = h5::read_number(file_.get(), "workers", path_);
  info_.seed = h5::read_number(file_.get(), "seed", path_);
  info_.precision = h5::read_text(file_.get(), "precision", path_);
  info_.deck = h5::read_text_dataset(file_.get(), format::deck, path_);

  if (has_older_paths()) {
    info_.method = older::method;
  } else {
    info_.method = h5::read_text(file_.get(), format::method, path_);
    if (h5::has_attribute(file_.get(), format::problem, path_))
      info_.problem = h5::read_text(file_.get(), format::problem, path_);
  }

  std::string const where = path_ + ", " + format::provenance;
  h5::Handle const group =
      h5::own(H5Gopen2(file_.get(), format::provenance, H5P_DEFAULT), H5Gclose, Blame::content, "open group " + where);
  std::map<std::string, std::string*> const members{{format::kaon_version, &info_.version},
                                                    {format::git_hash, &info_.git_hash},
                                                    {format::fingerprint, &info_.fingerprint},
                                                    {format::created, &info_.created}};
  for (auto const& name : h5::attribute_names(group.get(), where)) {
    if (name == format::seal) continue;
    auto const member = members.find(name);
    (member != members.end() ? *member->second : info_.provenance[name]) = h5::read_text(group.get(), name, where);
  }
  if (h5::read_number(group.get(), format::seal, where) != provenance_hash(info_))
    throw InputError(where + ": the seal does not fit: the file is damaged");
}

void CheckpointFile::read_table() {
  std::string const what = std::string("dataset ") + format::integrity + " of " + path_;
  h5::Handle const set = h5::own(H5Dopen2(file_.get(), format::integrity, H5P_DEFAULT), H5Dclose, Blame::content, "open " + what);
  h5::Handle const type = h5::own(H5Dget_type(set.get()), H5Tclose, Blame::content, "read " + what);
  std::size_t const row = H5Tget_size(type.get());
  if (row <= 16 || row > 4096 || H5Tequal(type.get(), format::row_type(row - 16).get()) <= 0)
    throw InputError("cannot read " + what + ": not a table of dataset, block, xxh3");
  auto const shape = shape_of(set.get(), what);
  if (shape.size() != 1) throw InputError("cannot read " + what + ": not one-dimensional");
  std::vector<char> raw(h5::stored_bytes(set.get(), shape, row, "read " + what));
  h5::check(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()), Blame::content, "read " + what);

  std::vector<FieldShape> fields;
  std::vector<std::uint64_t> hashes;
  for (std::size_t at = 0; at < raw.size(); at += row) {
    std::string name(raw.data() + at, row - 16);
    name.erase(std::find(name.begin(), name.end(), '\0'), name.end());
    std::uint64_t number[2];
    std::memcpy(number, raw.data() + at + row - 16, sizeof number);
    if (number[0] == 0) {
      FieldShape f;
      f.path = name;
      std::string const of = "dataset " + name + " of " + path_;
      h5::Handle const field = h5::own(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), H5Dclose, Blame::content, "open " + of);
      h5::Handle const stored = h5::own(H5Dget_type(field.get()), H5Tclose, Blame::content, "read " + of);
      f.type = element_type(stored.get(), of);
      f.shape = shape_of(field.get(), of);
      if (f.shape.empty()) throw InputError("cannot read " + of + ": it is a scalar");
      h5::stored_bytes(field.get(), f.shape, size_of(f.type), "read " + of);
      if (!has_older_paths()) {
        f.rule = h5::read_text(field.get(), format::resize, of);
        if (h5::has_attribute(field.get(), format::of, of)) f.of = h5::read_text(field.get(), format::of, of);
      }
      fields.push_back(std::move(f));
    }
    hashes.push_back(number[1]);
  }
  table_ = format::Table(fields);
  if (table_.total() != hashes.size())
    throw InputError(
        fmt::format("{} has {} rows, its datasets have {} blocks: the file is damaged", what, hashes.size(), table_.total()));
  table_.hashes = std::move(hashes);
  if (h5::read_number(set.get(), format::seal, what) != format::seal_of(info_, table_, version_))
    throw InputError(path_ + ": the seal over attributes, deck, shapes and integrity table does not fit: the file is damaged");
}

void CheckpointFile::check_tree() const {
  std::vector<std::string> known{format::deck, format::integrity};
  for (auto const& f : table_.fields) known.push_back(f.path);
  std::sort(known.begin(), known.end());
  for (auto const& name : datasets(file_.get(), path_))
    if (!std::binary_search(known.begin(), known.end(), name))
      throw InputError("dataset " + name + " of " + path_ + " is not in the integrity table: not written by Kaon");
}

h5::Handle CheckpointFile::open(FieldShape const& field) const {
  return h5::own(H5Dopen2(file_.get(), field.path.c_str(), H5P_DEFAULT), H5Dclose, Blame::content,
                 "open dataset " + field.path + " of " + path_);
}

void CheckpointFile::read(h5::Handle const& set, FieldShape const& field, Part const& part, void* out) const {
  std::string const doing = "read dataset " + field.path + " of " + path_;
  std::vector<hsize_t> const offset(part.offset.begin(), part.offset.end()), count(part.count.begin(), part.count.end());
  if (offset.size() != field.shape.size() || count.size() != field.shape.size())
    throw InputError("cannot " + doing + ": the part has another number of dimensions");
  h5::Handle const file_space = h5::own(H5Dget_space(set.get()), H5Sclose, Blame::content, doing);
  h5::check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, offset.data(), nullptr, count.data(), nullptr), Blame::content,
            doing);
  h5::Handle const memory = h5::dataspace(part.count);
  h5::check(H5Dread(set.get(), h5::memory_type(field.type), memory.get(), file_space.get(), H5P_DEFAULT, out), Blame::content,
            doing);
}

void CheckpointFile::read(FieldShape const& field, Part const& part, void* out) const {
  if (part.elements() > 0) read(open(field), field, part, out);
}

std::vector<unsigned char> CheckpointFile::read(FieldShape const& field) const {
  std::vector<unsigned char> data(field.bytes());
  read(field, {std::vector<std::uint64_t>(field.shape.size(), 0), field.shape}, data.data());
  return data;
}

FieldShape const* CheckpointFile::find(std::string const& path) const {
  auto const& all = table_.fields;
  auto const at = std::find_if(all.begin(), all.end(), [&](FieldShape const& f) { return f.path == path; });
  return at == all.end() ? nullptr : &*at;
}

FieldShape const* CheckpointFile::find(Field const& field) const {
  return find(has_older_paths() && !field.was.empty() ? field.was : field.path);
}

FieldShape const* CheckpointFile::find(Companion const& companion) const {
  return find(has_older_paths() && !companion.was.empty() ? companion.was : companion.path);
}

void CheckpointFile::verify(std::uint64_t begin, std::uint64_t end) const {
  require(begin <= end && end <= blocks(), "CheckpointFile::verify: no such blocks");
  std::vector<unsigned char> buffer;
  for (std::size_t f = 0; f < table_.fields.size(); ++f) {
    auto const from = std::max(begin, table_.first[f]), to = std::min(end, table_.first[f + 1]);
    if (from >= to) continue;
    auto const& field = table_.fields[f];
    h5::Handle const set = open(field);
    for (auto b = from; b < to; ++b) {
      Part const box = table_.blocks[f].box(b - table_.first[f]);
      buffer.resize(box.elements() * size_of(field.type));
      read(set, field, box, buffer.data());
      if (xxh3(buffer.data(), buffer.size()) != table_.hashes[b])
        throw InputError(fmt::format("dataset {} of {}, block {} (offset {}, count {}): the data do not fit their hash",
                                     field.path, path_, b - table_.first[f], fmt::join(box.offset, ","), joined(box.count)));
    }
  }
}

void CheckpointFile::require_fields(Registry const& registry) const {
  std::map<std::string, FieldShape const*> stored;
  for (auto const& f : table_.fields) stored[f.path] = &f;
  std::string wrong;
  for (auto const& want : registry) {
    auto const* const have = find(want);
    if (!have) {
      if (!want.absent) wrong += "\n  missing: dataset " + (has_older_paths() && !want.was.empty() ? want.was : want.path);
      continue;
    }
    if (have->type != want.type)
      wrong +=
          fmt::format("\n  dataset {} is {}, this run needs {}", have->path, h5::name_of(have->type), h5::name_of(want.type));
    if (have->shape != want.shape)
      wrong += fmt::format("\n  dataset {} has shape {}, this run needs {}", have->path, have->shape_text(), joined(want.shape));
    stored.erase(have->path);
    for (auto const& c : want.companions) {
      if (auto const* const there = find(c))
        stored.erase(there->path);
      else if (has_older_paths())
        wrong += fmt::format("\n  missing: dataset {} ({})", c.was.empty() ? c.path : c.was, c.why);
    }
  }
  for (auto const& [path, field] : stored)
    wrong += fmt::format("\n  dataset {} ({}) is not part of this run's state", path, field->shape_text());
  if (!wrong.empty()) throw InputError("the state in " + path_ + " is not this run's:" + wrong);
}

}  // namespace kaon
