#include <kaon/core/error.hpp>
#include <kaon/deck/value.hpp>
#include <kaon/support/traps.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace kaon {
namespace {

Key key_of(KeyType type) { return {.section = "s", .name = "k", .type = type, .help = "-"}; }

TEST(Value, RealsRoundTripToTheSameBits) {
  kaon::test::Untrapped const untrapped;
  auto const key = key_of(KeyType::real);
  constexpr unsigned seed = 20240611;
  std::mt19937_64 random(seed);
  int tried = 0;
  while (tried < 20000) {
    double const v = std::bit_cast<double>(random());
    if (!std::isfinite(v)) continue;
    ++tried;
    auto const text = canonical(key, number_text(v));
    ASSERT_EQ(std::bit_cast<std::uint64_t>(as_real(text)), std::bit_cast<std::uint64_t>(v)) << "seed " << seed << ": " << text;
  }
  for (double v : {0.1, 1e22, 5e-324, std::numeric_limits<double>::max(), -0.0, 2.0 / 3})
    EXPECT_EQ(std::bit_cast<std::uint64_t>(as_real(number_text(v))), std::bit_cast<std::uint64_t>(v));
  EXPECT_EQ(canonical(key, "0.10"), "0.1");
  EXPECT_EQ(canonical(key, " 1e-1\t"), "0.1");
  EXPECT_EQ(canonical(key, "+3"), "3");
}

TEST(Value, NumbersAreReadWhole) {
  for (auto const* bad : {"1,5", "1.5x", "nan", "inf", "-inf", "0x10", "1e999", "+-1", "+", "--1", "1 2", "one"})
    EXPECT_THROW(canonical(key_of(KeyType::real), bad), UsageError) << bad;
  for (auto const* bad : {"1.0", "1e3", "9223372036854775808", "1_000", "ten", "+-1"})
    EXPECT_THROW(canonical(key_of(KeyType::integer), bad), UsageError) << bad;
  EXPECT_EQ(as_integer(canonical(key_of(KeyType::integer), "9223372036854775807")), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(canonical(key_of(KeyType::integer), "007"), "7");
}

TEST(Value, OpenAndClosedEnds) {
  Key key = key_of(KeyType::real);
  key.low = 0;
  key.high = 1;
  key.low_open = key.high_open = true;
  EXPECT_THROW(canonical(key, "0"), UsageError);
  EXPECT_THROW(canonical(key, "1"), UsageError);
  EXPECT_EQ(canonical(key, "5e-324"), "5e-324");
  key.low_open = key.high_open = false;
  EXPECT_EQ(canonical(key, "0"), "0");
  EXPECT_EQ(canonical(key, "1"), "1");
  EXPECT_THROW(canonical(key, "1.0000000000000002"), UsageError);
}

TEST(Value, Booleans) {
  auto const key = key_of(KeyType::boolean);
  for (auto const* yes : {"yes", "true", "on", "1"}) EXPECT_EQ(canonical(key, yes), "yes");
  for (auto const* no : {"no", "false", "off", "0"}) EXPECT_EQ(canonical(key, no), "no");
  for (auto const* bad : {"Y", "2", "nope"}) EXPECT_THROW(canonical(key, bad), UsageError) << bad;
}

TEST(Value, Lists) {
  auto const key = key_of(KeyType::list);
  using Strings = std::vector<std::string>;
  EXPECT_EQ(as_list(canonical(key, "a,b , c\td")), (Strings{"a", "b", "c", "d"}));
  EXPECT_EQ(as_list(canonical(key, "\"my file.txt\", b\\c")), (Strings{"my file.txt", "b\\c"}));
  EXPECT_EQ(as_list(canonical(key, "")), Strings{});
  EXPECT_EQ(canonical(key, ", ,"), "");
  for (auto const* text : {"a b", "\"a,b\" c", "\"a b\"", "x[0-9].*, y?"}) {
    auto const once = canonical(key, text);
    EXPECT_EQ(canonical(key, once), once) << text;
    EXPECT_EQ(as_list(once), as_list(text)) << text;
  }
  EXPECT_THROW(canonical(key, "\"open, b"), UsageError);
}

TEST(Value, EmptyIsForOptionalKeysOnly) {
  Key key = key_of(KeyType::real);
  EXPECT_EQ(canonical(key, "  "), "");
  key.fallback = "1";
  EXPECT_THROW(canonical(key, ""), UsageError);
  key.fallback = "";
  key.required = true;
  EXPECT_THROW(canonical(key, ""), UsageError);
  Key list = key_of(KeyType::list);
  list.required = true;
  EXPECT_THROW(canonical(list, ","), UsageError);
}

TEST(Value, WhatADeckCannotHoldIsRefused) {
  EXPECT_THROW(canonical(key_of(KeyType::text), "a#b"), UsageError);
  EXPECT_THROW(canonical(key_of(KeyType::list), "a\nb"), UsageError);
}

}  // namespace
}  // namespace kaon
