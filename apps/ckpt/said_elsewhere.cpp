#include "said_elsewhere.hpp"

#include <kaon/checkpoint/companions.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/core/error.hpp>

namespace kaon::ckpt {

std::string said_elsewhere(CheckpointFile const& file, FieldShape const& field) {
  auto const now = file.has_older_paths() ? older::as_now(field.path).path : field.path;
  std::string const method = "/ef21-muon";
  auto const layer_in = [&](char const* folder) {
    auto const head = method + folder;
    return now.starts_with(head) ? now.substr(head.size()) : std::string();
  };
  Field other;
  Companion one{.path = field.path, .why = field.path};
  if (auto const x = layer_in("/server/X/"); !x.empty()) {
    other.path = "/model/W/" + x, other.was = "/server/W/" + x;
  } else if (auto const g = layer_in("/workers/G/"); !g.empty()) {
    other.path = method + "/workers/M/" + g, other.was = "/workers/M/" + g;
  } else if (auto const mean = layer_in("/server/G/"); !mean.empty()) {
    other.path = method + "/workers/G/" + mean, other.was = "/workers/G/" + mean;
    one.says = Companion::Says::mean;
  }
  auto const* const there = file.find(other);
  if (other.path.empty() || !there) return {};
  other.companions = {one};
  try {
    require_companions(file, other);
  } catch (InputError const&) {
    return {};
  }
  return there->path;
}

}  // namespace kaon::ckpt
