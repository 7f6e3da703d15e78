// Checkpoints on 1 to 4 ranks: the same bytes for any number of ranks, read on any other; failures of one rank are everyone's.
#include "../unit/checkpoint/toy.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

namespace {

using kaon::Checkpoints;
using kaon::Communicator;
using kaon::InputError;
using kaon::IoError;
using namespace kaon::test;

/// Runs `work` on the first `ranks` ranks; the others wait.
template <class F>
void on_ranks(Communicator const& world, int ranks, F&& work) {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(world.get(), world.rank() < ranks ? 0 : MPI_UNDEFINED, world.rank(), &part);
  if (part != MPI_COMM_NULL) {
    {
      Communicator const comm(part);
      work(comm);
    }
    MPI_Comm_free(&part);
  }
  world.barrier();
}

struct CheckpointRanks : ::testing::Test {
  Communicator world{MPI_COMM_WORLD};
  TempFolder temp{world};
  std::string folder(int ranks) { return temp / ("on-" + std::to_string(ranks)); }
  std::string name = "/step-00000007.h5";
};

TEST_F(CheckpointRanks, TheBytesOfTheFileDoNotDependOnTheNumberOfRanks) {
  for (int r = 1; r <= world.size(); ++r)
    on_ranks(world, r, [&](Communicator const& comm) {
      Toy toy(comm, 7);
      Checkpoints(comm, folder(r), 2).save(toy.info(), toy.registry());
    });
  if (world.rank() == 0) {
    auto const one = file_text(folder(1) + name);
    for (int r = 2; r <= world.size(); ++r) EXPECT_TRUE(file_text(folder(r) + name) == one) << "1 and " << r << " ranks";
    std::printf("file of %zu bytes, written on 1 to %d ranks\n", one.size(), world.size());
  }
}

// A rank with several workers gives one worker's layer at a time.
TEST_F(CheckpointRanks, AFieldInPiecesHasTheBytesOfTheWhole) {
  Toy whole(world, 7), pieces(world, 7);
  Checkpoints(world, folder(1), 2).save(whole.info(), whole.registry());
  std::uint64_t calls = 0, workers = 0;
  for (auto& f : pieces.registry()) {
    if (f.written.elements() == 0) continue;
    bool const by_worker = f.shape.size() == 3;
    if (by_worker) workers += f.written.count[0];
    f.get_rows = [&, get = f.get](std::uint64_t first, std::uint64_t count, void* out) {
      ++calls;
      EXPECT_EQ(f.shape.size(), 3u) << f.path;
      EXPECT_EQ(count, 1u) << f.path;
      std::vector<unsigned char> all(f.written.elements() * kaon::size_of(f.type));
      get(all.data());
      std::size_t const row = all.size() / f.written.count[0];
      std::memcpy(out, all.data() + first * row, count * row);
    };
    if (by_worker && f.written.count[0] > 1) f.get = [](void*) { FAIL() << "the whole is not to be copied"; };
  }
  Checkpoints(world, folder(2), 2).save(pieces.info(), pieces.registry());
  if (workers > 2) {  // two fields
    EXPECT_EQ(calls, workers);
  }
  if (world.rank() == 0) {
    EXPECT_TRUE(file_text(folder(2) + name) == file_text(folder(1) + name));
  }
}

TEST_F(CheckpointRanks, WhatIsWrittenOnSomeRanksIsReadOnOthers) {
  for (int w = 1; w <= world.size(); ++w)
    on_ranks(world, w, [&](Communicator const& comm) {
      Toy toy(comm, 7);
      Checkpoints(comm, folder(w), 2).save(toy.info(), toy.registry());
    });
  for (int w = 1; w <= world.size(); ++w)
    for (int r = 1; r <= world.size(); ++r)
      on_ranks(world, r, [&](Communicator const& comm) {
        Toy toy(comm, 7);
        auto const got = Checkpoints(comm, folder(w), 2).load("latest", toy.registry());
        EXPECT_EQ(toy.wrong_bytes(), 0u) << w << " → " << r;
        EXPECT_EQ(got.info, toy.info());
      });
}

TEST_F(CheckpointRanks, TimeAndPlaceStayInProvenance) {
  Toy toy(world, 7);
  auto info = toy.info();
  Checkpoints(world, folder(1), 1).save(info, toy.registry());
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  info.created.clear();
  info.provenance["hosts"] = "rank " + std::to_string(world.rank());  // rank 0's is the one that counts
  Checkpoints(world, folder(2), 1).save(info, toy.registry());
  if (world.rank() != 0) return;
  auto const left = folder(1) + name, right = folder(2) + name;
  std::vector<kaon::FieldShape> fields;
  {
    kaon::CheckpointFile const a(left), b(right);
    fields = a.fields();
    EXPECT_EQ(a.table().hashes, b.table().hashes);
    EXPECT_EQ(kaon::format::seal_of(a.info(), a.table()), kaon::format::seal_of(b.info(), b.table()));
    EXPECT_EQ(b.info().provenance.at("hosts"), "rank 0");
    EXPECT_NE(a.info().created, b.info().created);
  }
  auto const x = file_text(left), y = file_text(right);
  for (auto const& f : fields) {
    auto const at = dataset_offset(left, f.path);
    ASSERT_EQ(dataset_offset(right, f.path), at) << f.path;
    EXPECT_TRUE(x.compare(at, f.bytes(), y, at, f.bytes()) == 0) << f.path;
  }
}

TEST_F(CheckpointRanks, OneRankThatFailsToGiveItsStateFailsTheSaveEverywhere) {
  Checkpoints store(world, folder(1), 2);
  Toy before(world, 7);
  store.save(before.info(), before.registry());
  auto const good = world.rank() == 0 ? file_text(folder(1) + name) : "";
  int const culprit = world.size() - 1;
  Toy toy(world, 8);
  if (world.rank() == culprit) toy.field("/workers/G/a").get = [](void*) { throw std::runtime_error("the device is gone"); };
  auto const why = message_of<IoError>([&] { store.save(toy.info(), toy.registry()); });
  EXPECT_SAYS(why, "the device is gone");
  if (world.size() > 1) {
    EXPECT_SAYS(why, "rank " + std::to_string(culprit));
  }
  world.barrier();
  EXPECT_EQ(kaon::folder::steps(folder(1)), (std::vector<std::uint64_t>{7}));
  EXPECT_TRUE(kaon::folder::leftovers(folder(1)).empty());
  if (world.rank() == 0) {
    EXPECT_TRUE(file_text(folder(1) + name) == good);
  }
  Toy next(world, 9);
  EXPECT_NO_THROW(store.save(next.info(), next.registry())) << "the next save works";
}

TEST_F(CheckpointRanks, OneRankThatFailsToTakeItsStateFailsTheLoadEverywhere) {
  Checkpoints store(world, folder(1), 2);
  Toy toy(world, 7);
  store.save(toy.info(), toy.registry());
  if (world.rank() == world.size() - 1)
    toy.field("/workers/M/b").set = [](void const*) { throw InputError("this worker wants another state"); };
  EXPECT_SAYS(message_of<InputError>([&] { store.load("latest", toy.registry()); }), "wants another state");
}

TEST_F(CheckpointRanks, RanksThatDisagreeAreTold) {
  Checkpoints store(world, folder(1), 2);
  if (world.size() > 1) {
    Toy toy(world, 7);
    auto info = toy.info();
    info.seed += static_cast<std::uint64_t>(world.rank());
    EXPECT_SAYS(message_of<InputError>([&] { store.save(info, toy.registry()); }), "disagree on step, seed");
    Toy other(world, 7);
    if (world.rank() == 1) other.registry().pop_back();
    EXPECT_SAYS(message_of<InputError>([&] { store.save(other.info(), other.registry()); }), "registered fields");
    Toy twice(world, 7);
    twice.field("/counters/up").written = {{0}, {1}};
    EXPECT_SAYS(message_of<InputError>([&] { store.save(twice.info(), twice.registry()); }), "/counters/up");
  }
  Toy nobody(world, 7);
  nobody.field("/counters/up").written = {{0}, {0}};
  EXPECT_SAYS(message_of<InputError>([&] { store.save(nobody.info(), nobody.registry()); }), "exactly once");
  EXPECT_TRUE(kaon::folder::steps(folder(1)).empty());
}

TEST_F(CheckpointRanks, EveryRankFallsBackToTheSameFile) {
  Checkpoints store(world, folder(1), 3);
  for (std::uint64_t s : {5, 6, 7}) {
    Toy toy(world, s);
    store.save(toy.info(), toy.registry());
  }
  if (world.rank() == 0) {  // the last block of the last field: one rank alone can see it
    auto const path = folder(1) + name;
    flip_byte(path, dataset_offset(path, "/counters/up"));
    flip_byte(folder(1) + "/step-00000006.h5", dataset_offset(folder(1) + "/step-00000006.h5", "/server/X/a") + 77);
  }
  world.barrier();
  Toy back(world, 5);
  auto const got = store.load("latest", back.registry());
  EXPECT_EQ(got.info.step, 5u);
  EXPECT_EQ(back.wrong_bytes(), 0u);
  ASSERT_EQ(got.warnings.size(), 2u);
  EXPECT_SAYS(got.warnings[0], "/counters/up");
  EXPECT_SAYS(got.warnings[1], "/server/X/a");
}

TEST_F(CheckpointRanks, AFolderThatCannotBeWrittenIsTheSameErrorEverywhere) {
  if (world.rank() == 0) put_text(temp / "file", "x");
  world.barrier();
  auto const why = message_of<IoError>([&] { Checkpoints(world, temp / "file/inside", 2).prepare(); });
  EXPECT_SAYS(why, "ot a directory");
  EXPECT_TRUE(world.same_everywhere(std::hash<std::string>{}(why)));
}

}  // namespace
