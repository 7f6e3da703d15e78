#include <kaon/checkpoint/writer.hpp>

#include <kaon/checkpoint/cuts.hpp>
#include <kaon/checkpoint/format.hpp>
#include <kaon/checkpoint/h5.hpp>

#include <fmt/format.h>

#include <set>

namespace kaon {
namespace {

using h5::Blame;

constexpr hsize_t alignment = 4096;

std::vector<FieldShape> shapes(Registry const& registry) {
  std::vector<FieldShape> all;
  for (auto const& f : registry) all.push_back({f.path, f.type, f.shape});
  return all;
}

void check_field(Field const& f, std::set<std::string>& seen) {
  std::string const who = "field " + f.path;
  if (f.path.size() < 2 || f.path[0] != '/' || f.path.size() > 1024 || f.path == format::deck || f.path == format::integrity ||
      f.path.rfind(std::string(format::provenance) + "/", 0) == 0 || f.path == format::provenance)
    throw InputError(who + ": not a path that state may have");
  if (!seen.insert(f.path).second) throw InputError(who + " is registered twice");
  if (f.shape.empty()) throw InputError(who + " has no dimensions");
  for (auto s : f.shape)
    if (s == 0) throw InputError(who + " is empty");
  if (f.written.elements() == 0) return;
  if (f.written.count.size() != f.shape.size() || f.written.offset.size() != f.shape.size())
    throw InputError(who + ": the written part has another number of dimensions");
  for (std::size_t d = 1; d < f.shape.size(); ++d)
    if (f.written.offset[d] != 0 || f.written.count[d] != f.shape[d])
      throw InputError(who + ": the written part is cut along another dimension than the leading one");
  if (!f.get) throw InputError(who + " cannot be read from memory: get is not set");
}

void check_info(CheckpointInfo const& info) {
  for (auto const& [key, value] : info.provenance)
    for (auto const* reserved : {"", format::seal, format::kaon_version, format::git_hash, format::fingerprint, format::created})
      if (key == reserved) throw InputError("provenance key '" + key + "' is empty or reserved");
}

h5::Handle create_file(Communicator const& comm, std::string const& path) {
  std::string const doing = "create " + path;
  h5::Handle const access = h5::own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_fapl_mpio(access.get(), comm.get(), MPI_INFO_NULL), Blame::system, doing);
  h5::check(H5Pset_coll_metadata_write(access.get(), true), Blame::system, doing);
  h5::check(H5Pset_alignment(access.get(), alignment, alignment), Blame::system, doing);
  // Fixed bounds keep the bytes the same for every release of HDF5; the 1.10 format guards its own metadata by checksums, where
  // older ones let a damaged file crash the library.
  h5::check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110), Blame::system, doing);
  h5::Handle const creation = h5::own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_obj_track_times(creation.get(), false), Blame::system, doing);
  return h5::own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose, Blame::system, doing);
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

/// Rank 0 writes a whole dataset; independent.
void write_whole(Communicator const& comm, hid_t set, hid_t type, void const* data, std::string const& what) {
  if (comm.rank() == 0) h5::check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), Blame::system, "write " + what);
}

/// Leading indices [first, first + rows) of what this rank writes.
void write_slab(hid_t set, Field const& f, std::uint64_t first, std::uint64_t rows, void const* data, std::string const& path) {
  std::string const doing = "write dataset " + f.path + " of " + path;
  std::vector<hsize_t> offset(f.written.offset.begin(), f.written.offset.end()),
      count(f.written.count.begin(), f.written.count.end());
  offset[0] += first;
  count[0] = rows;
  h5::Handle const space = h5::own(H5Dget_space(set), H5Sclose, Blame::system, doing);
  h5::check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, offset.data(), nullptr, count.data(), nullptr), Blame::system,
            doing);
  h5::Handle const memory = h5::dataspace({count.begin(), count.end()});
  // Independent transfers: a rank that fails leaves no other one waiting inside HDF5.
  h5::check(H5Dwrite(set, h5::memory_type(f.type), memory.get(), space.get(), H5P_DEFAULT, data), Blame::system, doing);
}

}  // namespace

