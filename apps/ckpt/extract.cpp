#include "commands.hpp"
#include "h5_output.hpp"
#include "npy.hpp"
#include "output.hpp"
#include "text.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

namespace kaon::ckpt {
namespace {

std::vector<FieldShape> model(CheckpointFile const& file, std::string const& prefix) {
  std::vector<FieldShape> found;
  for (auto const& f : file.fields())
    if (starts_with(f.path, prefix)) found.push_back(f);
  if (found.empty()) throw InputError(file.path() + " holds no model: there is no dataset under " + prefix);
  return found;
}

}  // namespace

int extract(std::string const& path, std::string const& out, bool npy, bool force) {
  CheckpointFile const file(path);
  auto const prefix = older::model(file.format_version());
  auto const fields = model(file, prefix);
  auto const npy_of = [&](FieldShape const& f) { return out + "/" + f.path.substr(prefix.size()) + ".npy"; };
  if (!npy) require_free(out, path, force);
  if (npy)
    for (auto const& f : fields) {
      if (leads_out(f.path)) throw InputError(f.path + " leads out of the folder " + out);
      require_free(npy_of(f), path, force);
    }
  file.verify();
  if (npy) {
    folder::make(out);
    for (auto const& f : fields) {
      folder::make(files::folder_of(npy_of(f)));
      files::Part to(npy_of(f));
      auto const data = file.read(f);
      to.write(npy_header(f.type, f.shape));
      to.write({reinterpret_cast<char const*>(data.data()), data.size()});
      to.commit();
    }
  } else {
    H5Output to(out);
    to.number("step", file.info().step);
    for (auto const& f : fields) to.array("/W/" + f.path.substr(prefix.size()), f.type, f.shape, file.read(f).data());
    to.commit();
  }
  print("{}: W of {} layers at step {}\n", out, fields.size(), file.info().step);
  return 0;
}

}  // namespace kaon::ckpt
