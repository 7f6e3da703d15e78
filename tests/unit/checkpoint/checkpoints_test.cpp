// Commit, retention, choice and fallback.
#include "toy.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

namespace {

using kaon::Checkpoints;
using kaon::InputError;
using kaon::IoError;
using namespace kaon::test;
namespace fs = std::filesystem;

struct Store : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
  std::string folder = temp / "run/checkpoints";

  std::string save(Checkpoints& store, std::uint64_t step, bool best = false) {
    Toy toy(comm, step, true);
    return store.save(toy.info(), toy.registry(), best);
  }
  std::string link(std::string const& name) { return kaon::folder::target_of(folder + "/" + name); }
  std::vector<std::uint64_t> steps() { return kaon::folder::steps(folder); }
  void damage(std::string const& path) { flip_byte(path, dataset_offset(path, "/server/X/a")); }
};

using Steps = std::vector<std::uint64_t>;

TEST_F(Store, KeepsTheNewestAndPointsLatestAtTheLast) {
  Checkpoints store(comm, folder, 2);
  EXPECT_EQ(save(store, 1), folder + "/step-00000001.h5");
  for (std::uint64_t s : {2, 3, 4}) save(store, s);
  EXPECT_EQ(steps(), (Steps{4, 3}));
  EXPECT_EQ(kaon::folder::target_of(folder + "/latest"), "step-00000004.h5");
  EXPECT_EQ(store.resolve("latest"), folder + "/step-00000004.h5");
  EXPECT_TRUE(store.complaints().empty());
  EXPECT_TRUE(kaon::folder::leftovers(folder).empty());
}

TEST_F(Store, KeepZeroKeepsAll) {
  Checkpoints store(comm, folder, 0);
  for (std::uint64_t s : {1, 2, 3, 4}) save(store, s);
  EXPECT_EQ(steps().size(), 4u);
  EXPECT_THROW(Checkpoints(comm, folder, -1), std::invalid_argument);
}

TEST_F(Store, EverySoManiethStepIsKeptForEver) {
  Checkpoints store(comm, folder, {1, 3});
  for (std::uint64_t s = 1; s <= 8; ++s) save(store, s);
  EXPECT_EQ(steps(), (Steps{8, 6, 3}));
}

TEST_F(Store, TheBestIsLinkedAndKeptUntilABetterOneIs) {
  Checkpoints store(comm, folder, 1);
  save(store, 1);
  EXPECT_EQ(link("best"), "");
  save(store, 2, true);
  for (std::uint64_t s : {3, 4}) save(store, s);
  EXPECT_EQ(link("best"), "step-00000002.h5");
  EXPECT_EQ(steps(), (Steps{4, 2}));
  save(store, 5, true);
  EXPECT_EQ(link("best"), "step-00000005.h5");
  EXPECT_EQ(link("latest"), "step-00000005.h5");
  save(store, 6);
  EXPECT_EQ(steps(), (Steps{6, 5})) << "the one that was the best before is gone";
  EXPECT_TRUE(kaon::folder::leftovers(folder).empty());
}

TEST_F(Store, WhatALinkPointsAtIsNeverRetiredWhoeverMadeTheLink) {
  Checkpoints store(comm, folder, 3);
  for (std::uint64_t s : {1, 2, 3}) save(store, s);
  kaon::folder::repoint(folder + "/best", "step-00000001.h5");
  Checkpoints other(comm, folder, 1);
  save(other, 4);
  EXPECT_EQ(steps(), (Steps{4, 1}));
  put_text(folder + "/latest.new", "half-made");
  put_text(folder + "/best.new", "half-made");
  other.prepare();
  EXPECT_EQ(other.removed(), (std::vector<std::string>{folder + "/best.new", folder + "/latest.new"}));
}

