#include "resize_plan.hpp"

#include "text.hpp"

#include <kaon/checkpoint/remap.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace kaon::ckpt {
namespace {

constexpr char const* server_G = "/server/G/";
constexpr char const* cursor = "/data/cursor";

template <class T>
std::vector<T> values(std::vector<unsigned char> const& bytes) {
  std::vector<T> v(bytes.size() / sizeof(T));
  std::memcpy(v.data(), bytes.data(), bytes.size());
  return v;
}
template <class T>
std::vector<unsigned char> bytes(std::vector<T> const& v) {
  auto const* p = reinterpret_cast<unsigned char const*>(v.data());
  return {p, p + v.size() * sizeof(T)};
}

/// Calls f with a zero of the field's floating-point type.
template <class F>
auto with_type(FieldShape const& field, F&& f) {
  return field.type == ElementType::f32 ? f(float{}) : f(double{});
}
bool is_real(FieldShape const& f) { return f.type == ElementType::f32 || f.type == ElementType::f64; }

}  // namespace

ResizePlan::ResizePlan(CheckpointFile const& file, Deck const& deck, std::uint64_t workers)
    : file_(file), deck_(deck), before_(file.info().workers), now_(workers) {
  if (before_ < 1) throw InputError(file.path() + " says that it has no workers");
  for (auto const& f : file.fields()) {
    Way const way = way_of(f);
    ways_.push_back(way);
    Field field;
    field.path = f.path;
    field.type = f.type;
    field.shape = f.shape;
    if (way == Way::weighted || way == Way::copied || way == Way::new_epoch) field.shape[0] = now_;
    field.written = field.needed = {std::vector<std::uint64_t>(field.shape.size(), 0), field.shape};
    field.get = [this, f, way](void* out) {
      auto const data = made(f, way);
      std::memcpy(out, data.data(), data.size());
    };
    registry_.push_back(std::move(field));
  }
}

Way ResizePlan::way_of(FieldShape const& f) const {
  bool const per_worker = f.shape.size() == 3 && f.shape[0] == before_ && is_real(f);
  auto const wrong = [&](char const* why) {
    return InputError(fmt::format("dataset {} of {} ({} {}) {}", f.path, file_.path(), h5::name_of(f.type), f.shape_text(), why));
  };
  for (char const* folder : {"/workers/", "/compressor/up/"})
    if (starts_with(f.path, folder) && !per_worker) throw wrong("is not a matrix for each worker");
  if (starts_with(f.path, "/workers/G/") || starts_with(f.path, "/workers/M/")) return Way::weighted;
  if (starts_with(f.path, "/compressor/up/")) return Way::copied;
  if (starts_with(f.path, server_G)) return estimates_of(f), Way::mean;
  for (char const* folder : {"/server/X/", "/server/W/", "/compressor/down/"})
    if (starts_with(f.path, folder)) return Way::kept;
  for (char const* name : {"rounds", "tokens", "bytes_up", "bytes_down"})
    if (f.path == std::string("/counters/") + name) return Way::kept;
  if (deck_.text("objective.kind") == "gpt") {
    if (f.path == "/data/fingerprint") return Way::kept;
    if (f.path == cursor && f.type == ElementType::i64 && f.shape == std::vector<std::uint64_t>{before_, 3})
      return Way::new_epoch;
  }
  throw wrong(
      "is no state that kaon-ckpt knows: what it is with another number of workers only the objective that registered it can "
      "say");
}

FieldShape const& ResizePlan::estimates_of(FieldShape const& G) const {
  auto const* const found = file_.find("/workers/G/" + G.path.substr(std::strlen(server_G)));
  if (!found || found->type != G.type || found->elements() != before_ * G.elements())
    throw InputError(fmt::format("dataset {} of {} has no G_j of its shape under /workers/G", G.path, file_.path()));
  return *found;
}

