#include <kaon/checkpoint/older.hpp>

#include <kaon/checkpoint/format.hpp>

namespace kaon::older {
namespace {

struct Folder {
  char const *was, *is;
  Resize resize;
  char const* of;  ///< folder of version 3; the layer's name follows
};
constexpr Folder folders[] = {{"/server/W/", "/model/W/", Resize::kept, ""},
                              {"/server/X/", "/ef21-muon/server/X/", Resize::kept, ""},
                              {"/server/G/", "/ef21-muon/server/G/", Resize::mean_of, "/ef21-muon/workers/G/"},
                              {"/workers/M/", "/ef21-muon/workers/M/", Resize::weighted, ""},
                              {"/workers/G/", "/ef21-muon/workers/G/", Resize::weighted, ""},
                              {"/compressor/up/", "/ef21-muon/compressor/up/", Resize::copied, ""},
                              {"/compressor/down/", "/ef21-muon/compressor/down/", Resize::kept, ""}};

}  // namespace

Known as_now(std::string const& path, std::string const& objective) {
  for (auto const& f : folders)
    if (path.starts_with(f.was)) {
      auto const layer = path.substr(std::string(f.was).size());
      return {f.is + layer, f.resize, *f.of == '\0' ? std::string() : f.of + layer};
    }
  for (char const* name : {"rounds", "tokens", "bytes_up", "bytes_down"})
    if (path == std::string("/counters/") + name) return {path, Resize::kept, {}};
  if (objective == "gpt" && path == "/data/fingerprint") return {path, Resize::kept, {}};
  if (objective == "gpt" && path == "/data/cursor") return {path, Resize::new_epoch, {}};
  return {path, Resize::refused, {}};
}

std::string model(std::uint64_t version) { return version < format::names_methods ? "/server/W/" : "/model/W/"; }

}  // namespace kaon::older