TEST_F(Store, AFileThatCannotBeRetiredIsToldAndTheOthersGo) {
  Checkpoints store(comm, folder, 3);
  for (std::uint64_t s : {1, 2, 3}) save(store, s);
  Checkpoints other(comm, folder, 1);
  other.prepare();
  fs::create_directories(folder + "/step-00000002.h5.trash/x");
  EXPECT_NO_THROW(save(other, 4)) << "the save itself is good";
  ASSERT_EQ(other.complaints().size(), 1u);
  EXPECT_SAYS(other.complaints()[0], "step-00000002.h5");
  EXPECT_EQ(steps(), (Steps{4, 2}));
}

TEST_F(Store, ARestartFromAnOlderStepIsTheNewHistory) {
  Checkpoints store(comm, folder, 3);
  for (std::uint64_t s : {10, 20, 30}) save(store, s);
  save(store, 15);
  EXPECT_EQ(store.resolve("latest"), folder + "/step-00000015.h5");
  EXPECT_EQ(steps(), (Steps{30, 15, 10})) << "the step just committed is never the one retired";
  fs::remove(folder + "/latest");
  EXPECT_EQ(store.resolve("latest"), folder + "/step-00000030.h5") << "without the link the highest step counts";
}

TEST_F(Store, TheSameStepTwiceReplacesTheFile) {
  Checkpoints store(comm, folder, 2);
  auto const first = file_text(save(store, 5));
  EXPECT_EQ(file_text(save(store, 5)), first) << "and its bytes are the same";
  EXPECT_EQ(steps(), (Steps{5}));
}

TEST_F(Store, DamagedFilesAreReportedAndPassedOver) {
  Checkpoints store(comm, folder, 3);
  for (std::uint64_t s : {1, 2, 3}) save(store, s);
  damage(folder + "/step-00000003.h5");
  put_text(folder + "/step-00000002.h5", "gone");
  Toy back(comm, 1, true);
  auto const got = store.load("latest", back.registry());
  EXPECT_EQ(got.path, folder + "/step-00000001.h5");
  EXPECT_EQ(got.info.step, 1u);
  EXPECT_EQ(back.wrong_bytes(), 0u);
  ASSERT_EQ(got.warnings.size(), 2u);
  EXPECT_SAYS(got.warnings[0], "/server/X/a");
  EXPECT_SAYS(got.warnings[1], "step-00000002.h5");
  auto const found = store.find("latest");
  EXPECT_EQ(found.info.step, 3u) << "find looks at the seal alone";
}

TEST_F(Store, NeverAFreshStartWhenNoneIsLeft) {
  Checkpoints store(comm, folder, 2);
  EXPECT_SAYS(message_of<InputError>([&] { store.resolve("latest"); }), "no committed checkpoint in " + folder);
  save(store, 1);
  save(store, 2);
  damage(folder + "/step-00000001.h5");
  damage(folder + "/step-00000002.h5");
  Toy back(comm, 2, true);
  auto const why = message_of<InputError>([&] { store.load("latest", back.registry()); });
  EXPECT_SAYS(why, "step-00000001.h5");
  EXPECT_SAYS(why, "step-00000002.h5");
  EXPECT_TRUE(back.untouched());
}

TEST_F(Store, AFileNamedByTheUserHasNoFallback) {
  Checkpoints store(comm, folder, 2);
  save(store, 1);
  save(store, 2);
  EXPECT_EQ(store.resolve("step-00000001.h5"), folder + "/step-00000001.h5");
  EXPECT_EQ(store.resolve(folder + "/latest"), folder + "/latest");
  damage(folder + "/step-00000002.h5");
  Toy back(comm, 2, true);
  EXPECT_THROW(store.load(folder + "/step-00000002.h5", back.registry()), InputError);
  EXPECT_SAYS(message_of<InputError>([&] { store.resolve("step-9.h5"); }), "step-9.h5");
}