void require_consistent(Communicator const& comm, CheckpointInfo const& info, Registry const& registry) {
  Ballot ballot(comm);
  ballot.attempt([&] {
    check_info(info);
    std::set<std::string> seen;
    for (auto const& f : registry) check_field(f, seen);
    if (registry.empty()) throw InputError("the registry is empty");
  });
  ballot.vote("checking the registry");
  if (!comm.same_everywhere(format::seal_of(info, format::Table(shapes(registry)))))
    throw InputError("the ranks disagree on step, seed, workers, precision, deck or the registered fields");
  for (auto const& f : registry) {
    auto const cuts = gather_cuts(comm, f);
    if (!covers(cuts, f.shape[0]))
      throw InputError("field " + f.path + ": the parts that the ranks write do not cover it exactly once");
  }
}

std::uint64_t file_bytes(CheckpointInfo const& info, Registry const& registry) {
  format::Table const table(shapes(registry));
  std::uint64_t bytes = (1 << 20) + pack(info).size() + table.total() * (format::longest_path(table) + 16);
  for (auto const& f : table.fields) bytes += f.bytes() + 2 * alignment;
  return bytes;
}

void write_checkpoint(Communicator const& comm, std::string const& path, CheckpointInfo const& info, Registry const& registry) {
  h5::quiet();
  Ballot ballot(comm);
  format::Table table(shapes(registry));
  table.hashes.assign(table.total(), 0);
  h5::Handle file;
  ballot.attempt([&] { file = create_file(comm, path); });
  ballot.vote("creating the checkpoint");

  std::vector<h5::Handle> sets(registry.size());
  ballot.attempt([&] {
    write_root(file.get(), info, path);
    h5::Handle const type = h5::string_type(info.deck.size());
    h5::Handle const deck = create_dataset(file.get(), format::deck, type.get(), h5::dataspace({}).get(), path);
    write_whole(comm, deck.get(), type.get(), info.deck.c_str(), std::string("dataset ") + format::deck + " of " + path);
    for (std::size_t i = 0; i < registry.size(); ++i)
      sets[i] = create_dataset(file.get(), registry[i].path, h5::file_type(registry[i].type),
                               h5::dataspace(registry[i].shape).get(), path);
  });
  ballot.vote("laying out the checkpoint");

  std::vector<unsigned char> buffer;  // one layer's numbers at a time
  std::vector<Cut> piece(static_cast<std::size_t>(comm.size()));
  for (std::size_t i = 0; i < registry.size(); ++i) {
    Field const& f = registry[i];
    bool const whole = f.written.elements() == 0 || f.rows_at_once() == f.written.count[0];
    auto* const hashes = table.hashes.data() + table.first[i];
    bool ready = false;
    ballot.attempt([&] {
      f.by_pieces(buffer, [&](std::uint64_t first, std::uint64_t rows, std::uint64_t) {
        write_slab(sets[i].get(), f, first, rows, buffer.data(), path);
        if (whole) return;
        // Fields that come in pieces have blocks of one leading index, which no other rank has a part of.
        piece[static_cast<std::size_t>(comm.rank())] = {f.written.offset[0] + first, rows};
        hash_blocks(comm, table.blocks[i], f, piece, buffer.data(), hashes);
      });
      ready = true;
    });
    if (!comm.all(ready)) break;
    auto const cuts = gather_cuts(comm, f);
    if (whole) hash_blocks(comm, table.blocks[i], f, cuts, buffer.data(), hashes);
  }
  ballot.vote("writing the checkpoint");
  combine(comm, table.hashes);

  ballot.attempt([&] {
    for (auto& s : sets) s.close("a dataset of " + path);
    std::size_t const length = format::longest_path(table);
    std::string const what = std::string("dataset ") + format::integrity + " of " + path;
    h5::Handle const type = format::row_type(length);
    h5::Handle set = create_dataset(file.get(), format::integrity, type.get(), h5::dataspace({table.total()}).get(), path);
    h5::write_number(set.get(), format::seal, format::seal_of(info, table), what);
    write_provenance(file.get(), info, path);
    write_whole(comm, set.get(), type.get(), comm.rank() == 0 ? format::rows(table, length).data() : nullptr, what);
    set.close(what);
  });
  ballot.attempt([&] { h5::check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), Blame::system, "flush " + path); });
  ballot.attempt([&] { file.close(path); });
  ballot.vote("finishing the checkpoint");
}

}  // namespace kaon