std::vector<unsigned char> ResizePlan::made(FieldShape const& from, Way way) const {
  switch (way) {
    case Way::kept:
      break;
    case Way::weighted:
      return with_type(
          from, [&](auto zero) { return bytes(remap::weighted(values<decltype(zero)>(file_.read(from)), before_, now_)); });
    case Way::mean:
      return with_type(from, [&](auto zero) {
        auto const old = values<decltype(zero)>(file_.read(estimates_of(from)));
        return bytes(remap::mean(remap::weighted(old, before_, now_), now_));
      });
    case Way::copied:
      return remap::copied(file_.read(from), before_, now_);
    case Way::new_epoch: {
      std::vector<std::int64_t> rows;
      for (std::uint64_t i = 0; i < now_; ++i)
        for (std::int64_t v : {std::int64_t(-1), std::int64_t(0), next_epoch()}) rows.push_back(v);  // file unknown, draw, epoch
      return bytes(rows);
    }
  }
  return file_.read(from);
}

std::int64_t ResizePlan::next_epoch() const {
  auto const rows = values<std::int64_t>(file_.read(*file_.find(cursor)));
  std::int64_t last = 0;
  for (std::size_t j = 0; j < before_; ++j) last = std::max(last, rows[3 * j + 2]);
  return last + 1;
}

double ResizePlan::distance_from_mean() const {
  double worst = 0;
  for (std::size_t k = 0; k < ways_.size(); ++k) {
    auto const& f = file_.fields()[k];
    if (ways_[k] != Way::mean) continue;
    double const off = with_type(f, [&](auto zero) {
      using T = decltype(zero);
      return remap::distance_from_mean(values<T>(file_.read(f)), values<T>(file_.read(estimates_of(f))), before_);
    });
    if (double const tolerance = f.type == ElementType::f32 ? 1e-4 : 1e-12; !(off <= tolerance))  // as a restart has it
      throw InputError(
          fmt::format("the state in {} is not consistent: {} differs from the mean of G_j by {:.1e} of the largest "
                      "‖G_j‖; no run could go on with it",
                      file_.path(), f.path, off));
    worst = std::max(worst, off);
  }
  return worst;
}

std::string ResizePlan::report(double distance) const {
  std::map<Way, std::vector<std::string>> groups;  // folders of fields, in their order
  for (std::size_t k = 0; k < ways_.size(); ++k) {
    auto const& path = file_.fields()[k].path;
    auto& all = groups[ways_[k]];
    auto const folder = starts_with(path, "/data/") ? path : path.substr(0, path.rfind('/'));
    if (std::find(all.begin(), all.end(), folder) == all.end()) all.push_back(folder);
  }
  auto const names = [&](Way way) { return fmt::format("{}", fmt::join(groups[way], ", ")); };
  std::string out;
  if (groups.count(Way::weighted))
    out += fmt::format(
        "  {}: new worker i takes from old worker j N |overlap of [i/N, (i+1)/N) and [j/n, (j+1)/n)|, "
        "n = {}, N = {}: the means over the workers are kept\n",
        names(Way::weighted), before_, now_);
  if (groups.count(Way::mean))
    out += fmt::format("  {}: the mean of the new G_j; in {} it was off by {:.1e} of the largest ‖G_j‖\n", names(Way::mean),
                       file_.path(), distance);
  if (groups.count(Way::copied)) {
    out += fmt::format("  {}: starting points of subspace iterations, not averaged but copied from the closest old worker:",
                       names(Way::copied));
    std::uint64_t const shown = std::min<std::uint64_t>(now_, 16);
    for (std::uint64_t i = 0; i < shown; ++i) out += fmt::format(" {}<-{}", i, remap::closest_to(i, before_, now_));
    out += shown < now_ ? " ...\n" : "\n";
  }
  if (groups.count(Way::new_epoch))
    out += fmt::format("  {}: shares of the data are cut anew; every worker begins epoch {} of its own\n", names(Way::new_epoch),
                       next_epoch());
  out += fmt::format("  {}: same bits as before\n", names(Way::kept));
  out += fmt::format("  deck: optimizer.workers = {} instead of {}; radius and beta are as they were, chosen for another n", now_,
                     before_);
  if (deck_.text("objective.kind") == "gpt")
    out += fmt::format(", and a step takes {0} x {2} sequences instead of {1} x {2}", now_, before_, deck_.integer("gpt.batch"));
  return out + '\n';
}

}  // namespace kaon::ckpt
