#include "commands.hpp"

#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon::ckpt {
namespace {

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double v = static_cast<double>(bytes);
  char const* unit = "B";
  for (char const* u : {"KiB", "MiB", "GiB", "TiB"}) {
    if (v < 1024) break;
    v /= 1024;
    unit = u;
  }
  return fmt::format("{:.1f} {}", v, unit);
}

}  // namespace

int show(std::string const& path) {
  CheckpointFile const file(path);
  auto const& i = file.info();
  fmt::print("{}\nstep       {}\nworkers    {}\nseed       {}\nprecision  {}\n", path, i.step, i.workers, i.seed, i.precision);

  fmt::print("\nprovenance\n  kaon: {} ({})\n  created: {}\n  fingerprint: {}\n", i.version, i.git_hash, i.created,
             i.fingerprint);
  for (auto const& [key, value] : i.provenance) fmt::print("  {}: {}\n", key, value);

  fmt::print("\nstate\n");
  auto fields = file.fields();
  std::sort(fields.begin(), fields.end(), [](auto const& a, auto const& b) { return a.path < b.path; });
  std::size_t width = 0;
  std::uint64_t total = 0;
  for (auto const& f : fields) {
    width = std::max(width, f.path.size());
    total += f.bytes();
  }
  for (auto const& f : fields)
    fmt::print("  {:<{}}  {}  {}  {}\n", f.path, width, h5::name_of(f.type), f.shape_text(), size_text(f.bytes()));
  fmt::print("  {} datasets, {} integrity blocks, {}\n", fields.size(), file.blocks(), size_text(total));

  fmt::print("\ndeck\n{}{}", i.deck, i.deck.empty() || i.deck.back() != '\n' ? "\n" : "");
  return 0;
}

int verify(std::vector<std::string> const& paths) {
  Exit worst = Exit::finished;
  for (auto const& path : paths) try {
      CheckpointFile const file(path);
      file.verify();
      fmt::print("{}: sound ({} datasets, {} blocks, step {})\n", path, file.fields().size(), file.blocks(), file.info().step);
    } catch (Error const& e) {
      fmt::print(stderr, "{}: {}\n", path, e.what());
      if (worst != Exit::bad_input) worst = e.code();
    }
  return static_cast<int>(worst);
}

}  // namespace kaon::ckpt
