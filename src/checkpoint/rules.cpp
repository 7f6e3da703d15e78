#include <kaon/checkpoint/rules.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace kaon::rules {
namespace {

struct Name {
  Resize rule;
  char const* word;
};
constexpr Name names[] = {{Resize::refused, "refused"}, {Resize::kept, "kept"},       {Resize::weighted, "weighted"},
                          {Resize::copied, "copied"},   {Resize::mean_of, "mean-of"}, {Resize::new_epoch, "new-epoch"},
                          {Resize::same, "same"}};

bool is_real(FieldShape const& f) { return f.type == ElementType::f32 || f.type == ElementType::f64; }

std::vector<std::uint64_t> of_one_worker(FieldShape const& f) { return {f.shape.begin() + 1, f.shape.end()}; }

}  // namespace

char const* name_of(Resize rule) {
  auto const* const at = std::find_if(std::begin(names), std::end(names), [&](Name const& n) { return n.rule == rule; });
  require(at != std::end(names), "rules::name_of: no such rule");
  return at->word;
}

std::optional<Resize> named(std::string const& word) {
  for (auto const& n : names)
    if (word == n.word) return n.rule;
  return std::nullopt;
}

std::string misfit(FieldShape const& field, Resize rule, std::uint64_t workers,
                   std::function<FieldShape const*(std::string const&)> const& find) {
  auto const wrong = [&](std::string const& why) { return fmt::format("is {}, {}", name_of(rule), why); };
  if (rule != Resize::mean_of && !field.of.empty()) return wrong("and names " + field.of + " as if it were the mean of it");
  if (is_per_worker(rule) && (field.shape.empty() || field.shape[0] != workers))
    return wrong(fmt::format("but its leading index is not the worker: its shape is {}, and there are {} workers",
                             field.shape_text(), workers));
  if ((rule == Resize::weighted || rule == Resize::mean_of) && !is_real(field))
    return wrong("but does not hold floating-point numbers");
  if (rule == Resize::new_epoch && (field.type != ElementType::i64 || field.shape.size() != 2 || field.shape[1] != 3))
    return wrong("but does not hold three int64 for each worker");
  if (rule == Resize::mean_of) {
    auto const* const all = find(field.of);
    if (!all) return wrong(fmt::format("but of '{}', which is no dataset here", field.of));
    if (all->type != field.type || all->shape.size() != field.shape.size() + 1 || all->shape[0] != workers ||
        of_one_worker(*all) != field.shape)
      return wrong(fmt::format("but {} has not its shape for each worker", all->path));
  }
  return {};
}

}  // namespace kaon::rules
