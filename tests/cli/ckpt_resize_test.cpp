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
  Resize() { put_fixture(s, gpt_fixture(), "3.h5"); }
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
      for (auto const* folder : {"/ef21-muon/workers/G/", "/ef21-muon/workers/M/"})
        EXPECT_LE(mean_moved(a, b, folder + layer), std::numeric_limits<float>::epsilon()) << layer << ' ' << from << ' ' << to;
      for (auto const* folder : {"/ef21-muon/server/X/", "/model/W/"}) same(a, b, folder + layer);
      // One rounding of the mean itself.
      EXPECT_LE(remap::distance_from_mean(values<float>(b, "/ef21-muon/server/G/" + layer),
                                          values<float>(b, "/ef21-muon/workers/G/" + layer), static_cast<std::uint64_t>(to)),
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
    if (f.path.rfind("/ef21-muon/server/G/", 0) != 0 && f.path != "/data/cursor") {
      EXPECT_EQ(a.read(f), c.read(*c.find(f.path))) << f.path;
    }
  for (auto const& layer : layers_of(a)) same(b, c, "/ef21-muon/server/G/" + layer);
  auto const x = values<float>(a, "/ef21-muon/workers/M/head"), y = values<float>(b, "/ef21-muon/workers/M/head");
  std::size_t const size = x.size() / 3;
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_TRUE(std::equal(&x[i / 2 * size], &x[i / 2 * size] + size, &y[i * size])) << "worker " << i;
}

TEST_F(Resize, WarmStartsAreCopiedAndEveryWorkerBeginsANewEpoch) {
  ASSERT_TRUE(ended(resize("3.h5", 2, "2.h5"), 0));
  auto const a = open("3.h5"), b = open("2.h5");
  auto const x = values<float>(a, "/ef21-muon/compressor/up/h0.attn.q"),
             y = values<float>(b, "/ef21-muon/compressor/up/h0.attn.q");
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
        "/ef21-muon/workers/G, /ef21-muon/workers/M: ",
        "/ef21-muon/server/G: the mean of the new /ef21-muon/workers/G; in 3.h5 it was off by",
        "/ef21-muon/compressor/up: ", "0<-0 1<-2", "/data/cursor: ", "/model/W, /ef21-muon/server/X",
        "optimizer.workers = 2 instead of 3", "2 x 2 sequences instead of 3 x 2", "kaon-train -r 2.h5 -d FOLDER"})
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

// State of a method that this file's program knows by the attributes alone: the mean of M_j is kept, Q as it was.
TEST_F(Resize, KeepsTheMeanMomentumOfDion) {
  put_gpt(s);
  ASSERT_TRUE(
      ended(s.train({"-i", "gpt.deck", "-d", "dion", "run.steps=4", "group.hidden.method=dion", "optimizer.workers=2"}), 0));
  std::string const from = "dion/checkpoints/step-00000004.h5";
  ASSERT_TRUE(ended(resize(from, 3, "3-of-dion.h5"), 0));
  auto const a = open(from), b = open("3-of-dion.h5");
  int seen = 0;
  for (auto const& f : a.fields()) {
    if (f.path.rfind("/dion/workers/M/", 0) == 0) {
      EXPECT_LE(mean_moved(a, b, f.path), std::numeric_limits<float>::epsilon()) << f.path;
      ++seen;
    }
    if (f.path.rfind("/dion/server/Q/", 0) == 0) same(a, b, f.path);
  }
  EXPECT_GT(seen, 0);
  EXPECT_TRUE(ended(s.train({"-r", "3-of-dion.h5", "-d", "more", "run.steps=8"}, 2), 0, {"3 workers", "finished at step 8"}));
}

TEST_F(Resize, TheOldDeckDoesNotTakeIt) {
  ASSERT_TRUE(ended(resize("3.h5", 2, "2.h5"), 0));
  s.write("old.deck", open("3.h5").info().deck);
  EXPECT_TRUE(ended(s.train({"-i", "old.deck", "-r", "2.h5", "-d", "run"}), 65, {"optimizer.workers: '3'", "'2'"}));
}

