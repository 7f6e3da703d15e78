#include "toy.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace folder = kaon::folder;
using namespace kaon::test;

struct Folder : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
};

TEST_F(Folder, ListsStepsNewestFirstAndNothingElse) {
  for (auto const* name : {"step-00000007.h5", "step-00000100.h5", "step-123456789.h5", "step-00000009.h5.part", "step-7.h5",
                           "step-.h5", "step-0000000x.h5", "latest", "model.h5", "step-00000008.h5.trash"})
    folder::create_empty(temp / name);
  EXPECT_EQ(folder::steps(temp.path()), (std::vector<std::uint64_t>{123456789, 100, 7}));
  EXPECT_EQ(folder::leftovers(temp.path()), (std::vector<std::string>{"step-00000008.h5.trash", "step-00000009.h5.part"}));
  EXPECT_TRUE(folder::steps(temp / "absent").empty());
}

TEST_F(Folder, StepNamesSortAsNumbers) {
  EXPECT_EQ(folder::step_name(1234), "step-00001234.h5");
  EXPECT_EQ(folder::step_name(123456789), "step-123456789.h5");
  for (std::uint64_t step : {0, 1234, 123456789}) EXPECT_EQ(folder::step_of(folder::step_name(step)), step);
  for (auto const* other :
       {"", "latest", "step-7.h5", "step-00000007.h5.part", "/x/step-00000007.h5", "step-99999999999999999999.h5"})
    EXPECT_FALSE(folder::step_of(other)) << other;
}

TEST_F(Folder, LinkIsRepointedInOnePiece) {
  folder::repoint(temp / "latest", "one");
  EXPECT_EQ(folder::target_of(temp / "latest"), "one");
  folder::repoint(temp / "latest", "two");
  EXPECT_EQ(folder::target_of(temp / "latest"), "two");
  EXPECT_EQ(folder::target_of(temp / "absent"), "");
  EXPECT_TRUE(folder::leftovers(temp.path()).empty());
}

TEST_F(Folder, ATextFileStandsForALinkWhereThereAreNone) {
  put_text(temp / "latest", "step-00000007.h5\n");
  EXPECT_EQ(folder::target_of(temp / "latest"), "step-00000007.h5");
  EXPECT_EQ(folder::followed(temp / "latest"), temp / "step-00000007.h5");
  folder::repoint(temp / "latest", "step-00000009.h5");
  EXPECT_EQ(folder::target_of(temp / "latest"), "step-00000009.h5");
  EXPECT_EQ(folder::followed(temp / "latest"), temp / "latest") << "a link is followed by the system";
  for (auto const* other : {"", "step-7.h5\n", "anything else\n", "../step-00000007.h5\n"}) {
    put_text(temp / "other", other);
    EXPECT_EQ(folder::target_of(temp / "other"), "") << other;
    EXPECT_EQ(folder::followed(temp / "other"), temp / "other") << other;
  }
}

TEST_F(Folder, ANamelessFileIsWrittenAndReadAndLeavesNothing) {
  int const file = folder::nameless(temp / "step-00000007.h5.part");
  ASSERT_GE(file, 0);
  EXPECT_EQ(pwrite(file, "xy", 2, 0), 2);
  char back[2] = {};
  EXPECT_EQ(pread(file, back, 2, 0), 2);
  EXPECT_EQ(back[1], 'y');
  close(file);
  EXPECT_TRUE(folder::leftovers(temp.path()).empty());
}

TEST_F(Folder, FailuresNameThePathAndTheReason) {
  put_text(temp / "file", "x");
  auto const inside = temp / "file/inside";
  for (auto const& say :
       {message_of<kaon::IoError>([&] { folder::make(inside); }),
        message_of<kaon::IoError>([&] { folder::create_empty(inside); }),
        message_of<kaon::IoError>([&] { folder::sync(inside); }), message_of<kaon::IoError>([&] { folder::free_bytes(inside); }),
        message_of<kaon::IoError>([&] { folder::remove(inside); }),
        message_of<kaon::IoError>([&] { folder::rename(temp / "file", inside); }),
        message_of<kaon::IoError>([&] { folder::repoint(inside, "x"); }),
        message_of<kaon::IoError>([&] { folder::make(temp / "file"); })}) {
    EXPECT_SAYS(say, temp / "file");
    EXPECT_SAYS(say, "ot a directory");
  }
  EXPECT_NO_THROW(folder::remove(temp / "absent"));
}

TEST_F(Folder, AnEmptyFileTakesThePlaceOfWhateverHasItsName) {
  auto const path = temp / "step-00000007.h5.part";
  auto const is_empty_file = [&] {
    struct stat s {};
    return lstat(path.c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_size == 0;
  };
  put_text(path, "from a job that died");
  folder::create_empty(path);
  EXPECT_TRUE(is_empty_file());
  folder::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);  // nobody reads it: to open it would wait for ever
  folder::create_empty(path);
  EXPECT_TRUE(is_empty_file());
  folder::remove(path);
  put_text(temp / "mine", "mine");
  ASSERT_EQ(symlink("mine", path.c_str()), 0);
  folder::create_empty(path);
  EXPECT_TRUE(is_empty_file());
  EXPECT_EQ(file_text(temp / "mine"), "mine");
}

TEST_F(Folder, KnowsTheFreeSpace) {
  EXPECT_GT(folder::free_bytes(temp.path()), 0u);
  auto const there = temp / "step-00000007.h5", not_yet = temp / "not/there/yet.h5";
  for (auto const& path : {there, not_yet}) {
    EXPECT_NO_THROW(folder::require_room(path, 1));
    auto const why = message_of<kaon::IoError>([&] { folder::require_room(path, std::uint64_t(1) << 62); });
    EXPECT_SAYS(why, path);
    EXPECT_SAYS(why, "are free");
  }
  EXPECT_TRUE(folder::steps(temp / "not/there").empty()) << "asking makes nothing";
}

}  // namespace
