// kaon-ckpt resize: another number of workers. The means over the workers are kept, a restart takes the file, and it is said what
// was done.
#include "damage.hpp"
#include "fixtures.hpp"

#include <kaon/checkpoint/remap.hpp>
#include <kaon/deck/deck.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace kaon::test {
namespace {

class Resize : public ::testing::Test {
 protected:
  Resize() { put_fixture(s, gpt_fixture, "3.h5"); }
  Outcome resize(std::string const& from, int workers, std::string const& to) {
    return s.ckpt({"resize", from, "-w", std::to_string(workers), "-o", to});
  }
  CheckpointFile open(std::string const& name) const { return CheckpointFile(s / name); }

  /// Largest distance between the means of a per-worker dataset in two files, in units of its largest value.
  static double mean_moved(CheckpointFile const& a, CheckpointFile const& b, std::string const& path) {
    auto const x = values<float>(a, path), y = values<float>(b, path);
    std::size_t const n = a.info().workers, N = b.info().workers, size = x.size() / n;
    EXPECT_EQ(y.size(), N * size) << path;
    double worst = 0, scale = std::numeric_limits<double>::min();
    for (std::size_t e = 0; e < size && y.size() == N * size; ++e) {
      double p = 0, q = 0;
      for (std::size_t j = 0; j < n; ++j) {
        p += double(x[j * size + e]) / double(n);
        scale = std::max(scale, std::abs(double(x[j * size + e])));
      }
      for (std::size_t i = 0; i < N; ++i) q += double(y[i * size + e]) / double(N);
      worst = std::max(worst, std::abs(p - q));
    }
    return worst / scale;
  }
  static void same(CheckpointFile const& a, CheckpointFile const& b, std::string const& path) {
    EXPECT_EQ(values<float>(a, path), values<float>(b, path)) << path;
  }
  /// `loss` of every row of metrics.csv.
  std::vector<double> losses(std::string const& folder) const {
    std::istringstream in(s.read(folder + "/metrics.csv"));
    std::vector<double> all;
    std::string line;
    for (std::getline(in, line); std::getline(in, line);) all.push_back(std::stod(line.substr(line.find(',') + 1)));
    return all;
  }
  Scratch s;
};

TEST_F(Resize, KeepsTheMeansAndMakesGOneOfThem) {
  ASSERT_TRUE(ended(resize("3.h5", 4, "4.h5"), 0));
  ASSERT_TRUE(ended(resize("3.h5", 1, "1.h5"), 0));
  struct Way {
    char const* from;
    int to;
  };
  for (auto const& [from, to] : {Way{"3.h5", 5}, {"4.h5", 2}, {"4.h5", 3}, {"1.h5", 4}}) {
    auto const name = std::string("of-") + from + "-" + std::to_string(to) + ".h5";
    ASSERT_TRUE(ended(resize(from, to, name), 0, {name + ": " + std::to_string(to) + " workers, step 5, 52 datasets"}));
    EXPECT_TRUE(ended(s.ckpt({"verify", name}), 0, {"sound"}));
    auto const a = open(from), b = open(name);
    EXPECT_EQ(b.info().workers, static_cast<std::uint64_t>(to));
    EXPECT_EQ(b.info().step, 5u);
    EXPECT_EQ(b.info().seed, 7u);
    for (auto const& layer : layers_of(a)) {
      for (auto const* folder : {"/workers/G/", "/workers/M/"})
        EXPECT_LE(mean_moved(a, b, folder + layer), std::numeric_limits<float>::epsilon()) << layer << ' ' << from << ' ' << to;
      for (auto const* folder : {"/server/X/", "/server/W/"}) same(a, b, folder + layer);
      // One rounding of the mean itself.
      EXPECT_LE(remap::distance_from_mean(values<float>(b, "/server/G/" + layer), values<float>(b, "/workers/G/" + layer),
                                          static_cast<std::uint64_t>(to)),
                0.0)
          << layer;
    }
    for (auto const* counter : {"rounds", "tokens", "bytes_up", "bytes_down"}) {
      auto const path = std::string("/counters/") + counter;
      EXPECT_EQ(values<std::uint64_t>(a, path), values<std::uint64_t>(b, path));
    }
  }
}

TEST_F(Resize, ToAMultipleAndBackIsTheSameBits) {
  ASSERT_TRUE(ended(resize("3.h5", 6, "6.h5"), 0));
  ASSERT_TRUE(ended(resize("6.h5", 3, "back.h5"), 0));
  auto const a = open("3.h5"), b = open("6.h5"), c = open("back.h5");
  for (auto const& f : a.fields())
    if (f.path.rfind("/server/G/", 0) != 0 && f.path != "/data/cursor") {
      EXPECT_EQ(a.read(f), c.read(*c.find(f.path))) << f.path;
    }
  for (auto const& layer : layers_of(a)) same(b, c, "/server/G/" + layer);
  auto const x = values<float>(a, "/workers/M/head"), y = values<float>(b, "/workers/M/head");
  std::size_t const size = x.size() / 3;
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_TRUE(std::equal(&x[i / 2 * size], &x[i / 2 * size] + size, &y[i * size])) << "worker " << i;
}

TEST_F(Resize, WarmStartsAreCopiedAndEveryWorkerBeginsANewEpoch) {
  ASSERT_TRUE(ended(resize("3.h5", 2, "2.h5"), 0));
  auto const a = open("3.h5"), b = open("2.h5");
  auto const x = values<float>(a, "/compressor/up/h0.attn.q"), y = values<float>(b, "/compressor/up/h0.attn.q");
  std::size_t const size = x.size() / 3;
  ASSERT_EQ(y.size(), 2 * size);
  EXPECT_TRUE(std::equal(&y[0], &y[size], &x[0]));
  EXPECT_TRUE(std::equal(&y[size], &y[size] + size, &x[2 * size])) << "worker 1 of 2 overlaps worker 2 of 3 most";
  auto const before = values<std::int64_t>(a, "/data/cursor"), now = values<std::int64_t>(b, "/data/cursor");
  std::int64_t const epoch = std::max({before[2], before[5], before[8]}) + 1;
  EXPECT_EQ(now, (std::vector<std::int64_t>{-1, 0, epoch, -1, 0, epoch}));
}

TEST_F(Resize, SaysLoudlyWhatItDid) {
  auto const o = resize("3.h5", 2, "2.h5");
  ASSERT_EQ(o.code, 0) << o.all();
  for (auto const* part :
       {"2.h5 is ANOTHER ALGORITHMIC STATE", "3 workers of 3.h5 became 2, at step 5",
        "/workers/G, /workers/M: ", "/server/G: the mean of the new G_j; in 3.h5 it was off by", "/compressor/up: ", "0<-0 1<-2",
        "/data/cursor: ", "/server/X, /server/W", "optimizer.workers = 2 instead of 3", "2 x 2 sequences instead of 3 x 2",
        "kaon-train -r 2.h5 -d FOLDER"})
    EXPECT_NE(o.err.find(part), std::string::npos) << part << " is missing: " << o.all();
  ASSERT_TRUE(ended(resize("2.h5", 1, "1.h5"), 0));
  auto const made = open("1.h5").info();
  auto const& line = made.provenance.at("resized");
  EXPECT_EQ(line.find("from 2 to 1 workers, file 2.h5 of 20"), 0u) << line;
  EXPECT_NE(line.find("; before: from 3 to 2 workers, file 3.h5 of 2026-"), std::string::npos) << line;
  EXPECT_EQ(made.fingerprint, open("3.h5").info().fingerprint);
}

TEST_F(Resize, OnlyWorkersChangesInTheDeck) {
  ASSERT_TRUE(ended(resize("3.h5", 4, "4.h5"), 0));
  auto const a = Deck::from_checkpoint(open("3.h5").info().deck, "a"), b = Deck::from_checkpoint(open("4.h5").info().deck, "b");
  EXPECT_EQ(b.integer("optimizer.workers"), 4);
  auto const differ = b.disagreements(a);
  ASSERT_EQ(differ.size(), 1u);
  EXPECT_EQ(differ[0], "optimizer.workers: '4' in b, '3' in a");
}

// The invariant is checked by the restart itself. Ranks do not matter, here as elsewhere.
TEST_F(Resize, TrainingGoesOnAndItsLossFalls) {
  for (int workers : {1, 2, 5}) {
    auto const n = std::to_string(workers), file = n + ".h5";
    ASSERT_TRUE(ended(resize("3.h5", workers, file), 0));
    ASSERT_TRUE(ended(s.train({"-r", file, "-d", "run" + n, "run.steps=60"}), 0,
                      {n + (workers == 1 ? " worker on 1 rank" : " workers on 1 rank"), "step 5 of 60, mean G_j = G within",
                       "finished at step 60"}));
    auto const all = losses("run" + n);
    ASSERT_EQ(all.size(), 55u);
    double first = 0, last = 0;
    for (std::size_t k = 0; k < 10; ++k) first += all[k] / 10, last += all[all.size() - 1 - k] / 10;
    std::printf("%d workers: mean loss of the first 10 steps %.4f, of the last 10 %.4f\n", workers, first, last);
    EXPECT_LT(last, first - 0.1);
  }
  ASSERT_TRUE(ended(s.train({"-r", "2.h5", "-d", "ranks", "run.steps=60"}, 2), 0));
  EXPECT_TRUE(ended(s.ckpt({"diff", "run2/checkpoints/latest", "ranks/checkpoints/latest"}), 0, {"the same, bit for bit"}));

  // Later jobs of the run still say where their state comes from.
  ASSERT_TRUE(ended(s.train({"-r", "auto", "-d", "run2", "run.steps=61"}), 0));
  std::string const line = open("run2/checkpoints/latest").info().provenance.at("resized");
  EXPECT_EQ(line.find("from 3 to 2 workers, file 3.h5 of 2026-"), 0u) << line;
}

TEST_F(Resize, TheOldDeckDoesNotTakeIt) {
  ASSERT_TRUE(ended(resize("3.h5", 2, "2.h5"), 0));
  s.write("old.deck", open("3.h5").info().deck);
  EXPECT_TRUE(ended(s.train({"-i", "old.deck", "-r", "2.h5", "-d", "run"}), 65, {"optimizer.workers: '3'", "'2'"}));
}

TEST_F(Resize, RefusesAndLeavesNothing) {
  s.write("there.h5", "something");
  put_fixture(s, squares_fixture, "squares.h5");
  auto const before = s.snapshot();
  EXPECT_TRUE(ended(resize("3.h5", 3, "new.h5"), 64, {"nothing to do", "3 workers already"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "there.h5"), 64, {"there.h5 exists"}));
  EXPECT_TRUE(ended(resize("none.h5", 2, "new.h5"), 65, {"none.h5"}));
  EXPECT_TRUE(ended(resize("squares.h5", 2, "new.h5"), 65, {"problem.h5 fixes the number of workers"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "no/such/folder/new.h5"), 74, {"no/such/folder"}));
  EXPECT_EQ(s.snapshot(), before);
  damage(s / "3.h5", "/workers/M/head");
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65, {"/workers/M/head"}));
  EXPECT_FALSE(s.has("new.h5"));
  EXPECT_FALSE(s.has("new.h5.part"));
}

