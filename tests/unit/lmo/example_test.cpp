// docs/add-a-norm.md shows odd_norm_example.hpp, which all property tests run over; here: that it shows what is compiled, and
// what cannot be added.
#include "oracle.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace kaon {
namespace norm_example_test {

std::string read(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(AddANorm, TheDocumentShowsTheFileThatIsCompiled) {
  auto const source = read(KAON_SOURCE_DIR "/tests/unit/lmo/odd_norm_example.hpp");
  ASSERT_FALSE(source.empty());
  auto const page = read(KAON_SOURCE_DIR "/docs/add-a-norm.md");
  EXPECT_NE(page.find("```cpp\n" + source + "```"), std::string::npos)
      << "docs/add-a-norm.md must hold tests/unit/lmo/odd_norm_example.hpp as it is";
}

TEST(AddANorm, IsOneOfTheNorms) {
  test::add_the_example();
  auto const names = lmo_norms();
  EXPECT_NE(std::find(names.begin(), names.end(), "odd"), names.end());
  LmoSettings s;
  s.norm = "odd";
  s.scale = "input";
  EXPECT_DOUBLE_EQ((make_lmo<float, Kokkos::DefaultHostExecutionSpace>(s, 6, 10)->scale()), 0.1);
  EXPECT_EQ(lmo_cost(s, 6, 10), 240);
  s.scale = "rms";
  EXPECT_THROW(lmo_cost(s, 6, 10), UsageError);
}

TEST(AddANorm, WhatDoesNotFitIsRefused) {
  test::add_the_example();
  auto const good = OddNorm<float, Kokkos::DefaultHostExecutionSpace>::traits();
  auto const refused = [&](auto&& change) {
    auto t = good;
    t.name = "another";
    change(t);
    EXPECT_THROW(check_new_norm(t), std::invalid_argument) << t.name;
  };
  EXPECT_THROW(check_new_norm(good), std::invalid_argument) << "twice";
  refused([](NormTraits& t) { t.name = "spectral"; });
  refused([](NormTraits& t) { t.name = "Odd norm"; });
  refused([](NormTraits& t) { t.name = ""; });
  refused([](NormTraits& t) { t.scales = {"input"}; });
  refused([](NormTraits& t) { t.scales.push_back("mup"); });
  refused([](NormTraits& t) { t.scales.push_back("rms"); });
  refused([](NormTraits& t) { t.cost = nullptr; });
  refused([](NormTraits& t) { t.stacks = nullptr; });
}

}  // namespace norm_example_test
}  // namespace kaon
