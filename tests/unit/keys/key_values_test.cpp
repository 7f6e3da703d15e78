// What an objective or a method is given of a deck.
#include <kaon/keys/allowed.hpp>
#include <kaon/keys/key_values.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

KeyValues values() {
  KeyValues v("mymodel");
  v.add("width", {std::int64_t(3), "3", "my.deck:4"});
  v.add("large", {std::int64_t(1) << 40, "1099511627776", "my.deck:5"});
  v.add("rate", {0.5, "0.5", "command line"});
  v.add("deep", {true, "yes", "my.deck"});
  v.add("name", {std::string("a b"), "a b", "my.deck:7"});
  v.add("files", {std::vector<std::string>{"a", "b"}, "a, b", "my.deck:8"});
  v.add("left_out", {{}, "", "my.deck"});
  return v;
}

TEST(KeyValues, GivesEachByItsType) {
  auto const v = values();
  EXPECT_EQ(v.integer("width"), 3);
  EXPECT_EQ(v.integer64("large"), std::int64_t(1) << 40);
  EXPECT_EQ(v.real("rate"), 0.5);
  EXPECT_TRUE(v.flag("deep"));
  EXPECT_EQ(v.text("name"), "a b");
  EXPECT_EQ(v.list("files"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(v.has("rate"));
  EXPECT_FALSE(v.has("Rate"));
  EXPECT_EQ(v.where("rate"), "command line");
  EXPECT_EQ(v.texts().at("files"), "a, b");
}

TEST(KeyValues, AnotherTypeAnUnknownKeyAndNoValueAreTheProgramsMistake) {
  auto const v = values();
  EXPECT_THROW(v.real("width"), std::invalid_argument);
  EXPECT_THROW(v.integer("large"), std::invalid_argument) << "more than an int";
  EXPECT_THROW(v.flag("height"), std::invalid_argument);
  EXPECT_THROW(v.text("left_out"), std::invalid_argument);
  EXPECT_THROW(v.where("height"), std::invalid_argument);
}

TEST(KeyValues, ARefusalSaysWhereTheValueStood) {
  try {
    values().refuse("width", "an odd width has no middle");
    FAIL();
  } catch (UsageError const& e) {
    EXPECT_STREQ(e.what(), "my.deck:4: mymodel.width = 3: an odd width has no middle");
  }
}

TEST(KeyValues, SectionsAreFoundByName) {
  SectionValues all;
  all.add(values());
  EXPECT_EQ(all["mymodel"].integer("width"), 3);
  EXPECT_THROW(all["data"], std::invalid_argument);
}

TEST(Allowed, SaysRangesAndChoices) {
  Key key{.section = "mymodel", .name = "width", .type = KeyType::integer, .low = 1, .high = most_int};
  EXPECT_EQ(allowed(key), "an integer >= 1");
  key.type = KeyType::real, key.low_open = true, key.high = 2;
  EXPECT_EQ(allowed(key), "a number > 1 and <= 2");
  key.type = KeyType::choice, key.choices = {"a", "b"};
  EXPECT_EQ(allowed(key), "one of a, b");
}

}  // namespace
}  // namespace kaon
