// Another program puts a file in the place of metrics.csv, or cuts it, while rows are written.
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/records/metrics.hpp>

#include <filesystem>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> const only_loss{"loss"};

class Replaced : public ::testing::Test {
 protected:
  Metrics begin() {
    return Metrics::create(path, only_loss, [this](std::string const& text) { warnings.push_back(text); });
  }
  /// Rows of the steps from `first` to `last`.
  static void rows(Metrics& m, std::int64_t first, std::int64_t last) {
    for (auto s = first; s <= last; ++s) m.row(s, {0.5});
  }
  static std::string expected(std::int64_t last, std::int64_t first = 1) {
    std::string text = first == 1 ? "step,loss\n" : "";
    for (auto s = first; s <= last; ++s) text += std::to_string(s) + ",0.5\n";
    return text;
  }
  void warned_once_of(std::vector<std::string> const& parts) const {
    ASSERT_EQ(warnings.size(), 1u);
    expect_parts(warnings[0], parts);
  }

  Scratch folder;
  std::string const path = folder / "m.csv";
  std::vector<std::string> warnings;
};

TEST_F(Replaced, ByACopyOfItself) {
  auto m = begin();
  rows(m, 1, 3);
  fs::copy_file(path, folder / "copy");
  rows(m, 4, 6);
  fs::rename(folder / "copy", path);
  rows(m, 7, 8);
  m.sync();
  EXPECT_EQ(read(path), expected(8));
  rows(m, 9, 9);
  EXPECT_EQ(read(path), expected(9)) << "rows go on in the new file";
  warned_once_of({path, "another program", "every row"});
  EXPECT_FALSE(fs::exists(path + ".found"));
}

TEST_F(Replaced, AndNobodySyncsAnyMore) {
  {
    auto m = begin();
    rows(m, 1, 3);
    fs::rename(path, folder / "rotated");
  }
  EXPECT_EQ(read(path), expected(3));
  warned_once_of({"removed or emptied"});
}

TEST_F(Replaced, ByNothing) {
  auto m = begin();
  rows(m, 1, 3);
  fs::remove(path);
  rows(m, 4, 5);
  m.sync();
  EXPECT_EQ(read(path), expected(5));
  warned_once_of({"removed or emptied"});
}

TEST_F(Replaced, BySomethingElse) {
  auto m = begin();
  rows(m, 1, 3);
  write(folder / "other", "step,loss\n1,0.5\n2,0.125\nmy notes\n");
  fs::rename(folder / "other", path);
  m.sync();
  EXPECT_EQ(read(path), expected(3));
  EXPECT_EQ(read(path + ".found"), "step,loss\n1,0.5\n2,0.125\nmy notes\n");
  warned_once_of({"kept as " + path + ".found"});
  write(folder / "other", "more");
  fs::rename(folder / "other", path);
  m.sync();
  EXPECT_EQ(read(path), expected(3));
  EXPECT_EQ(read(path + ".found.2"), "more") << "an earlier one stays";
}

TEST_F(Replaced, ByRowsThatWereThinnedOut) {
  auto m = begin();
  rows(m, 1, 9);
  write(folder / "other", "step,loss\n3,0.5\n6,0.5\n7,0.");
  fs::rename(folder / "other", path);
  m.sync();
  EXPECT_EQ(read(path), expected(9));
  EXPECT_FALSE(fs::exists(path + ".found")) << "it had nothing that the run did not know";
}

TEST_F(Replaced, CutInPlaceAsACopyingRotationDoes) {
  auto m = begin();
  rows(m, 1, 5);
  fs::resize_file(path, 0);
  rows(m, 6, 7);
  m.sync();
  EXPECT_EQ(read(path), expected(7));
  warned_once_of({"every row"});
}

TEST_F(Replaced, WrittenOverInPlaceByAnEditorThatHadReadItEarlier) {
  auto m = begin();
  rows(m, 1, 5);
  auto const early = read(path);
  rows(m, 6, 8);
  write(path, early);
  rows(m, 9, 9);
  m.sync();
  EXPECT_EQ(read(path), expected(9));
}

TEST_F(Replaced, AfterARestartTheEarlierRowsAreKnownToo) {
  write(path, expected(4));
  auto m = Metrics::resume(path, only_loss, 3);
  rows(m, 4, 4);
  fs::remove(path);
  m.sync();
  EXPECT_EQ(read(path), expected(4));
}

TEST_F(Replaced, MoreThanIsRememberedIsCutInPlace) {
  std::string const wide(1000, 'x');
  auto m = Metrics::create(path, only_loss, [this](std::string const& text) { warnings.push_back(text); });
  auto const many = static_cast<std::int64_t>(3 * Metrics::remembered / wide.size());
  for (std::int64_t s = 1; s <= many; ++s) m.row(s, {wide});
  EXPECT_EQ(m.steps().count, many);
  auto const first = read(path).substr(0, 10 * wide.size());  // the header, nine rows and a torn one
  fs::resize_file(path, first.size());
  m.sync();
  auto const text = read(path);
  auto const there = csv::steps(std::string_view(text).substr(text.find('\n') + 1));
  EXPECT_EQ(text.substr(0, 9 * wide.size()), first.substr(0, 9 * wide.size()));
  EXPECT_GT(there.count, many / 3);
  EXPECT_LT(there.count, many);
  EXPECT_EQ(there.last, many);
  warned_once_of({"the rows of " + std::to_string(many - there.count) + " steps are lost"});
}

TEST_F(Replaced, AFileThatNobodyTouchedIsLeftAlone) {
  auto m = begin();
  auto const inode = files::identity(path);
  rows(m, 1, 5);
  m.sync();
  rows(m, 6, 6);
  m.sync();
  EXPECT_EQ(files::identity(path), inode);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(Replaced, ALinkToTheFileStaysALink) {
  fs::create_directory(folder / "far");
  fs::create_symlink("far/m.csv", path);
  auto m = begin();
  rows(m, 1, 2);
  fs::remove(folder / "far/m.csv");
  m.sync();
  EXPECT_EQ(read(folder / "far/m.csv"), expected(2));
  EXPECT_TRUE(fs::is_symlink(path));
}

}  // namespace
}  // namespace kaon::test
