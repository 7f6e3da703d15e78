// docs/add-a-compressor.md shows bf16_example.hpp, which all property tests run over; here: that it shows what is compiled.
#include "harness.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace example_test {

using namespace kaon;
using namespace kaon::test;

std::string read(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}
std::filesystem::path here() { return KAON_SOURCE_DIR "/tests/unit/compress"; }

std::string page() { return read(here().parent_path().parent_path().parent_path() / "docs" / "add-a-compressor.md"); }

/// The line of `text` that contains `part`, without the blanks around it.
std::string line_with(std::string const& text, std::string const& part) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(part) != std::string::npos) return line.substr(line.find_first_not_of(' '));
  return "";
}

TEST(AddACompressor, TheDocumentShowsTheFileThatIsCompiled) {
  auto const source = read(here() / "bf16_example.hpp");
  ASSERT_FALSE(source.empty());
  EXPECT_NE(page().find("```cpp\n" + source + "```"), std::string::npos)
      << "docs/add-a-compressor.md must hold tests/unit/compress/bf16_example.hpp as it is";
}

TEST(AddACompressor, TheDocumentShowsTheLineOfTheTest) {
  auto const line = line_with(read(here() / "specs.hpp"), "{\"bf16\"");
  ASSERT_FALSE(line.empty());
  EXPECT_NE(page().find(line), std::string::npos) << line;
}

TEST(AddACompressor, TheGrammarThatTheDocumentShowsWorks) {
  all_specs();
  using Exec = Kokkos::DefaultHostExecutionSpace;
  auto const x = rounded<float>(random_matrix(9, 14, 5));
  Harness<float, Exec> alone("bf16", 9, 14), top("top:0.25+bf16", 9, 14), dropped("dropout:0.5+bf16", 9, 14);
  EXPECT_EQ(alone.c->bytes_bound(), 256U);
  EXPECT_GE(alpha(alone.apply(x), x), alone.c->guaranteed_alpha());
  EXPECT_EQ(top.c->spec(), "top:0.25+bf16");
  EXPECT_NEAR(dropped.c->guaranteed_alpha(), 0.5, 1e-4);
  for (char const* name : {"bf16", "top:0.25+bf16"}) EXPECT_NE(page().find(name), std::string::npos);
}

}  // namespace example_test