TEST_F(Resize, RefusesAndLeavesNothing) {
  s.write("there.h5", "something");
  put_fixture(s, squares_fixture(), "squares.h5");
  auto const before = s.snapshot();
  EXPECT_TRUE(ended(resize("3.h5", 3, "new.h5"), 64, {"nothing to do", "3 workers already"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "there.h5"), 64, {"there.h5 exists"}));
  EXPECT_TRUE(ended(resize("none.h5", 2, "new.h5"), 65, {"none.h5"}));
  EXPECT_TRUE(ended(resize("squares.h5", 2, "new.h5"), 65, {"problem.h5 fixes the number of workers"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "no/such/folder/new.h5"), 74, {"no/such/folder"}));
  EXPECT_EQ(s.snapshot(), before);
  damage(s / "3.h5", "/ef21-muon/workers/M/head");
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65, {"/ef21-muon/workers/M/head"}));
  EXPECT_FALSE(s.has("new.h5"));
  EXPECT_FALSE(s.has("new.h5.part"));
}

/// A file of the name's as another objective could have written it: `change` is given the file and its fields.
class Changed : public Resize {
 protected:
  template <class F>
  void change(std::string const& name, F&& how) {
    CheckpointInfo info;
    std::uint64_t version = 0;
    std::vector<FieldShape> fields;
    {
      auto const file = open(name);
      info = file.info();
      version = file.format_version();
      fields = file.fields();
    }
    hid_t const h5 = H5Fopen((s / name).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    for (auto& f : fields) how(h5, f);
    H5Fclose(h5);
    seal_again(s / name, version, info, fields);
    ASSERT_TRUE(ended(s.ckpt({"verify", name}), 0));
  }
  static void move(hid_t h5, FieldShape& f, std::string const& to) {
    EXPECT_GE(H5Lmove(h5, f.path.c_str(), h5, to.c_str(), H5P_DEFAULT, H5P_DEFAULT), 0);
    f.path = to;
  }
  static void set_rule(hid_t h5, FieldShape& f, std::string const& rule) {
    hid_t const set = H5Dopen2(h5, f.path.c_str(), H5P_DEFAULT);
    EXPECT_GE(H5Adelete(set, "resize"), 0);
    h5::write_text(set, "resize", rule, f.path);
    H5Dclose(set);
    f.rule = rule;
  }
};

// Files before version 3 say nothing of it, and no tool can guess.
TEST_F(Changed, RefusesStateThatItDoesNotKnow) {
  std::filesystem::copy_file(gpt_fixture(1), s / "3.h5", std::filesystem::copy_options::overwrite_existing);
  change("3.h5", [](hid_t h5, FieldShape& f) {
    if (f.path == "/counters/rounds") move(h5, f, "/data/memory");
  });
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65, {"dataset /data/memory of 3.h5 (uint64 1)", "only the objective"}));
  EXPECT_FALSE(s.has("new.h5"));
}

TEST_F(Changed, ResizesWhatSaysHowWhateverItIs) {
  change("3.h5", [](hid_t h5, FieldShape& f) {
    if (f.path == "/counters/rounds") move(h5, f, "/data/memory");
    if (f.path == "/ef21-muon/workers/M/embed") move(h5, f, "/counters/theta");
    if (f.path == "/data/cursor") set_rule(h5, f, "copied");
  });
  ASSERT_TRUE(ended(resize("3.h5", 6, "6.h5"), 0, {"6 workers"}));
  auto const a = open("3.h5"), b = open("6.h5");
  EXPECT_EQ(values<std::uint64_t>(a, "/data/memory"), values<std::uint64_t>(b, "/data/memory"));
  EXPECT_EQ(values<float>(b, "/counters/theta").size(), 2 * values<float>(a, "/counters/theta").size());
  auto const before = values<std::int64_t>(a, "/data/cursor"), now = values<std::int64_t>(b, "/data/cursor");
  ASSERT_EQ(now.size(), 18u);
  EXPECT_TRUE(std::equal(&before[0], &before[3], &now[3])) << "worker 1 of 6 copies worker 0 of 3";
  for (auto const& f : a.fields()) {
    EXPECT_EQ(b.find(f.path)->rule, f.rule) << f.path;
    EXPECT_EQ(b.find(f.path)->of, f.of) << f.path;
  }
}

