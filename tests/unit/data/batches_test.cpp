#include "files.hpp"

#include <kaon/data/batches.hpp>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace kaon::test {
namespace {

using Exec = Batches::Exec;

// Every token is its own position, so a batch says where it comes from.
Tokens positions(int n) {
  std::vector<std::uint16_t> t(static_cast<std::size_t>(n));
  std::iota(t.begin(), t.end(), std::uint16_t{0});
  return {t, 65536};
}

DataSettings settings(std::string split, std::string order, double fraction = 0) {
  DataSettings s;
  s.split = split;
  s.order = order;
  s.validation_fraction = fraction;
  s.validation_batches = 0;
  return s;
}

std::vector<int> host(Batches::TokenVector const& v) {
  auto const m = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, v);
  return {m.data(), m.data() + m.extent(0)};
}

// The batch's inputs; checks that targets are the inputs moved on by one.
std::vector<int> next(Batches& b, int worker) {
  static std::uint64_t step = 0;  // steps ascend; which they are does not matter
  b.fill(Exec(), worker, step++);
  Exec().fence();
  auto const in = host(b.inputs());
  auto const out = host(b.targets());
  for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(out[i], in[i] + 1);
  return in;
}

TEST(SequenceSets, HoldOutIsDisjointCompleteAndEvenlySpread) {
  for (std::int64_t const n : {0, 1, 10, 1000, 12345})
    for (double const fraction : {0.0, 0.01, 0.1, 0.5, 0.97}) {
      auto const cut = hold_out(n, fraction);
      EXPECT_EQ(cut.validation.size(), std::llround(fraction * static_cast<double>(n)));
      EXPECT_EQ(cut.train.size() + cut.validation.size(), n);
      std::set<std::int64_t> seen;
      for (std::int64_t i = 0; i < cut.train.size(); ++i) EXPECT_TRUE(seen.insert(cut.train.at(i)).second);
      for (std::int64_t i = 0; i < cut.validation.size(); ++i) EXPECT_TRUE(seen.insert(cut.validation.at(i)).second);
      EXPECT_EQ(seen.empty() ? -1 : *seen.rbegin(), n - 1);
    }
  auto const cut = hold_out(12345, 0.05);
  std::map<std::int64_t, int> in_tenth;
  for (std::int64_t i = 0; i < cut.validation.size(); ++i) ++in_tenth[10 * cut.validation.at(i) / 12345];
  EXPECT_EQ(in_tenth.size(), 10u);
  for (auto const& [tenth, count] : in_tenth) EXPECT_NEAR(count, 61.7, 20) << tenth;
  EXPECT_THROW(hold_out(5, 1.0), std::invalid_argument);
  EXPECT_THROW(cut.train.at(cut.train.size()), std::invalid_argument);
}

