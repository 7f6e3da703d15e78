#include "commands.hpp"
#include "text.hpp"

#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace kaon::ckpt {
namespace {

/// Bytes and datasets below a folder.
struct Total {
  std::uint64_t datasets = 0, elements = 0, bytes = 0;
  void add(FieldShape const& f) {
    ++datasets;
    elements += f.elements();
    bytes += f.bytes();
  }
};

std::string folder_of(std::string const& path) { return path.substr(0, path.rfind('/')); }

void print_tree(CheckpointFile const& file) {
  auto fields = file.fields();
  std::sort(fields.begin(), fields.end(), [](auto const& a, auto const& b) {
    return std::pair(folder_of(a.path), a.path) < std::pair(folder_of(b.path), b.path);
  });
  std::map<std::string, Total> folders;
  Total all;
  std::size_t width = 0, shapes = 0;
  for (auto const& f : fields) {
    folders[folder_of(f.path)].add(f);
    all.add(f);
    width = std::max(width, f.path.size() - folder_of(f.path).size() + 1);
    shapes = std::max(shapes, f.shape_text().size());
  }
  std::string folder;
  for (auto const& f : fields) {
    if (folder_of(f.path) != folder) {
      folder = folder_of(f.path);
      auto const& t = folders[folder];
      print("  {}: {} dataset{}, {} elements, {}\n", folder, t.datasets, t.datasets == 1 ? "" : "s", t.elements,
            size_text(t.bytes));
    }
    print("    {:<{}} {}  {}  {}{}\n", f.path.substr(folder.size() + 1), width, h5::name_of(f.type), f.shape_text(),
          size_text(f.bytes()), f.rule.empty() ? "" : "  " + f.rule);
  }
  print("  {} datasets, {} integrity blocks, {}\n", all.datasets, file.blocks(), size_text(all.bytes));
  auto const W = older::model(file.format_version());
  if (auto const model = folders.find(W.substr(0, W.size() - 1)); model != folders.end())
    print("  the model has {} parameters in {} layers\n", model->second.elements, model->second.datasets);
}

/// The fingerprint of the problem. Files before version 3 have it among the state alone, if at all.
std::string problem(CheckpointFile const& file) {
  auto const* const field = file.find("/data/fingerprint");
  if (!file.info().problem.empty() || !field || field->bytes() != sizeof(std::uint64_t)) return file.info().problem;
  std::uint64_t value = 0;
  std::memcpy(&value, file.read(*field).data(), sizeof value);
  return fmt::format("{:016x}", value);
}

}  // namespace

int show(std::string const& path) {
  CheckpointFile const file(path);
  auto const& i = file.info();
  print("{}\nformat     version {}\nstep       {}\nmethod     {}\nworkers    {}\nseed       {}\nprecision  {}\n", path,
        file.format_version(), i.step, i.method, i.workers, i.seed, i.precision);
  if (auto const text = problem(file); !text.empty()) print("problem    {}\n", text);

  print("\nprovenance\n  kaon: {} ({})\n  created: {}\n  fingerprint: {}\n", i.version, i.git_hash, i.created, i.fingerprint);
  for (auto const& [key, value] : i.provenance) print("  {}: {}\n", key, value);

  print("\nstate\n");
  print_tree(file);

  print("\ndeck\n{}{}", i.deck, i.deck.empty() || i.deck.back() != '\n' ? "\n" : "");
  return 0;
}

int verify(std::vector<std::string> const& paths) {
  Exit worst = Exit::finished;
  for (auto const& path : paths) try {
      CheckpointFile const file(path);
      file.verify();
      print("{}: sound ({} datasets, {} blocks, step {}, {}, format version {})\n", path, file.fields().size(), file.blocks(),
            file.info().step, file.info().method, file.format_version());
    } catch (Error const& e) {
      complain("{}: {}\n", path, e.what());
      if (worst != Exit::bad_input) worst = e.code();
    }
  return static_cast<int>(worst);
}

}  // namespace kaon::ckpt
