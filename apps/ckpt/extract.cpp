#include "commands.hpp"
#include "h5_output.hpp"
#include "npy.hpp"
#include "text.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <cstring>

namespace kaon::ckpt {
namespace {

constexpr char const* prefix = "/server/W/";

std::vector<FieldShape> model(CheckpointFile const& file) {
  std::vector<FieldShape> found;
  for (auto const& f : file.fields())
    if (starts_with(f.path, prefix)) found.push_back(f);
  if (found.empty()) throw InputError(file.path() + " holds no model: there is no dataset under " + prefix);
  return found;
}

}  // namespace

int extract(std::string const& path, std::string const& out, bool npy) {
  CheckpointFile const file(path);
  auto const fields = model(file);
  file.verify();
  if (npy) {
    folder::make(out);
    for (auto const& f : fields) {
      OutputFile to(out + "/" + f.path.substr(std::strlen(prefix)) + ".npy");
      auto const data = file.read(f);
      to.write(npy_header(f.type, f.shape));
      to.write(data.data(), data.size());
      to.close();
    }
  } else {
    H5Output to(out);
    to.number("step", file.info().step);
    for (auto const& f : fields) to.array("/W/" + f.path.substr(std::strlen(prefix)), f.type, f.shape, file.read(f).data());
    to.commit();
  }
  fmt::print("{}: W of {} layers at step {}\n", out, fields.size(), file.info().step);
  return 0;
}

}  // namespace kaon::ckpt
