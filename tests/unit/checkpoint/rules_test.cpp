// Rules for another number of workers: their names in files, and which fields can have which.
#include "toy.hpp"

#include <kaon/checkpoint/rules.hpp>

#include <gtest/gtest.h>

namespace {

using kaon::ElementType;
using kaon::FieldShape;
using kaon::Resize;
namespace rules = kaon::rules;

constexpr Resize all[] = {Resize::refused, Resize::kept, Resize::weighted, Resize::copied, Resize::mean_of, Resize::new_epoch};

TEST(Rules, NamesLeadBack) {
  for (auto const rule : all) EXPECT_EQ(rules::named(rules::name_of(rule)), rule);
  EXPECT_EQ(rules::named("mean"), std::nullopt);
  EXPECT_EQ(rules::named(""), std::nullopt);
}

/// The misfit of a field beside /G (f32, 4×3×2) in a state of four workers.
std::string misfit(Resize rule, ElementType type, std::vector<std::uint64_t> const& shape, std::string const& of = {}) {
  FieldShape const G{"/G", ElementType::f32, {4, 3, 2}};
  return rules::misfit({"/f", type, shape, rules::name_of(rule), of}, rule, 4,
                       [&](std::string const& path) { return path == "/G" ? &G : nullptr; });
}

TEST(Rules, WhatFits) {
  EXPECT_EQ(misfit(Resize::refused, ElementType::i64, {1}), "");
  EXPECT_EQ(misfit(Resize::kept, ElementType::u64, {1}), "");
  EXPECT_EQ(misfit(Resize::weighted, ElementType::f64, {4}), "");
  EXPECT_EQ(misfit(Resize::copied, ElementType::i64, {4, 5, 6, 7}), "");
  EXPECT_EQ(misfit(Resize::new_epoch, ElementType::i64, {4, 3}), "");
  EXPECT_EQ(misfit(Resize::mean_of, ElementType::f32, {3, 2}, "/G"), "");
}

TEST(Rules, WhatDoesNotIsToldWithTheReason) {
  EXPECT_SAYS(misfit(Resize::weighted, ElementType::f32, {3, 2}),
              "is weighted, but its leading index is not the worker: its shape is 3×2");
  EXPECT_SAYS(misfit(Resize::copied, ElementType::f32, {5}), "there are 4 workers");
  EXPECT_SAYS(misfit(Resize::weighted, ElementType::i64, {4, 2}), "does not hold floating-point numbers");
  EXPECT_SAYS(misfit(Resize::new_epoch, ElementType::i64, {4, 2}), "three int64");
  EXPECT_SAYS(misfit(Resize::new_epoch, ElementType::f64, {4, 3}), "three int64");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::f32, {3, 2}, "/H"), "is mean-of, but of '/H', which is no dataset here");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::f32, {3, 2}), "but of '', which is no dataset");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::f64, {3, 2}, "/G"), "/G has not its shape for each worker");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::f32, {2, 3}, "/G"), "/G has not its shape for each worker");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::f32, {4, 3, 2}, "/G"), "/G has not its shape for each worker");
  EXPECT_SAYS(misfit(Resize::mean_of, ElementType::u64, {3, 2}, "/G"), "does not hold floating-point numbers");
  EXPECT_SAYS(misfit(Resize::kept, ElementType::f32, {3, 2}, "/G"), "names /G as if");
}

}  // namespace
