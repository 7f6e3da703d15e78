// What ranks find of their contents together, on 1 to 4 ranks: each block of each copy is hashed once, whoever differs is told on
// every rank, and what changes meanwhile is noticed.
#include "../unit/run/scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/start/same_problem.hpp>

#include <gtest/gtest.h>

#include <numeric>

namespace {

using kaon::Communicator;
using kaon::Contents;
using kaon::SameProblem;
using kaon::test::Captured;

constexpr int blocks_each = 7;

/// Blocks of numbers, in one or two copies.
struct Numbers final : Contents {
  explicit Numbers(int which) : which_copy(which) { std::iota(numbers.begin(), numbers.end(), 100u); }
  std::string kind() const override { return "number file"; }
  std::string where() const override { return "/copy/" + std::to_string(which_copy); }
  std::string copy() const override { return where(); }
  std::int64_t blocks() const override { return blocks_each; }
  void hash(std::int64_t first, std::int64_t count, std::uint64_t* out) const override {
    if (broken) throw kaon::InputError("number file: it is broken");
    for (std::int64_t b = first; b < first + count; ++b) ++hashed, *out++ = numbers[static_cast<std::size_t>(b)];
  }
  std::uint64_t combine(std::vector<std::uint64_t> const& h) const override {
    std::uint64_t sum = 1;
    for (auto const v : h) sum = sum * 31 + v;
    return sum;
  }
  std::string place(std::int64_t block) const override { return "block " + std::to_string(block); }
  std::string changed() const override { return touched ? where() + " was written to" : ""; }
  void look_again() override { touched = false; }

  int which_copy;
  std::vector<std::uint64_t> numbers = std::vector<std::uint64_t>(blocks_each);
  bool touched = false, broken = false;
  mutable std::int64_t hashed = 0;
};

struct SameProblemRanks : ::testing::Test {
  Communicator world{MPI_COMM_WORLD};
  Captured out;
  kaon::Log log{world.rank(), out.file()};
  int last = world.size() - 1;

  template <class F>
  void refused(F const& f, std::vector<std::string> const& parts) {
    try {
      f();
      FAIL() << "nothing was thrown on rank " << world.rank();
    } catch (kaon::InputError const& e) {
      for (auto const& part : parts) EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << part << ": " << e.what();
    }
  }
};

TEST_F(SameProblemRanks, EachBlockIsHashedOnceACopyWhateverTheNumberOfRanks) {
  for (int const copies : {1, 2}) {
    Numbers numbers(world.rank() % copies);
    SameProblem same(world, log, &numbers);
    same.settle();
    EXPECT_EQ(world.sum(numbers.hashed), blocks_each * std::min(copies, world.size()));
    auto const before = numbers.hashed;
    EXPECT_EQ(numbers.fingerprint(), Numbers(0).fingerprint());
    EXPECT_EQ(numbers.hashed, before) << "it is known";
  }
}

TEST_F(SameProblemRanks, AnotherCopyIsRefusedOnEveryRankWithBothPlacesAndTheFirstDifference) {
  if (world.size() == 1) return;
  Numbers numbers(world.rank() == last ? 1 : 0);
  if (world.rank() == last) numbers.numbers[4] = numbers.numbers[6] = 9;
  SameProblem same(world, log, &numbers);
  refused([&] { same.settle(); }, {"ranks read different contents", "number file", "/copy/0", "/copy/1", "rank 0",
                                   "rank " + std::to_string(last), "the first difference is in block 4"});
}

TEST_F(SameProblemRanks, WhatOneRankCannotReadIsEverybodysError) {
  Numbers numbers(0);
  numbers.broken = world.rank() == last;
  SameProblem same(world, log, &numbers);
  refused([&] { same.settle(); }, {"it is broken"});
}

TEST_F(SameProblemRanks, WhatChangesMeanwhileIsHashedAgainAndRefusedWhenItIsAnother) {
  Numbers numbers(0);
  SameProblem same(world, log, &numbers);
  same.settle();
  auto const before = numbers.hashed;
  same.confirm("step-1.h5");
  EXPECT_EQ(numbers.hashed, before) << "nothing has changed";
  for (int k = 0; k < 2; ++k) {  // touched, as one rank sees it
    numbers.touched = world.rank() == last;
    same.confirm("step-1.h5");
  }
  EXPECT_EQ(world.sum(numbers.hashed), 3 * blocks_each);
  if (world.rank() == 0) {
    auto const text = out.text();
    auto const first = text.find("the contents are the same");
    EXPECT_NE(first, std::string::npos) << text;
    EXPECT_EQ(text.find("the contents are the same", first + 1), std::string::npos) << "said once";
  }
  numbers.touched = true;
  numbers.numbers[3] = 0;
  refused([&] { same.confirm("step-1.h5"); }, {"/copy/0 was written to", "others now", "step-1.h5 is the last one"});
}

TEST_F(SameProblemRanks, AnObjectiveWithoutFilesHasNothingToCompare) {
  SameProblem same(world, log, nullptr);
  same.settle();
  same.meet("nowhere.h5");
  same.report();
  same.confirm("");
}

}  // namespace
