#include <kaon/deck/reference.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/deck/value.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace kaon {
namespace {

std::string full(Key const& key) { return std::string(key.section) + "." + std::string(key.name); }

TEST(Schema, NamesAreUniqueAndFound) {
  std::set<std::string> seen;
  for (auto const& key : schema()) {
    EXPECT_TRUE(seen.insert(full(key)).second) << full(key);
    auto const asked = key.section == "group" ? "group.some.name." + std::string(key.name) : full(key);
    EXPECT_EQ(find_key(asked), &key) << asked;
    EXPECT_FALSE(key.help.empty()) << full(key);
  }
  EXPECT_EQ(find_key("steps"), nullptr);
  EXPECT_EQ(find_key("group.radius"), nullptr);
  EXPECT_EQ(find_key("run.radius"), nullptr);
  EXPECT_EQ(find_key("group..radius"), nullptr);
  EXPECT_EQ(sections().back(), "group");
}

TEST(Schema, DefaultsAreLegalAndCanonical) {
  for (auto const& key : schema()) {
    if (key.required) {
      EXPECT_TRUE(key.fallback.empty()) << full(key);
      continue;
    }
    EXPECT_EQ(canonical(key, key.fallback), key.fallback) << full(key);
    EXPECT_EQ(key.choices.empty(), key.type != KeyType::choice) << full(key);
    if (!key.inherits.empty()) {
      ASSERT_NE(find_key(key.inherits), nullptr) << full(key);
      EXPECT_EQ(find_key(key.inherits)->type, key.type);
      EXPECT_FALSE(find_key(key.inherits)->fallback.empty()) << "an heir needs a value to inherit";
    }
  }
}

TEST(Schema, AllowedNamesRangesAndChoices) {
  EXPECT_EQ(allowed(*find_key("run.steps")), "an integer >= 0");
  EXPECT_EQ(allowed(*find_key("optimizer.workers")), "an integer >= 1");
  EXPECT_EQ(allowed(*find_key("optimizer.beta")), "a number > 0 and <= 1");
  EXPECT_EQ(allowed(*find_key("data.validation_fraction")), "a number >= 0 and < 1");
  EXPECT_EQ(allowed(*find_key("run.precision")), "one of float, double");
  EXPECT_EQ(allowed(*find_key("model.tied")), "yes or no");
}

TEST(Reference, NamesEveryKeyOnceWithDefaultAndRestart) {
  auto const page = deck_reference_markdown();
  auto const help = deck_help();
  for (auto const& key : schema()) {
    auto const row = "| `" + std::string(key.name) + "` | " + allowed(key) + " | ";
    EXPECT_NE(page.find(row), std::string::npos) << row;
    EXPECT_NE(help.find("\n  " + std::string(key.name) + " "), std::string::npos) << full(key);
  }
  for (auto const* part : {"## [group.NAME]", "| `steps` | an integer >= 0 | required | may change |",
                           "| `problem` | text | required for fit | may change |",
                           "| `workers` | an integer >= 1 | required | fixed |", "| as optimizer.beta | fixed |"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

TEST(Reference, TablesAreWellFormed) {
  auto const page = deck_reference_markdown();
  std::size_t rows = 0;
  for (std::size_t at = 0; at < page.size();) {
    auto const end = page.find('\n', at);
    auto const line = page.substr(at, end - at);
    if (!line.empty() && line[0] == '|') {
      ++rows;
      EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 6) << line;
    }
    at = end + 1;
  }
  EXPECT_EQ(rows, schema().size() + 2 * sections().size());
}

}  // namespace
}  // namespace kaon
