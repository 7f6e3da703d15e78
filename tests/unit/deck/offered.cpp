// What the deck's tests offer it, as a program does: two objectives that share nothing, and two methods.
#include <kaon/core/error.hpp>
#include <kaon/deck/offer.hpp>

#include <fmt/format.h>

namespace kaon::test {
namespace {

Key key(char const* section, char const* name, KeyType type, char const* fallback) {
  return {.section = section, .name = name, .type = type, .fallback = fallback, .help = "of a test"};
}

Key count(char const* name, char const* fallback) {
  auto k = key("model", name, KeyType::integer, fallback);
  k.low = 1;
  k.high = most_int;
  return k;
}

void check_model(SectionValues const& values) {
  auto const& model = values["model"];
  if (model.integer("width") % model.integer("heads") != 0)
    throw UsageError(fmt::format("{}: model.width = {} is not a multiple of model.heads = {}", model.where("width"),
                                 model.integer("width"), model.integer("heads")));
}

void offer_model() {
  auto width = count("width", "128"), batch = count("batch", "8");
  width.words = {"nembd"};
  batch.words = {"batchsize"};
  auto train = key("data", "train", KeyType::list, ""), validation = key("data", "validation", KeyType::text, "");
  train.required = train.path = train.may_change = validation.path = validation.may_change = true;
  auto fraction = key("data", "validation_fraction", KeyType::real, "0.05");
  fraction.low = 0, fraction.high = 1, fraction.high_open = true;
  offer_keys({width, count("heads", "4"), batch, key("model", "tied", KeyType::boolean, "no")}, Resolved::always);
  auto problem = key("fit", "problem", KeyType::text, "");
  problem.required = problem.may_change = problem.path = true;
  offer_keys({problem, key("fit", "noise", KeyType::real, "0")});
  offer_keys({train, validation, fraction});
  offer_kind("model", "a model", {"model", "data"}, check_model);
  offer_kind("fit", "a fit", {"fit"});
  offer_kind("own", "a program's own", {});
}

void offer_methods() {
  offer_group_method("shifted", "compressed", {}, {"norm", "scale", "radius", "beta", "weight_decay", "uplink", "downlink"});
  auto damping = key("group", "damping", KeyType::real, "0.9");
  damping.low = 0, damping.high = 1;
  auto rank = key("group", "rank", KeyType::integer, "");
  rank.required = true;
  rank.low = 1;
  offer_group_method("dense", "uncompressed", {damping, rank}, {"radius"});
}

bool const offered = (offer_model(), offer_methods(), true);

}  // namespace
}  // namespace kaon::test
