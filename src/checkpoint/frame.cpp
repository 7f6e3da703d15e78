#include <kaon/checkpoint/frame.hpp>

#include <kaon/checkpoint/folder.hpp>
#include <kaon/core/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kaon {
namespace {

using h5::Blame;

h5::Handle create_file(int memory, std::string const& path) {
  std::string const doing = "lay out " + path;
  h5::Handle const access = h5::unlocked_access();
  // HDF5's default driver asks for the real path of what it opens, and memory has none.
  h5::check(H5Pset_fapl_stdio(access.get()), Blame::system, doing);
  h5::check(H5Pset_alignment(access.get(), Frame::alignment, Frame::alignment), Blame::system, doing);
  // Fixed bounds keep the bytes the same for every release of HDF5; the 1.10 format guards its own metadata by checksums, where
  // older ones let a damaged file crash the library.
  h5::check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110), Blame::system, doing);
  h5::Handle const creation = h5::own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_obj_track_times(creation.get(), false), Blame::system, doing);
  return h5::own(H5Fcreate(("/proc/self/fd/" + std::to_string(memory)).c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
                 H5Fclose, Blame::system, doing);
}

h5::Handle create_group(hid_t file, std::string const& name, std::string const& path) {
  std::string const doing = "create group " + name + " in " + path;
  h5::Handle const how = h5::own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_obj_track_times(how.get(), false), Blame::system, doing);
  return h5::own(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, how.get(), H5P_DEFAULT), H5Gclose, Blame::system, doing);
}

h5::Handle create_dataset(hid_t file, std::string const& name, hid_t type, hid_t space, std::string const& path) {
  std::string const doing = "create dataset " + name + " in " + path;
  for (auto at = name.find('/', 1); at != std::string::npos; at = name.find('/', at + 1))
    if (auto const parent = name.substr(0, at);
        h5::check(H5Lexists(file, parent.c_str(), H5P_DEFAULT), Blame::system, doing) == 0)
      create_group(file, parent, path);
  h5::Handle const how = h5::own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_obj_track_times(how.get(), false), Blame::system, doing);
  h5::check(H5Pset_layout(how.get(), H5D_CONTIGUOUS), Blame::system, doing);
  h5::check(H5Pset_alloc_time(how.get(), H5D_ALLOC_TIME_EARLY), Blame::system, doing);
  h5::check(H5Pset_fill_time(how.get(), H5D_FILL_TIME_NEVER), Blame::system, doing);
  return h5::own(H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, how.get(), H5P_DEFAULT), H5Dclose, Blame::system,
                 doing);
}

void write_root(hid_t file, CheckpointInfo const& info, std::string const& path) {
  h5::write_text(file, "format", format::name, path);
  h5::write_number(file, "format_version", format::version, path);
  h5::write_text(file, "precision", info.precision, path);
  h5::write_number(file, "step", info.step, path);
  h5::write_number(file, "workers", info.workers, path);
  h5::write_number(file, "seed", info.seed, path);
  h5::write_text(file, format::method, info.method, path);
  if (!info.problem.empty()) h5::write_text(file, format::problem, info.problem, path);
}

void write_provenance(hid_t file, CheckpointInfo const& info, std::string const& path) {
  std::string const where = path + ", " + format::provenance;
  h5::Handle const group = create_group(file, format::provenance, path);
  h5::write_text(group.get(), format::kaon_version, info.version, where);
  h5::write_text(group.get(), format::git_hash, info.git_hash, where);
  h5::write_text(group.get(), format::fingerprint, info.fingerprint, where);
  h5::write_text(group.get(), format::created, info.created, where);
  for (auto const& [key, value] : info.provenance) h5::write_text(group.get(), key, value, where);
  h5::write_number(group.get(), format::seal, provenance_hash(info), where);
}

void write_whole(hid_t set, hid_t type, void const* data, std::string const& what) {
  h5::check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), Blame::system, "write " + what);
}

}  // namespace

Frame::Frame(std::string path, CheckpointInfo const& info, format::Table const& table) : path_(std::move(path)) {
  h5::quiet();
  memory_ = folder::nameless(path_);
  try {
    lay_out(info, table);
  } catch (...) {
    release();
    throw;
  }
}

Frame::~Frame() { release(); }

void Frame::release() noexcept {
  table_.reset();
  file_.reset();
  if (memory_ >= 0) ::close(std::exchange(memory_, -1));
}

void Frame::lay_out(CheckpointInfo const& info, format::Table const& table) {
  file_ = create_file(memory_, path_);
  write_root(file_.get(), info, path_);
  h5::Handle const text = h5::string_type(info.deck.size());
  h5::Handle const deck = create_dataset(file_.get(), format::deck, text.get(), h5::dataspace({}).get(), path_);
  write_whole(deck.get(), text.get(), info.deck.c_str(), std::string("dataset ") + format::deck + " of " + path_);
  for (auto const& f : table.fields) {
    h5::Handle const set = create_dataset(file_.get(), f.path, h5::file_type(f.type), h5::dataspace(f.shape).get(), path_);
    std::string const what = "dataset " + f.path + " of " + path_;
    h5::write_text(set.get(), format::resize, f.rule, what);
    if (!f.of.empty()) h5::write_text(set.get(), format::of, f.of, what);
    auto const at = H5Dget_offset(set.get());
    if (at == HADDR_UNDEF) h5::fail(Blame::system, "find the place of " + what);
    offsets_.push_back(at);
  }
  h5::Handle const row = format::row_type(format::longest_path(table));
  table_ = create_dataset(file_.get(), format::integrity, row.get(), h5::dataspace({table.total()}).get(), path_);
  write_provenance(file_.get(), info, path_);
}

void Frame::finish(CheckpointInfo const& info, format::Table const& table, Slabs& slabs) {
  std::string const what = std::string("dataset ") + format::integrity + " of " + path_;
  std::size_t const length = format::longest_path(table);
  h5::write_number(table_.get(), format::seal, format::seal_of(info, table), what);
  write_whole(table_.get(), format::row_type(length).get(), format::rows(table, length).data(), what);
  table_.close(what);
  file_.close(path_);

  std::vector<std::pair<std::uint64_t, std::uint64_t>> data;  // of the fields: begin, end
  for (std::size_t i = 0; i < table.fields.size(); ++i) data.emplace_back(offsets_[i], offsets_[i] + table.fields[i].bytes());
  std::sort(data.begin(), data.end());
  off_t const end = ::lseek(memory_, 0, SEEK_END);
  if (end < 0) throw IoError("cannot lay out " + path_ + " in memory: " + std::strerror(errno));
  data.emplace_back(end, end);
  std::uint64_t at = 0;
  for (auto const& [first, last] : data) {
    copy(at, first, slabs);
    at = last;
  }
}

void Frame::copy(std::uint64_t begin, std::uint64_t end, Slabs& slabs) const {
  std::vector<char> buffer;
  while (begin < end) {
    buffer.resize(std::min<std::uint64_t>(end - begin, 1 << 20));
    auto const n = ::pread(memory_, buffer.data(), buffer.size(), static_cast<off_t>(begin));
    if (n <= 0) throw IoError("cannot lay out " + path_ + " in memory: " + std::strerror(n < 0 ? errno : EIO));
    slabs.write("the metadata", buffer.data(), static_cast<std::uint64_t>(n), begin);
    begin += static_cast<std::uint64_t>(n);
  }
}

}  // namespace kaon
