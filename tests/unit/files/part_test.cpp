#include <gtest/gtest.h>

#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

class PartTest : public ::testing::Test {
 protected:
  PartTest() { fs::create_directories(folder_); }
  ~PartTest() override { fs::remove_all(folder_); }
  std::string path(std::string const& name) const { return folder_ + "/" + name; }
  void put(std::string const& name, std::string const& text) const { std::ofstream(path(name)) << text; }
  std::string text(std::string const& name) const { return files::read_all(path(name)); }

  /// The message of the IoError that writing to `name` ends with.
  std::string refusal(std::string const& name) const {
    try {
      files::replace(path(name), "new");
    } catch (IoError const& e) {
      return e.what();
    }
    return "nothing was thrown";
  }
  static void expect_in(std::string const& part, std::string const& message) {
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is missing in: " << message;
  }
  /// What stands in the folder.
  std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

 private:
  std::string folder_ = ::testing::TempDir() + "kaon_files_" + std::to_string(getpid());
};

TEST_F(PartTest, ANewFileAndAReplacedOne) {
  files::replace(path("a"), "one");
  EXPECT_EQ(text("a"), "one");
  files::replace(path("a"), std::string_view("t\0wo", 4));
  EXPECT_EQ(text("a"), std::string("t\0wo", 4));
  files::replace(path("a"), "");
  EXPECT_EQ(text("a"), "");
  EXPECT_EQ(count(), 1u) << "no .part is left";
}

TEST_F(PartTest, TheOldFileStaysUntilTheCommit) {
  put("a", "old");
  {
    files::Part part(path("a"));
    part.write("new, not whole");
    EXPECT_EQ(text("a"), "old");
    EXPECT_EQ(part.name(), path("a.part"));
  }
  EXPECT_EQ(text("a"), "old");
  EXPECT_EQ(count(), 1u) << "what is not committed goes";
}

TEST_F(PartTest, WrittenUnderItsNameByAnotherLibrary) {
  files::Part part(path("a"));
  std::ofstream(part.name()) << "by name";
  part.commit();
  EXPECT_EQ(text("a"), "by name");
}

TEST_F(PartTest, WhatAKilledProcessLeftGoes) {
  put("a.part", "of a killed process, and longer than what is written now");
  files::replace(path("a"), "whole");
  EXPECT_EQ(text("a"), "whole");
  EXPECT_EQ(count(), 1u);
}

TEST_F(PartTest, APartThatIsALinkIsNotFollowed) {
  put("other", "mine");
  fs::create_symlink(path("other"), path("a.part"));
  files::replace(path("a"), "whole");
  EXPECT_EQ(text("other"), "mine");
  EXPECT_EQ(text("a"), "whole");
}

TEST_F(PartTest, TwoWritersAtOnceAreTold) {
  files::Part first(path("a"));
  files::Part second(path("a"));
  second.write("second");
  try {
    first.commit();
    FAIL() << "it has lost its file";
  } catch (IoError const& e) {
    expect_in("another process", e.what());
  }
  second.commit();
  EXPECT_EQ(text("a"), "second");
}

TEST_F(PartTest, ALinkStaysAndItsFileIsReplaced) {
  fs::create_directory(path("far"));
  put("far/a", "old");
  fs::create_symlink("far/a", path("a"));
  fs::create_symlink("a", path("b"));
  files::replace(path("b"), "new");
  EXPECT_EQ(text("far/a"), "new");
  EXPECT_TRUE(fs::is_symlink(path("a")) && fs::is_symlink(path("b")));
  fs::create_symlink("far/c", path("c"));
  files::replace(path("c"), "begun");
  EXPECT_EQ(text("far/c"), "begun") << "a link that dangles";
  fs::create_symlink("round", path("round"));
  expect_in("round", refusal("round"));
}

TEST_F(PartTest, WhatIsNoFileIsRefused) {
  fs::create_directory(path("d"));
  expect_in(path("d") + ": it is a folder", refusal("d"));
  ASSERT_EQ(mkfifo(path("p").c_str(), 0600), 0);
  expect_in("it is a pipe", refusal("p"));
  EXPECT_EQ(text("p"), "") << "and is not waited for";
  fs::create_symlink("/dev/null", path("n"));
  expect_in("/dev/null: it is a device", refusal("n"));
  fs::create_symlink("d", path("l"));
  expect_in("it is a folder", refusal("l"));
  EXPECT_EQ(count(), 4u);
}

TEST_F(PartTest, ErrorsNameTheFile) {
  expect_in(path("none/a.part") + ": No such file", refusal("none/a"));
  put("file", "");
  expect_in(path("file/a"), refusal("file/a"));
}

TEST_F(PartTest, AFullDiskLeavesTheOldFile) {
  put("a", "old");
  rlimit before{}, small{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 2;
  auto const handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  auto const message = refusal("a");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  expect_in(path("a.part") + ": File too large", message);
  EXPECT_EQ(text("a"), "old");
  EXPECT_EQ(count(), 1u);
}

TEST_F(PartTest, PermissionsStay) {
  put("a", "old");
  ASSERT_EQ(chmod(path("a").c_str(), 0640), 0);
  files::replace(path("a"), "new");
  struct stat s {};
  ASSERT_EQ(stat(path("a").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 07777, 0640u);
  if (geteuid() == 0) return;  // may write all there is
  ASSERT_EQ(chmod(path("a").c_str(), 0440), 0);
  expect_in("write-protected", refusal("a"));
}

TEST_F(PartTest, OneFileByManyNames) {
  put("a", "");
  put("b", "");
  fs::create_hard_link(path("a"), path("hard"));
  fs::create_symlink("a", path("soft"));
  for (auto const* name : {"a", "hard", "soft", "./a"}) EXPECT_TRUE(files::same_file(path("a"), path(name))) << name;
  for (auto const* name : {"b", "none"}) EXPECT_FALSE(files::same_file(path("a"), path(name))) << name;
  EXPECT_FALSE(files::same_file(path("none"), path("none")));
  EXPECT_EQ(files::behind_links(path("soft")), path("a"));
  EXPECT_EQ(files::folder_of("a"), ".");
  EXPECT_EQ(files::folder_of("/a"), "/");
  EXPECT_EQ(files::folder_of("x/y/z"), "x/y");
}

TEST_F(PartTest, LongFilesAreReadWhole) {
  std::string const all(300000, 'x');
  put("a", all);
  EXPECT_EQ(text("a"), all);
  EXPECT_GT(files::read_all("/proc/self/maps").size(), 1000u) << "a file that says it has no bytes";
}

}  // namespace
}  // namespace kaon::test