TEST_F(Changed, RefusesByNameWhatSaysThatNobodyKnowsOrWhatCannotBe) {
  auto const refused = [&](std::string const& path, std::string const& rule) {
    std::filesystem::copy_file(gpt_fixture(), s / "3.h5", std::filesystem::copy_options::overwrite_existing);
    change("3.h5", [&](hid_t h5, FieldShape& f) {
      if (f.path == path) set_rule(h5, f, rule);
    });
    auto const o = resize("3.h5", 2, "new.h5");
    EXPECT_EQ(o.code, 65) << o.all();
    EXPECT_FALSE(s.has("new.h5"));
    return o.err;
  };
  auto const says = [](std::string const& text, std::string const& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  std::string const rounds = "/counters/rounds", named = "dataset /counters/rounds of 3.h5 (uint64 1) ";
  says(refused(rounds, "refused"), named + "is no state that kaon-ckpt knows");
  says(refused(rounds, "shared-out"), named + "changes with the number of workers by the rule 'shared-out'");
  says(refused(rounds, "weighted"), named + "is weighted, but its leading index is not the worker");
  says(refused(rounds, "mean-of"), named + "is mean-of, but does not hold floating-point numbers");
}

// The rules of the table of older paths are those that fields say today.
TEST_F(Resize, OfAnOlderFileIsTheSameAsOfTodays) {
  std::filesystem::copy_file(gpt_fixture(2), s / "old.h5");
  ASSERT_TRUE(ended(resize("3.h5", 2, "2.h5"), 0));
  ASSERT_TRUE(ended(resize("old.h5", 2, "old-2.h5"), 0));
  EXPECT_TRUE(ended(s.ckpt({"diff", "2.h5", "old-2.h5"}), 0, {"the states are the same, bit for bit"}));
  auto const a = open("2.h5"), b = open("old-2.h5");
  EXPECT_EQ(b.format_version(), format::version);
  EXPECT_EQ(b.info().method, "ef21-muon");
  for (auto const& f : a.fields()) {
    auto const* const g = b.find(f.path);
    ASSERT_NE(g, nullptr) << f.path;
    EXPECT_EQ(g->rule, f.rule) << f.path;
    EXPECT_EQ(g->of, f.of) << f.path;
  }
  ASSERT_TRUE(ended(s.train({"-r", "old-2.h5", "-d", "run", "run.steps=6"}), 0, {"step 5 of 6", "finished at step 6"}));
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
    g = values<float>(file, "/ef21-muon/server/G/head");
  }
  for (auto& v : g) v *= 1.01f;
  hid_t const h5 = H5Fopen((s / "3.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t const set = H5Dopen2(h5, "/ef21-muon/server/G/head", H5P_DEFAULT);
  EXPECT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, g.data()), 0);
  H5Dclose(set);
  H5Fclose(h5);
  seal_again(s / "3.h5", version, info, fields);
  ASSERT_TRUE(ended(s.ckpt({"verify", "3.h5"}), 0));
  EXPECT_TRUE(ended(s.train({"-r", "3.h5", "-d", "run", "-c"}), 65, {"layer head: G differs from the mean of G_j"}));
  EXPECT_TRUE(ended(resize("3.h5", 2, "new.h5"), 65,
                    {"/ef21-muon/server/G/head differs from the mean of /ef21-muon/workers/G/head by", "no run could go on"}));
  EXPECT_FALSE(s.has("new.h5"));
}

}  // namespace
}  // namespace kaon::test
