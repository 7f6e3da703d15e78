#include <kaon/checkpoint/writer.hpp>

#include <kaon/checkpoint/cuts.hpp>
#include <kaon/checkpoint/format.hpp>
#include <kaon/checkpoint/frame.hpp>
#include <kaon/checkpoint/rules.hpp>
#include <kaon/checkpoint/slabs.hpp>

#include <algorithm>
#include <memory>
#include <set>

namespace kaon {
namespace {

std::vector<FieldShape> shapes(Registry const& registry) {
  std::vector<FieldShape> all;
  for (auto const& f : registry) all.push_back({f.path, f.type, f.shape, rules::name_of(f.resize), f.of});
  return all;
}

/// A rule that a field cannot have would show when somebody resizes, months later.
void check_rules(CheckpointInfo const& info, Registry const& registry) {
  auto const all = shapes(registry);
  auto const find = [&](std::string const& path) {
    auto const at = std::find_if(all.begin(), all.end(), [&](FieldShape const& f) { return f.path == path; });
    return at == all.end() ? nullptr : &*at;
  };
  for (std::size_t i = 0; i < registry.size(); ++i) {
    auto const why = rules::misfit(all[i], registry[i].resize, info.workers, find);
    if (!why.empty()) throw InputError("field " + registry[i].path + " " + why);
  }
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

/// Hashes the complete blocks of a slab and writes it, about a block at a time: what has just been hashed is still in the cache.
/// Other parts of blocks are appended to `shared`.
void hash_and_write(Slabs& slabs, Blocks const& blocks, Field const& field, Cut const& slab, unsigned char const* data,
                    std::uint64_t offset, std::uint64_t* hashes, std::vector<unsigned char>& shared) {
  std::string const what = "dataset " + field.path;
  std::uint64_t from = 0, to = 0;
  auto const flush = [&] {
    slabs.write(what, data + from, to - from, offset + from);
    from = to;
  };
  for (auto const& part : block_parts(blocks, field, slab)) {
    if (part.complete)
      hashes[part.block] = xxh3(data + part.at, part.bytes);
    else
      shared.insert(shared.end(), data + part.at, data + part.at + part.bytes);
    to = part.at + part.bytes;
    if (to - from >= integrity_block_bytes / 2) flush();
  }
  flush();
}

}  // namespace

void require_consistent(Communicator const& comm, CheckpointInfo const& info, Registry const& registry) {
  Ballot ballot(comm);
  ballot.attempt([&] {
    check_info(info);
    std::set<std::string> seen;
    for (auto const& f : registry) check_field(f, seen);
    if (registry.empty()) throw InputError("the registry is empty");
    check_rules(info, registry);
  });
  ballot.vote("checking the registry");
  if (!comm.same_everywhere(format::seal_of(info, format::Table(shapes(registry)))))
    throw InputError("the ranks disagree on step, seed, workers, precision, deck, method, problem or the registered fields");
  Cuts const cuts(comm, registry);
  for (std::size_t i = 0; i < registry.size(); ++i)
    if (!covers(cuts.of(i), registry[i].shape[0]))
      throw InputError("field " + registry[i].path + ": the parts that the ranks write do not cover it exactly once");
}

std::uint64_t file_bytes(CheckpointInfo const& info, Registry const& registry) {
  format::Table const table(shapes(registry));
  std::uint64_t bytes = (1 << 20) + pack(info).size() + table.total() * (format::longest_path(table) + 16);
  for (auto const& f : table.fields) bytes += f.bytes() + 2 * Frame::alignment;
  return bytes;
}

void write_checkpoint(Communicator const& comm, std::string const& path, CheckpointInfo const& info, Registry const& registry) {
  Ballot ballot(comm);
  bool const root = comm.rank() == 0;
  format::Table table(shapes(registry));
  table.hashes.assign(table.total(), 0);
  std::unique_ptr<Frame> frame;
  Slabs slabs;
  std::vector<std::uint64_t> offsets(registry.size());
  if (root)
    ballot.attempt([&] {
      frame = std::make_unique<Frame>(path, info, table);
      offsets = frame->offsets();
      slabs.create(path);
    });
  ballot.vote("laying out the checkpoint");
  comm.broadcast(offsets.data(), offsets.size() * sizeof(std::uint64_t), 0);
  if (!root) ballot.attempt([&] { slabs.open(path); });
  ballot.vote("opening the checkpoint");

  // No rank waits for another before all have written: fields of one owner are written side by side.
  std::vector<std::vector<unsigned char>> shared(registry.size());
  ballot.attempt([&] {
    std::vector<unsigned char> buffer;  // one layer's numbers at a time
    for (std::size_t i = 0; i < registry.size(); ++i) {
      Field const& f = registry[i];
      f.by_pieces(buffer, [&](std::uint64_t first, std::uint64_t rows, std::uint64_t bytes) {
        Cut const slab{f.written.offset[0] + first, rows};
        hash_and_write(slabs, table.blocks[i], f, slab, buffer.data(), offsets[i] + slab.first * (bytes / rows),
                       table.hashes.data() + table.first[i], shared[i]);
      });
    }
  });
  ballot.vote("writing the checkpoint");
  Cuts const cuts(comm, registry);
  for (std::size_t i = 0; i < registry.size(); ++i)
    if (table.blocks[i].cut() == 0)  // other blocks lie within one leading index, which one rank has
      hash_shared_blocks(comm, table.blocks[i], registry[i], cuts.of(i), shared[i], table.hashes.data() + table.first[i]);
  combine(comm, table.hashes);

  ballot.attempt([&] {
    if (frame) frame->finish(info, table, slabs);
    slabs.close();
  });
  ballot.vote("finishing the checkpoint");
}

}  // namespace kaon
