// Checkpoints at once and beside the training, on 1 to 4 ranks: the same bytes, the links, failures that are everyone's.
#include "../unit/checkpoint/toy.hpp"
#include "../unit/run/scratch.hpp"

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/folder.hpp>
#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/saving/saver.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

namespace {

using namespace kaon::test;
using kaon::Checkpoints;
using kaon::Saver;
using Outcome = Saver::Outcome;

struct SaverRanks : ::testing::Test {
  kaon::Communicator world{MPI_COMM_WORLD};
  TempFolder temp{world};
  Captured out;
  kaon::Log log{world.rank(), out.file()};
  std::string folder = temp / "checkpoints";
  Checkpoints store{world, folder, 9};
  double time = 0;
  kaon::WallClock clock{1e6, [this] { return time; }};
  kaon::SavePolicy policy{{.minutes = 1}, 1, [this] { return time; }};

  void SetUp() override {
    int level = 0;
    MPI_Query_thread(&level);
    ASSERT_EQ(level, MPI_THREAD_MULTIPLE);
    store.prepare();
  }
  std::string path(std::uint64_t step) const { return folder + "/" + kaon::folder::step_name(step); }
  std::string link(char const* name) const { return kaon::folder::target_of(folder + "/" + name); }
  Outcome save(Saver& saver, std::uint64_t step, bool best = false) {
    Toy toy(world, step);
    return saver.save(toy.info(), toy.registry(), best);  // the toy is gone when the thread writes: it has its copy
  }
  /// What training does between two steps, until every rank has written.
  void until_written(Saver& saver) {
    auto const awaited = [] { return std::string("the others"); };
    for (kaon::Patience patience(awaited); !world.all(saver.written()); patience.pause()) {
    }
  }
  /// Holds the thread of rank 0 up where it asks whether it may commit, for as long as the object lives.
  class Held {
   public:
    explicit Held(Checkpoints& store) {
      store.set_guard({[&on = on_] {
                         while (on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                       },
                       {}});
    }
    ~Held() { on_ = false; }

   private:
    std::atomic<bool> on_{true};
  };
};

TEST_F(SaverRanks, WhatIsWrittenBesideIsWhatIsWrittenAtOnce) {
  {
    Saver now(store, clock, policy, log, {});
    EXPECT_EQ(save(now, 7), Outcome::committed);
  }
  std::string const at_once = world.rank() == 0 ? file_text(path(7)) : "";
  world.barrier();
  Saver beside(store, clock, policy, log, {.beside = true});
  EXPECT_EQ(save(beside, 7), Outcome::under_way);
  until_written(beside);
  EXPECT_EQ(beside.collect(), Outcome::committed);
  EXPECT_EQ(beside.collect(), Outcome::none);
  EXPECT_EQ(beside.step(), 7u);
  EXPECT_EQ(beside.path(), path(7));
  if (world.rank() == 0) {
    EXPECT_TRUE(file_text(path(7)) == at_once);
    EXPECT_SAYS(out.text(), "beside the training");
    EXPECT_SAYS(beside.account(), "1 checkpoints written beside the training");
  }
  Toy back(world, 7);
  store.load("latest", back.registry());
  EXPECT_EQ(back.wrong_bytes(), 0u);
}

TEST_F(SaverRanks, TheRunGoesOnMeanwhileAndTheLinksWait) {
  Saver saver(store, clock, policy, log, {.beside = true});
  save(saver, 3, true);
  saver.collect();
  {
    Held const held(store);
    EXPECT_EQ(save(saver, 4, true), Outcome::under_way);
    for (int i = 0; i < 100; ++i) {  // other messages travel
      EXPECT_EQ(world.sum(std::int64_t(1)), world.size());
      EXPECT_FALSE(world.all(saver.written()));
    }
    EXPECT_TRUE(saver.busy());
    EXPECT_EQ(link("latest"), "step-00000003.h5");
    EXPECT_EQ(link("best"), "step-00000003.h5");
    EXPECT_EQ(saver.step(), 3u) << "what is not on disk is not saved";
    world.barrier();
  }
  until_written(saver);
  EXPECT_EQ(saver.collect(), Outcome::committed);
  EXPECT_EQ(link("latest"), "step-00000004.h5");
  EXPECT_EQ(link("best"), "step-00000004.h5");
  EXPECT_EQ(saver.step(), 4u);
}

TEST_F(SaverRanks, OneAtATimeAndTheLastOneIsOnDiskWhenItReturns) {
  Saver saver(store, clock, policy, log, {.beside = true});
  save(saver, 1);
  Toy toy(world, 2);
  EXPECT_THROW(saver.save(toy.info(), toy.registry(), false), std::invalid_argument);
  EXPECT_EQ(saver.collect(true), Outcome::committed);
  EXPECT_EQ(save(saver, 2), Outcome::under_way);
  saver.collect();
  Toy last(world, 3);
  saver.save_last(last.info(), last.registry(), false);
  EXPECT_FALSE(saver.busy());
  EXPECT_EQ(link("latest"), "step-00000003.h5");
  EXPECT_EQ(kaon::folder::steps(folder), (std::vector<std::uint64_t>{3, 2, 1}));
}

TEST_F(SaverRanks, WhatIsUnderWayIsWaitedForWhenTheRunEnds) {
  {
    Saver saver(store, clock, policy, log, {.beside = true});
    Held const held(store);  // let go before the saver ends
    save(saver, 5);
  }
  world.barrier();
  EXPECT_EQ(link("latest"), "step-00000005.h5");
  EXPECT_TRUE(kaon::folder::leftovers(folder).empty());
  if (world.rank() == 0) {
    EXPECT_SAYS(out.text(), "saved " + path(5));
  }
}

TEST_F(SaverRanks, AFailureIsEveryonesAtOnceOrBeside) {
  for (bool beside : {false, true}) {
    Saver saver(store, clock, policy, log, {.beside = beside});
    save(saver, 1);
    saver.collect();
    if (world.rank() == 0) std::filesystem::create_directories(path(2) + ".part/x");
    world.barrier();
    auto const why = message_of<kaon::AgreedIoError>([&] {
      save(saver, 2);
      until_written(saver);
      saver.collect();
    });
    EXPECT_SAYS(why, "Is a directory");
    EXPECT_TRUE(world.same_everywhere(std::hash<std::string>{}(why)));
    EXPECT_FALSE(saver.busy());
    EXPECT_EQ(link("latest"), "step-00000001.h5");
    EXPECT_EQ(saver.step(), 1u);
    if (world.rank() == 0) std::filesystem::remove_all(path(2) + ".part");
    world.barrier();
    EXPECT_NE(save(saver, 2), Outcome::failed) << "the next one works";
    saver.collect();
    EXPECT_EQ(link("latest"), "step-00000002.h5");
  }
}

TEST_F(SaverRanks, AFailureIsAWarningWhereTheRunMayGoOnButNotTheLastOne) {
  for (bool beside : {false, true}) {
    Saver saver(store, clock, policy, log, {.beside = beside, .go_on = true});
    if (world.rank() == 0) std::filesystem::create_directories(path(2) + ".part/x");
    world.barrier();
    time = 100;
    auto outcome = save(saver, 2);
    if (beside) outcome = saver.collect();
    EXPECT_EQ(outcome, Outcome::failed);
    EXPECT_FALSE(policy.due_now()) << "time counts anew";
    if (world.rank() == 0) {
      EXPECT_SAYS(out.text(), "warning");
      EXPECT_SAYS(out.text(), "goes on without");
    }
    EXPECT_FALSE(saver.step());
    Toy last(world, 2);
    EXPECT_THROW(saver.save_last(last.info(), last.registry(), false), kaon::IoError);
    world.barrier();
    if (world.rank() == 0) std::filesystem::remove_all(path(2) + ".part");
    time = 0;
    policy.failed();
    world.barrier();
  }
}

TEST_F(SaverRanks, WhatMustBeDurableNoLaterComesFirst) {
  int const culprit = world.size() - 1;
  for (bool beside : {false, true}) {
    int calls = 0;
    bool refuse = false;
    std::uint64_t const step = beside ? 2 : 1;
    std::uint64_t at = step;
    Saver saver(store, clock, policy, log, {.beside = beside, .before = [&] {
                                              ++calls;
                                              EXPECT_NE(link("latest"), kaon::folder::step_name(at));
                                              if (refuse && world.rank() == culprit) throw kaon::IoError("the rows are stuck");
                                            }});
    refuse = true;
    auto const why = message_of<kaon::AgreedIoError>([&] { save(saver, step); });
    EXPECT_SAYS(why, "the rows are stuck");
    EXPECT_FALSE(saver.busy());
    EXPECT_EQ(saver.step(), std::nullopt);
    refuse = false;
    save(saver, step);
    saver.collect();
    EXPECT_EQ(link("latest"), kaon::folder::step_name(step));
    EXPECT_EQ(calls, 2);
    Toy last(world, at = 3);
    refuse = true;
    EXPECT_THROW(saver.save_last(last.info(), last.registry(), false), kaon::AgreedIoError);
    EXPECT_EQ(link("latest"), kaon::folder::step_name(step));
  }
}

TEST_F(SaverRanks, AStateThatIsNotFiniteIsNotWrittenBesideEither) {
  for (bool beside : {false, true}) {
    Saver saver(store, clock, policy, log, {.beside = beside, .go_on = true});
    Toy toy(world, 6);
    auto& f = toy.field("/workers/M/b");
    if (f.written.offset[0] <= 2 && 2 < f.written.offset[0] + f.written.count[0])
      f.get = [&f](void* data) {
        std::memset(data, 0, f.written.elements() * 8);
        double const bad = std::numeric_limits<double>::infinity();
        std::memcpy(data, &bad, sizeof bad);
      };
    auto const why = message_of<kaon::NumericalError>([&] {
      saver.save(toy.info(), toy.registry(), false);
      until_written(saver);
      saver.collect();
    });
    EXPECT_SAYS(why, "/workers/M/b");
    EXPECT_SAYS(why, "not finite at step 6");
    EXPECT_TRUE(kaon::folder::steps(folder).empty());
  }
}

TEST_F(SaverRanks, TheClockAndThePolicyLearnWhatItCosts) {
  Saver saver(store, clock, policy, log, {.beside = true});
  double const before = clock.save_seconds();
  save(saver, 1);
  saver.collect();
  EXPECT_NE(clock.save_seconds(), before) << "the guess is replaced";
  EXPECT_SAYS(policy.forecast(), "save cost");
  EXPECT_EQ(policy.forecast().find("guess"), std::string::npos);
}

}  // namespace