TEST_F(Store, WhatAKilledJobLeftIsRemovedAndTold) {
  fs::create_directories(folder);
  put_text(folder + "/step-00000009.h5.part", "half");
  put_text(folder + "/step-00000001.h5.trash", "half");
  Checkpoints store(comm, folder, 2);
  EXPECT_TRUE(fs::exists(folder + "/step-00000009.h5.part")) << "looking alone must not disturb a job that is writing";
  store.prepare();
  EXPECT_EQ(store.removed(), (std::vector<std::string>{folder + "/step-00000001.h5.trash", folder + "/step-00000009.h5.part"}));
  EXPECT_TRUE(fs::is_empty(folder));
  store.prepare();
  EXPECT_TRUE(store.removed().empty());
}

TEST_F(Store, AFolderThatCannotBeMadeIsAnIoErrorWithPathAndReason) {
  put_text(temp / "run", "a file");
  auto const why = message_of<IoError>([&] { Checkpoints(comm, folder, 2).prepare(); });
  EXPECT_SAYS(why, temp / "run");
  EXPECT_SAYS(why, "ot a directory");
}

TEST_F(Store, AFailedSaveLeavesThePreviousFileIntact) {
  Checkpoints store(comm, folder, 1);
  auto const good = file_text(save(store, 1));
  // A folder stands where the new file must go.
  fs::create_directories(folder + "/step-00000002.h5.part/x");
  auto const why = message_of<IoError>([&] { save(store, 2); });
  EXPECT_SAYS(why, "step-00000002.h5.part");
  EXPECT_SAYS(why, "Is a directory");
  EXPECT_EQ(file_text(folder + "/step-00000001.h5"), good);
  EXPECT_EQ(kaon::folder::target_of(folder + "/latest"), "step-00000001.h5");
  if (geteuid() != 0) {
    fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_SAYS(message_of<IoError>([&] { save(store, 3); }), "Permission denied");
    fs::permissions(folder, fs::perms::owner_all);
  }
  fs::rename(folder, temp / "moved");
  EXPECT_SAYS(message_of<IoError>([&] { save(store, 3); }), "No such file");
}

TEST_F(Store, TooLittleSpaceIsToldBeforeAnythingIsWritten) {
  Checkpoints store(comm, folder, 1);
  save(store, 1);
  Toy toy(comm, 2, true);
  auto& f = toy.field("/server/X/a");
  f.shape = f.written.count = {std::uint64_t(1) << 30, 1 << 20};
  f.get = [](void*) { FAIL() << "nothing may be written"; };
  auto const why = message_of<IoError>([&] { store.save(toy.info(), toy.registry()); });
  EXPECT_SAYS(why, "bytes and");
  EXPECT_SAYS(why, "are free");
  EXPECT_EQ(steps(), (Steps{1}));
}

TEST_F(Store, FieldsThatMakeNoSenseAreRefused) {
  Checkpoints store(comm, folder, 1);
  auto const refusal = [&](auto const& change) {
    Toy toy(comm, 1, true);
    auto info = toy.info();
    change(toy, info);
    return message_of<InputError>([&] { store.save(info, toy.registry()); });
  };
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").path = "/server/X/a"; }), "registered twice");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").path = "/deck"; }), "not a path");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").path = "W"; }), "not a path");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").shape = {0, 3}; }), "is empty");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").written.count = {3, 2}; }), "another dimension");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").written.count = {2, 4}; }), "exactly once");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/a").get = nullptr; }), "get is not set");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.registry().clear(); }), "empty");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/X/a").resize = kaon::Resize::weighted; }),
              "field /server/X/a is weighted, but its leading index is not the worker");
  EXPECT_SAYS(refusal([](Toy& t, auto&) { t.field("/server/W/b").of = "/workers/M/c"; }), "field /server/W/b is mean-of");
  EXPECT_SAYS(refusal([](Toy&, auto& i) { i.provenance["seal"] = "x"; }), "reserved");
  EXPECT_TRUE(steps().empty());
}

}  // namespace