TEST(Batches, SequentialContiguousWalksEachShareInOrder) {
  Batches b(positions(7 * 4), std::nullopt, settings("contiguous", "sequential"), {2, 1, 3, 65536}, 1);
  EXPECT_EQ(b.share(0), 3);
  EXPECT_EQ(b.share(1), 4);
  EXPECT_EQ(next(b, 0), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(next(b, 0), (std::vector<int>{4, 5, 6}));
  EXPECT_EQ(next(b, 1), (std::vector<int>{12, 13, 14}));
  EXPECT_EQ(next(b, 0), (std::vector<int>{8, 9, 10}));
  EXPECT_EQ(b.cursor(0), (Batches::Cursor{0, 0, 1}));
  EXPECT_EQ(next(b, 0), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(b.cursor(1), (Batches::Cursor{0, 1, 0}));
}

TEST(Batches, InterleavedDealsInTurnAndABatchMayCrossAnEpoch) {
  Batches b(positions(5 * 3), std::nullopt, settings("interleaved", "sequential"), {2, 2, 2, 65536}, 1);
  EXPECT_EQ(b.share(0), 3);
  EXPECT_EQ(b.share(1), 2);
  EXPECT_EQ(next(b, 0), (std::vector<int>{0, 1, 6, 7}));
  EXPECT_EQ(next(b, 0), (std::vector<int>{12, 13, 0, 1}));
  EXPECT_EQ(b.cursor(0), (Batches::Cursor{0, 1, 1}));
  EXPECT_EQ(next(b, 1), (std::vector<int>{3, 4, 9, 10}));
}

TEST(Batches, SharesAreDisjointAndTogetherTheTrainingText) {
  for (auto const* split : {"contiguous", "interleaved"}) {
    Batches b(positions(1000), std::nullopt, settings(split, "sequential", 0.1), {3, 1, 4, 65536}, 1);
    std::set<std::int64_t> seen;
    for (int j = 0; j < 3; ++j)
      for (std::int64_t i = 0; i < b.share(j); ++i) EXPECT_TRUE(seen.insert(b.start_of(j, 0, i)).second);
    EXPECT_EQ(seen.size(), 180u);
  }
}

TEST(Batches, TrainingAndValidationShareNoToken) {
  for (auto const* order : {"sequential", "random"}) {
    Batches b(positions(3000), std::nullopt, settings("contiguous", order, 0.2), {2, 2, 5, 65536}, 3);
    std::set<int> held, trained;
    for (int p = 0; p < b.validation_pieces(); ++p) {
      b.fill_validation(Exec(), p);
      Exec().fence();
      for (int t : host(b.inputs())) EXPECT_TRUE(held.insert(t).second) << "held-out sequences repeat";
      for (int t : host(b.targets())) held.insert(t);
    }
    EXPECT_EQ(held.size(), 600u);
    for (int j = 0; j < 2; ++j)
      for (int i = 0; i < 400; ++i) {
        b.fill(Exec(), j, static_cast<std::uint64_t>(i));
        Exec().fence();
        for (int t : host(b.inputs())) trained.insert(t);
        for (int t : host(b.targets())) trained.insert(t);
      }
    for (int t : trained) EXPECT_EQ(held.count(t), 0u) << t;
    EXPECT_GT(trained.size(), 2000u);
  }
}

// A batch is the same sequences however it is cut, and whoever asks for which of its pieces.
TEST(Batches, MicroBatchesAreTheBatchInPieces) {
  for (auto const* order : {"sequential", "random"}) {
    auto const s = settings("interleaved", order);
    Batches whole(positions(4000), std::nullopt, s, {2, 12, 3, 65536}, 7);
    for (int const micros : {1, 2, 3, 4, 6, 12}) {
      BatchShape const cut{2, 12 / micros, 3, 65536, micros};
      Batches all(positions(4000), std::nullopt, s, cut, 7), last(positions(4000), std::nullopt, s, cut, 7);
      for (std::uint64_t step = 0; step < 60; ++step) {
        whole.fill(Exec(), 1, step + 100 * static_cast<std::uint64_t>(micros));
        Exec().fence();
        auto const expected = host(whole.inputs());
        std::vector<int> joined;
        for (int m = 0; m < micros; ++m) {
          all.fill(Exec(), 1, step, m);
          Exec().fence();
          auto const piece = host(all.inputs());
          joined.insert(joined.end(), piece.begin(), piece.end());
        }
        ASSERT_EQ(joined, expected) << order << ", " << micros << " micro-batches, step " << step;
        last.fill(Exec(), 1, step, micros - 1);  // another rank, which has but the last of them
        Exec().fence();
        ASSERT_EQ(host(last.inputs()), host(all.inputs()));
        ASSERT_EQ(last.cursor(1), all.cursor(1));
        ASSERT_EQ(all.cursor(1), whole.cursor(1));
      }
      whole.set_cursor(1, {0, 0, 0});
    }
  }
  Batches b(positions(400), std::nullopt, settings("contiguous", "random"), {1, 2, 3, 65536, 2}, 1);
  EXPECT_THROW(b.fill(Exec(), 0, 0, 2), std::invalid_argument);
  EXPECT_THROW(b.fill(Exec(), 1, 0, 0), std::invalid_argument);
}

TEST(Batches, RandomOrderIsReproducibleAndDependsOnSeedWorkerAndEpoch) {
  auto const s = settings("contiguous", "random");
  BatchShape const shape{2, 4, 3, 65536};
  Batches a(positions(4000), std::nullopt, s, shape, 7), same(positions(4000), std::nullopt, s, shape, 7),
      other(positions(4000), std::nullopt, s, shape, 8);
  auto const first = next(a, 0);
  next(same, 1);  // what another worker did does not matter
  EXPECT_EQ(first, next(same, 0));
  EXPECT_NE(first, next(other, 0));
  EXPECT_NE(first, next(a, 0));
  EXPECT_NE(a.start_of(0, 0, 0), a.start_of(0, 1, 0));
  EXPECT_NE(a.start_of(0, 0, 0) + 2000, a.start_of(1, 0, 0));
  std::vector<int> tenth(10, 0);
  for (int epoch = 0; epoch < 8; ++epoch)
    for (int i = 0; i < 500; ++i) {
      auto const start = a.start_of(0, epoch, i);
      EXPECT_TRUE(start >= 0 && start < 2000 && start % 4 == 0);
      ++tenth[static_cast<std::size_t>(start / 200)];
    }
  for (int n : tenth) EXPECT_NEAR(n, 400, 100);  // five standard deviations
}

TEST(Batches, ACursorContinuesWithExactlyTheNextBatch) {
  for (auto const* order : {"sequential", "random"}) {
    auto const s = settings("interleaved", order);
    BatchShape const shape{2, 3, 3, 65536};
    Batches a(positions(101), std::nullopt, s, shape, 7), b(positions(101), std::nullopt, s, shape, 7);
    for (int i = 0; i < 7; ++i) next(a, 1);
    auto cursor = a.cursor(1);
    cursor[0] = 99;  // the file is informative
    b.set_cursor(1, cursor);
    for (int i = 0; i < 9; ++i) EXPECT_EQ(next(a, 1), next(b, 1));
    EXPECT_EQ(b.cursor(0), (Batches::Cursor{0, 0, 0}));
    expect_error<InputError>([&] { b.set_cursor(0, {0, b.share(0), 0}); }, {"/data/cursor", "worker 0", "restart with"});
    EXPECT_THROW(b.set_cursor(0, {0, 0, -1}), InputError);
    EXPECT_THROW(b.set_cursor(2, {0, 0, 0}), std::invalid_argument);
  }
}

TEST(Batches, TheCursorNamesTheFile) {
  Folder f;
  auto s = settings("contiguous", "sequential");
  s.train = {f.shard("1.bin", {0, 1, 2, 3}), f.shard("2.bin", {4, 5, 6, 7})};
  Batches b(s, {1, 1, 1, 8}, 1);
  next(b, 0);
  EXPECT_EQ(b.cursor(0), (Batches::Cursor{0, 1, 0}));
  next(b, 0);
  EXPECT_EQ(b.cursor(0), (Batches::Cursor{1, 2, 0}));
}

TEST(Batches, ASeparateValidationFileIsUsedWholeAndCountsInTheFingerprint) {
  Folder f;
  auto s = settings("contiguous", "sequential", 0.5);
  s.train = {f.text("train.txt", "abcdefghijkl")};
  s.validation = f.text("val.txt", "mnopqrst");
  Batches b(s, {1, 2, 1, 256}, 1);
  EXPECT_EQ(b.share(0), 6) << "nothing is held out of the training text";
  EXPECT_EQ(b.validation_pieces(), 2);
  b.fill_validation(Exec(), 1);
  Exec().fence();
  EXPECT_EQ(host(b.inputs()), (std::vector<int>{'q', 's'}));
  EXPECT_EQ(host(b.targets()), (std::vector<int>{'r', 't'}));
  auto const before = b.fingerprint();
  f.text("val.txt", "mnopqrsu");
  EXPECT_NE(before, Batches(s, {1, 2, 1, 256}, 1).fingerprint());
}

TEST(Batches, TheFingerprintIsSharedAndCoversBothTexts) {
  Folder f;
  auto s = settings("contiguous", "sequential");
  s.train = {f.text("train.txt", "abcdefghijkl")};
  s.validation = f.text("val.txt", "mnopqrst");
  Batches b(s, {1, 2, 1, 256}, 1);
  ASSERT_EQ(b.blocks(), 2);
  std::vector<std::uint64_t> hashes(2);
  b.hash(1, 1, hashes.data() + 1);
  b.hash(0, 1, hashes.data());
  EXPECT_EQ(b.combine(hashes), b.fingerprint());
  EXPECT_NE(b.place(0).find("train.txt"), std::string::npos) << b.place(0);
  EXPECT_NE(b.place(1).find("val.txt"), std::string::npos) << b.place(1);
  EXPECT_EQ(b.copy(), Batches(s, {1, 2, 1, 256}, 1).copy());
  auto other = s;
  other.validation = f.text("copy.txt", "mnopqrst");
  EXPECT_NE(b.copy(), Batches(other, {1, 2, 1, 256}, 1).copy());
  EXPECT_EQ(b.fingerprint(), Batches(other, {1, 2, 1, 256}, 1).fingerprint());
  EXPECT_EQ(b.changed(), "");
  f.text("val.txt", "mnopqrsu");
  EXPECT_NE(b.changed().find("val.txt"), std::string::npos) << b.changed();
}

TEST(BatchesErrors, AValidationTextThatIsTrainedOn) {
  Folder f;
  auto s = settings("contiguous", "sequential", 0);
  auto const make = [&] { Batches(s, {1, 1, 1, 256}, 1); };
  auto const train = f.text("a.txt", "abcdefghijkl"), val = f.text("b.txt", "mnopqrstuvwx");
  s.train = {f.path("*.txt")};
  s.validation = val;
  expect_error<InputError>(make, {"b.txt", "training files", "data.train"});
  s.train = {train, f.text("other name.txt", "mnopqrstuvwx")};
  expect_error<InputError>(make, {"b.txt", "other name.txt", "the same tokens"});
  f.text("other name.txt", "mnopqrstuvwy");
  EXPECT_NO_THROW(make());
}

TEST(BatchesErrors, ATrainingFileThatIsNamedTwice) {
  Folder f;
  auto s = settings("contiguous", "sequential", 0.4);
  auto const train = f.text("a.txt", "abcdefghijkl");
  std::filesystem::create_symlink(train, f.path("link.txt"));
  s.train = {train, f.path("l*.txt")};
  expect_error<InputError>([&] { Batches(s, {1, 1, 1, 256}, 1); }, {"a.txt", "link.txt", "one file", "data.validation"});
  s.validation_fraction = 0;
  Batches const b(s, {1, 1, 1, 256}, 1);
  ASSERT_EQ(b.warnings().size(), 1u);
  EXPECT_NE(b.warnings()[0].find("counts twice"), std::string::npos) << b.warnings()[0];
}

TEST(Batches, ValidationPiecesAreCappedAndEvenlySpread) {
  auto s = settings("contiguous", "sequential", 0.5);
  s.validation_batches = 3;
  Batches b(positions(4000), std::nullopt, s, {1, 2, 3, 65536}, 1);
  EXPECT_EQ(b.validation_pieces(), 3);
  EXPECT_LT(b.validation_start(0), 700);
  EXPECT_GT(b.validation_start(5), 3000);
  EXPECT_THROW(b.validation_start(6), std::invalid_argument);
  EXPECT_THROW(b.fill_validation(Exec(), 3), std::invalid_argument);
  EXPECT_EQ(Batches(positions(4000), std::nullopt, settings("contiguous", "random"), {1, 2, 3, 65536}, 1).validation_pieces(), 0);
}

TEST(BatchesErrors, TooShortTextsAndUnknownSettings) {
  auto const make = [](int n, DataSettings s) { return [=] { Batches(positions(n), std::nullopt, s, {4, 2, 7, 65536}, 1); }; };
  auto const plain = settings("contiguous", "random");
  EXPECT_NO_THROW(make(64, plain)());
  expect_error<InputError>(make(63, plain),
                           {"training text is too short", "4 workers", "at least 8", "63 tokens has 7", "smaller"});
  expect_error<InputError>(make(80, settings("contiguous", "random", 0.1)),
                           {"validation text is too short", "2 sequences", "found 1"});
  expect_error<UsageError>(make(640, settings("random", "random")), {"split", "'random'", "contiguous or interleaved"});
  expect_error<UsageError>(make(640, settings("contiguous", "shuffled")), {"order", "'shuffled'", "random or sequential"});
  expect_error<UsageError>(make(640, settings("contiguous", "random", 1.0)), {"validation_fraction", "below 1"});
  auto negative = plain;
  negative.validation_batches = -1;
  expect_error<UsageError>(make(640, negative), {"validation_batches"});
}

}  // namespace
}  // namespace kaon::test
