#include "resize_plan.hpp"

#include "text.hpp"

#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/remap.hpp>
#include <kaon/checkpoint/rules.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace kaon::ckpt {
namespace {

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

std::string folder_of(std::string const& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

ResizePlan::ResizePlan(CheckpointFile const& file, Deck const& deck, std::uint64_t workers)
    : file_(file), deck_(deck), before_(file.info().workers), now_(workers) {
  if (before_ < 1) throw InputError(file.path() + " says that it has no workers");
  for (auto const& f : file.fields()) items_.push_back(item(f));
  auto const shape = [this](std::string const& path) {
    auto const* const found = find(path);
    return found ? &found->as : nullptr;
  };
  for (auto const& i : items_) {
    if (auto const why = rules::misfit(i.as, i.rule, before_, shape); !why.empty())
      throw InputError(
          fmt::format("dataset {} of {} ({} {}) {}", i.from->path, file.path(), h5::name_of(i.as.type), i.as.shape_text(), why));
    Field field;
    field.path = i.as.path;
    field.type = i.as.type;
    field.shape = i.as.shape;
    field.resize = i.rule;
    field.of = i.as.of;
    if (rules::is_per_worker(i.rule)) field.shape[0] = now_;
    field.written = field.needed = {std::vector<std::uint64_t>(field.shape.size(), 0), field.shape};
    field.get = [this, &i](void* out) {
      auto const data = made(i);
      std::memcpy(out, data.data(), data.size());
    };
    registry_.push_back(std::move(field));
  }
}

ResizePlan::Item ResizePlan::item(FieldShape const& f) const {
  auto const unknown = [&](std::string const& why) {
    return InputError(fmt::format("dataset {} of {} ({} {}) {}", f.path, file_.path(), h5::name_of(f.type), f.shape_text(), why));
  };
  Item item{&f, f, Resize::refused};
  if (file_.has_older_paths()) {
    auto const known = older::as_now(f.path, deck_.text("objective.kind"));
    item.rule = known.resize;
    item.as = {known.path, f.type, f.shape, rules::name_of(known.resize), known.of};
  } else if (auto const rule = rules::named(f.rule)) {
    item.rule = *rule;
  } else {
    throw unknown("changes with the number of workers by the rule '" + f.rule +
                  "', which this kaon-ckpt does not know: use a newer Kaon");
  }
  if (item.rule == Resize::refused)
    throw unknown(
        "is no state that kaon-ckpt knows: what it is with another number of workers only the objective or the method that "
        "registered it can say");
  return item;
}

ResizePlan::Item const* ResizePlan::find(std::string const& path) const {
  auto const at = std::find_if(items_.begin(), items_.end(), [&](Item const& i) { return i.as.path == path; });
  return at == items_.end() ? nullptr : &*at;
}

std::vector<unsigned char> ResizePlan::made(Item const& item) const {
  auto const& from = *item.from;
  switch (item.rule) {
    case Resize::refused:
    case Resize::kept:
      break;
    case Resize::weighted:
      return with_type(
          from, [&](auto zero) { return bytes(remap::weighted(values<decltype(zero)>(file_.read(from)), before_, now_)); });
    case Resize::mean_of:
      return with_type(from,
                       [&](auto zero) { return bytes(remap::mean(values<decltype(zero)>(made(*find(item.as.of))), now_)); });
    case Resize::copied:
      return remap::copied(file_.read(from), before_, now_);
    case Resize::same: {
      auto const all = file_.read(from);
      auto const one = all.size() / before_;
      for (std::uint64_t j = 1; j < before_; ++j)
        if (!std::equal(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(one),
                        all.begin() + static_cast<std::ptrdiff_t>(j * one)))
          throw InputError(
              fmt::format("{} is in the middle of a round of local steps ({} differs between the workers): only a "
                          "checkpoint of a round's end can be resized",
                          file_.path(), from.path));
      return remap::copied(all, before_, now_);
    }
    case Resize::new_epoch: {
      std::vector<std::int64_t> rows;
      for (std::uint64_t i = 0; i < now_; ++i)
        for (std::int64_t v : {std::int64_t(-1), std::int64_t(0), next_epoch(item)})
          rows.push_back(v);  // place unknown, draw, epoch
      return bytes(rows);
    }
  }
  return file_.read(from);
}

std::int64_t ResizePlan::next_epoch(Item const& cursor) const {
  auto const rows = values<std::int64_t>(file_.read(*cursor.from));
  std::int64_t last = 0;
  for (std::size_t j = 0; j < before_; ++j) last = std::max(last, rows[3 * j + 2]);
  return last + 1;
}

double ResizePlan::distance_from_mean() const {
  double worst = 0;
  for (auto const& i : items_) {
    if (i.rule != Resize::mean_of) continue;
    auto const& of = *find(i.as.of)->from;
    double const off = with_type(*i.from, [&](auto zero) {
      using T = decltype(zero);
      return remap::distance_from_mean(values<T>(file_.read(*i.from)), values<T>(file_.read(of)), before_);
    });
    if (!(off <= remap::tolerance(i.from->type)))
      throw InputError(
          fmt::format("the state in {} is not consistent: {} differs from the mean of {} by {:.1e} of the largest norm in it; no "
                      "run could go on with it",
                      file_.path(), i.from->path, of.path, off));
    worst = std::max(worst, off);
  }
  return worst;
}

/// Folders of the fields of this rule, in their order; of /data and the like the fields themselves.
std::string ResizePlan::folders(Resize rule) const {
  std::vector<std::string> all;
  for (auto const& i : items_) {
    if (i.rule != rule) continue;
    auto const folder = starts_with(i.as.path, "/data/") ? i.as.path : folder_of(i.as.path);
    if (std::find(all.begin(), all.end(), folder) == all.end()) all.push_back(folder);
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

std::string ResizePlan::report(double distance) const {
  std::string out;
  if (auto const names = folders(Resize::weighted); !names.empty())
    out += fmt::format(
        "  {}: new worker i takes from old worker j N |overlap of [i/N, (i+1)/N) and [j/n, (j+1)/n)|, "
        "n = {}, N = {}: the means over the workers are kept\n",
        names, before_, now_);
  std::vector<std::string> said;
  for (auto const& i : items_) {
    if (i.rule != Resize::mean_of) continue;
    auto const line = fmt::format("  {}: the mean of the new {}; in {} it was off by {:.1e} of the largest norm in that\n",
                                  folder_of(i.as.path), folder_of(i.as.of), file_.path(), distance);
    if (std::find(said.begin(), said.end(), line) == said.end()) said.push_back(line), out += line;
  }
  if (auto const names = folders(Resize::copied); !names.empty()) {
    out += fmt::format("  {}: not averaged but copied from the closest old worker, as starting points of subspace iterations:",
                       names);
    std::uint64_t const shown = std::min<std::uint64_t>(now_, 16);
    for (std::uint64_t i = 0; i < shown; ++i) out += fmt::format(" {}<-{}", i, remap::closest_to(i, before_, now_));
    out += shown < now_ ? " ...\n" : "\n";
  }
  for (auto const& i : items_)
    if (i.rule == Resize::new_epoch)
      out += fmt::format("  {}: shares of the data are cut anew; every worker begins epoch {} of its own\n", i.as.path,
                         next_epoch(i));
  if (auto const names = folders(Resize::kept); !names.empty()) out += fmt::format("  {}: same bits as before\n", names);
  out += fmt::format("  deck: optimizer.workers = {} instead of {}; radius and beta are as they were, chosen for another n", now_,
                     before_);
  if (deck_.text("objective.kind") == "gpt")
    out += fmt::format(", and a step takes {0} x {2} sequences instead of {1} x {2}", now_, before_, deck_.integer("gpt.batch"));
  return out + '\n';
}

}  // namespace kaon::ckpt
