// forged-checkpoint: a sound HDF5 file with the parts of a checkpoint, right and wrong ones, whose seals fit what it holds: what
// lies behind the seals must cope with it.
#include "checkpoint_state.hpp"
#include "forge.hpp"
#include "hdf5_ids.hpp"
#include "scratch.hpp"

#include <memory>

namespace kaon::fuzz {
namespace {

struct Row {
  std::string path;
  std::uint64_t block, hash;
};

hid_t file_type(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return H5T_IEEE_F32LE;
    case ElementType::f64:
      return H5T_IEEE_F64LE;
    case ElementType::i64:
      return H5T_STD_I64LE;
    case ElementType::u64:
      break;
  }
  return H5T_STD_U64LE;
}

/// What the reader will take the dataset for; nothing if it will refuse it.
bool describe(hid_t file, std::string const& path, FieldShape& out) {
  Id const set(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (set < 0) return false;
  Id const type(H5Dget_type(set), H5Tclose);
  Id const space(H5Dget_space(set), H5Sclose);
  bool known = false;
  for (auto const t : {ElementType::f32, ElementType::f64, ElementType::i64, ElementType::u64})
    if (H5Tequal(type, file_type(t)) > 0) {
      out.type = t;
      known = true;
    }
  int const rank = H5Sget_simple_extent_ndims(space);
  if (!known || rank <= 0) return false;
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space, dims.data(), nullptr);
  out.path = path;
  out.shape.assign(dims.begin(), dims.end());
  return true;
}

/// Blocks that the field claims to have, counted without overflow; nothing if they are too many to list.
std::vector<Row> honest_rows(hid_t file, FieldShape const& field) {
  std::uint64_t bytes = size_of(field.type);
  for (auto const s : field.shape) {
    if (s == 0 || bytes > (1U << 22)) return {};
    bytes *= s;
  }
  if (bytes > (1U << 22)) return {};
  Id const set(H5Dopen2(file, field.path.c_str(), H5P_DEFAULT), H5Dclose);
  Input raw(bytes);
  if (H5Dread(set, file_type(field.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data()) < 0) return {};
  Blocks const blocks(field);
  std::vector<Row> rows;
  for (std::uint64_t b = 0; b < blocks.count() && b < 64; ++b) {
    Part const box = blocks.box(b);
    std::uint64_t first = 0;
    for (std::size_t d = 0; d < box.offset.size(); ++d) first = first * field.shape[d] + box.offset[d];
    rows.push_back({field.path, b, xxh3(raw.data() + first * size_of(field.type), box.elements() * size_of(field.type))});
  }
  return rows;
}

void write_table(hid_t file, std::vector<Row> const& rows, std::uint64_t seal, Choices& choices) {
  std::size_t const length = choices.seldom() ? 1 + choices.below(40) : 24;
  Id const type(H5Tcreate(H5T_COMPOUND, length + 16), H5Tclose);
  Id const path(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(path, length);
  H5Tset_strpad(path, H5T_STR_NULLPAD);
  H5Tset_cset(path, H5T_CSET_UTF8);
  H5Tinsert(type, "dataset", 0, path);
  H5Tinsert(type, "block", length, H5T_STD_U64LE);
  H5Tinsert(type, "xxh3", length + 8, H5T_STD_U64LE);
  Input raw(std::max<std::size_t>(1, rows.size()) * (length + 16), 0);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    auto* const at = raw.data() + r * (length + 16);
    std::copy_n(rows[r].path.begin(), std::min(length, rows[r].path.size()), at);
    std::memcpy(at + length, &rows[r].block, 8);
    std::memcpy(at + length + 8, &rows[r].hash, 8);
  }
  std::array<hsize_t, 4> const lengths{hsize_t{1} << 60, hsize_t{1} << 59, (hsize_t{1} << 63) - 1, 1000};
  bool const honest = !choices.seldom();
  std::array<hsize_t, 1> const shape{honest ? rows.size() : choices.pick(lengths)};
  Id const space(choices.seldom() ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, shape.data(), nullptr), H5Sclose);
  Id const set(H5Dcreate2(file, format::integrity, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  if (set < 0) return;
  if (honest) H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.data());
  forge_number(set, format::seal, seal, choices);
}

void forge(std::string const& path, Choices& choices) {
  Id const file(new_file(path), H5Fclose);
  auto info = sample_info();
  forge_text(file, "format", format::name, false, choices);
  std::array<std::uint64_t, 2> const others{1, 2};
  auto const version = choices.seldom() ? choices.pick(others) : format::version;
  forge_number(file, "format_version", version, choices);
  forge_number(file, "step", info.step, choices);
  forge_number(file, "workers", info.workers, choices);
  forge_number(file, "seed", info.seed, choices);
  forge_text(file, "precision", info.precision, false, choices);
  forge_text(file, format::method, info.method, false, choices);
  forge_text(file, format::problem, info.problem, false, choices);
  forge_text(file, format::deck, info.deck, true, choices);
  {
    Id const group(H5Gcreate2(file, format::provenance, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    forge_text(group, format::kaon_version, info.version, false, choices);
    forge_text(group, format::git_hash, info.git_hash, false, choices);
    forge_text(group, format::fingerprint, info.fingerprint, false, choices);
    forge_text(group, format::created, info.created, false, choices);
    forge_text(group, "hosts", info.provenance["hosts"], false, choices);
    forge_number(group, format::seal, provenance_hash(info), choices);
  }
  std::vector<FieldShape> fields;
  std::vector<Row> rows;
  for (auto const& honest : sample_registry()) {
    auto const& name = version < format::names_methods && !honest.was.empty() ? honest.was : honest.path;
    forge_dataset(file, name, {{honest.shape.begin(), honest.shape.end()}, file_type(honest.type)}, choices);
    FieldShape field;
    if (!describe(file, name, field)) {
      if (choices.seldom()) rows.push_back({name, 0, 0});
      continue;
    }
    field.rule = rules::name_of(honest.resize);
    field.of = honest.of;
    {
      Id const set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
      forge_text(set, format::resize, field.rule, false, choices);
      if (!field.of.empty() || choices.seldom()) forge_text(set, format::of, field.of, false, choices);
    }
    auto const mine = honest_rows(file, field);
    if (!mine.empty() || choices.seldom()) fields.push_back(field);
    rows.insert(rows.end(), mine.begin(), mine.end());
  }
  forge_link(file, "loop", choices);
  if (choices.seldom() && !rows.empty()) rows[choices.below(rows.size())].block = choices.number<std::uint8_t>();
  if (choices.seldom() && !rows.empty()) rows.push_back(rows[choices.below(rows.size())]);
  if (choices.seldom()) {
    auto const name = choices.take(choices.below(24));
    rows.push_back({std::string(name.begin(), name.end()), choices.below(2), 0});
  }
  if (choices.seldom()) {
    std::array<char const*, 5> const places{"/", ".", "/deck", "/provenance", "/integrity"};
    rows.push_back({choices.pick(places), 0, 0});
  }
  format::Table table(fields);
  for (auto const& row : rows) table.hashes.push_back(row.hash);
  write_table(file, rows, format::seal_of(info, table, version), choices);
  hid_t const type = H5T_STD_U64LE;  // nvcc loses the parentheses of HDF5's macro between braces
  forge_dataset(file, choices.seldom() ? "/stranger" : "/model/W/h0.attn.q", {{1}, type}, choices);
}

void run_forged_checkpoint(InputView input) {
  auto const path = scratch("forged-checkpoint.h5");
  Choices choices(input);
  forge(path, choices);
  NoIdLeft const watch;
  CheckpointFile const checkpoint(path);
  checkpoint.verify();
  std::string text = pack(checkpoint.info());
  demand(unpack(text) == checkpoint.info(), "a description changes on its way");
  checkpoint.require_fields(sample_registry());
  for (auto const& field : sample_registry()) {
    Input got(field.needed.elements() * size_of(field.type));
    checkpoint.read(*checkpoint.find(field), field.needed, got.data());
  }
}

std::vector<Input> seeds_of_forged_checkpoint() {
  std::vector<Input> all{Input(16, 0), Input(400, 0)};
  for (unsigned char c = 0; c < 16; ++c) {
    Input mixed(400, 0);
    for (std::size_t i = c; i < mixed.size(); i += 17) mixed[i] = static_cast<unsigned char>(7 + 8 * (i % 32));
    all.push_back(mixed);
  }
  return all;
}

}  // namespace

Target forged_checkpoint_target() {
  return {"forged-checkpoint", {Exit::bad_input}, 1024, run_forged_checkpoint, seeds_of_forged_checkpoint};
}

}  // namespace kaon::fuzz
