// What Python reads: chosen datasets under their own names.
#include "commands.hpp"
#include "h5_output.hpp"
#include "npy.hpp"
#include "output.hpp"
#include "text.hpp"

#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>
#include <kaon/deck/groups.hpp>
#include <kaon/files/part.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon::ckpt {
namespace {

/// Fields that any pattern matches, in the file's order. A pattern that matches nothing is a mistake.
std::vector<FieldShape> chosen(CheckpointFile const& file, std::vector<std::string> const& patterns) {
  std::vector<FieldShape> found;
  auto const matches = [](std::string const& pattern, FieldShape const& f) { return glob_matches(pattern, f.path); };
  for (auto const& p : patterns)
    if (std::none_of(file.fields().begin(), file.fields().end(), [&](auto const& f) { return matches(p, f); }))
      throw InputError(fmt::format("no dataset of {} matches '{}'; kaon-ckpt show lists them, as {}<layer>", file.path(), p,
                                   older::model(file.format_version())));
  for (auto const& f : file.fields())
    if (std::any_of(patterns.begin(), patterns.end(), [&](auto const& p) { return matches(p, f); })) found.push_back(f);
  return found;
}

void write_npz(CheckpointFile const& file, std::vector<FieldShape> const& fields, std::string const& out) {
  files::Part part(out);
  NpzWriter to(part);
  to.number("step", file.info().step);
  to.number("workers", file.info().workers);
  to.number("seed", file.info().seed);
  to.text("deck", file.info().deck);
  for (auto const& f : fields) to.array(f.path.substr(1), f.type, f.shape, file.read(f).data());
  to.close();
  part.commit();
}

void write_h5(CheckpointFile const& file, std::vector<FieldShape> const& fields, std::string const& out) {
  H5Output to(out);
  to.number("step", file.info().step);
  to.number("workers", file.info().workers);
  to.number("seed", file.info().seed);
  to.text_dataset("/deck", file.info().deck);
  for (auto const& f : fields) to.array(f.path, f.type, f.shape, file.read(f).data());
  to.commit();
}

}  // namespace

int export_arrays(std::string const& path, std::string const& out, std::vector<std::string> patterns, bool force) {
  bool const npz = ends_with(out, ".npz");
  if (!npz && !ends_with(out, ".h5") && !ends_with(out, ".hdf5"))
    throw UsageError("kaon-ckpt export writes .npz or .h5: " + out + " has neither ending");
  CheckpointFile const file(path);
  if (patterns.empty()) patterns.push_back(older::model(file.format_version()) + '*');
  auto const fields = chosen(file, patterns);
  for (auto const& f : fields)
    if (npz && leads_out(f.path))
      throw InputError(fmt::format("{} leads out of the folder that {} would be unpacked in; .h5 takes any name", f.path, out));
  require_free(out, path, force);
  file.verify();
  if (npz)
    write_npz(file, fields, out);
  else
    write_h5(file, fields, out);
  std::uint64_t bytes = 0;
  for (auto const& f : fields) bytes += f.bytes();
  print("{}: {} datasets at step {}, {}\n", out, fields.size(), file.info().step, size_text(bytes));
  return 0;
}

}  // namespace kaon::ckpt