// An objective of one's own may register what no tool can guess.
TEST_F(Resize, RefusesStateThatItDoesNotKnow) {
  CheckpointInfo info;
  std::uint64_t version = 0;
  std::vector<FieldShape> fields;
  {
    auto const file = open("3.h5");
    info = file.info();
    version = file.format_version();
    fields = file.fields();
  }
  hid_t const h5 = H5Fopen((s / "3.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  EXPECT_GE(H5Lmove(h5, "/counters/rounds", h5, "/data/memory", H5P_DEFAULT, H5P_DEFAULT), 0);
  H5Fclose(h5);
  for (auto& f : fields)
    if (f.path == "/counters/rounds") f.path = "/data/memory";
  seal_again(s / "3.h5", version, info, fields);
  ASSERT_TRUE(ended(s.ckpt({"verify", "3.h5"}), 0));
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65, {"dataset /data/memory of 3.h5 (uint64 1)", "only the objective"}));
  EXPECT_FALSE(s.has("new.h5"));
}

// What a restart would refuse is not made to look sound.
TEST_F(Resize, RefusesAStateWhoseGIsNotTheMean) {
  CheckpointInfo info;
  std::uint64_t version = 0;
  std::vector<FieldShape> fields;
  std::vector<float> g;
  {
    auto const file = open("3.h5");
    info = file.info();
    version = file.format_version();
    fields = file.fields();
    g = values<float>(file, "/server/G/head");
  }
  for (auto& v : g) v *= 1.01f;
  hid_t const h5 = H5Fopen((s / "3.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t const set = H5Dopen2(h5, "/server/G/head", H5P_DEFAULT);
  EXPECT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, g.data()), 0);
  H5Dclose(set);
  H5Fclose(h5);
  seal_again(s / "3.h5", version, info, fields);
  ASSERT_TRUE(ended(s.ckpt({"verify", "3.h5"}), 0));
  EXPECT_TRUE(ended(s.train({"-r", "3.h5", "-d", "run", "-c"}), 65, {"layer head: G differs from the mean of G_j"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65, {"/server/G/head differs from the mean of G_j", "no run could go on"}));
  EXPECT_FALSE(s.has("new.h5"));
}

}  // namespace
}  // namespace kaon::test
