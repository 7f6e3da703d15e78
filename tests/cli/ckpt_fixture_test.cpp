// The format's promise: every version since the first is read, whole and with the values that were written; what is newer,
// foreign or for another run is refused. The golden lists beside the fixtures were made with h5py and libxxhash, without Kaon.
#include "damage.hpp"
#include "fixtures.hpp"

#include <kaon/checkpoint/rules.hpp>

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace kaon::test {
namespace {

namespace fs = std::filesystem;

std::string slurp(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string described(CheckpointFile const& file) {
  auto const& i = file.info();
  std::string text = fmt::format("step {}\nworkers {}\nseed {}\nprecision {}\ndeck {:016x}\n", i.step, i.workers, i.seed,
                                 i.precision, xxh3(i.deck.data(), i.deck.size()));
  if (!file.has_older_paths()) text += fmt::format("method {}\nproblem {}\n", i.method, i.problem);
  std::vector<std::string> lines;
  for (auto const& f : file.fields()) {
    auto const data = file.read(f);
    lines.push_back(fmt::format("{} {} {} {:016x}{}{}\n", f.path, h5::name_of(f.type), f.shape_text(),
                                xxh3(data.data(), data.size()), f.rule.empty() ? "" : " " + f.rule,
                                f.of.empty() ? "" : " " + f.of));
  }
  std::sort(lines.begin(), lines.end());
  for (auto const& line : lines) text += line;
  return text;
}

TEST(CkptFixture, EveryVersionSinceTheFirstIsReadToTheBit) {
  for (std::uint64_t version = 1; version <= format::version; ++version) {
    int files = 0;
    for (auto const& entry : fs::directory_iterator(fmt::format("{}/version-{}", fixtures, version))) {
      if (entry.path().extension() != ".h5") continue;
      ++files;
      CheckpointFile const file(entry.path().string());
      EXPECT_EQ(file.format_version(), version);
      EXPECT_NO_THROW(file.verify());
      auto golden = entry.path();
      EXPECT_EQ(described(file), slurp(golden.replace_extension(".txt").string())) << entry.path();
    }
    EXPECT_GE(files, 3) << "version " << version;
  }
}

class Fixture : public ::testing::Test {
 protected:
  Fixture() {
    put_fixture(s, gpt_fixture(), "gpt.h5");
    put_fixture(s, squares_fixture(), "squares.h5");
  }
  void set_number(char const* attribute, std::uint64_t value) {
    hid_t const file = H5Fopen((s / "gpt.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t const a = H5Aopen(file, attribute, H5P_DEFAULT);
    EXPECT_GE(H5Awrite(a, H5T_NATIVE_UINT64, &value), 0);
    H5Aclose(a);
    H5Fclose(file);
  }
  /// kaon-ckpt and kaon-train refuse gpt.h5, and make nothing.
  void refused(std::vector<std::string> const& parts) {
    EXPECT_TRUE(ended(s.ckpt({"verify", "gpt.h5"}), 65, parts));
    EXPECT_TRUE(ended(s.train({"-r", "gpt.h5", "-d", "run"}), 65, parts));
    EXPECT_FALSE(s.has("run"));
  }
  Scratch s;
};

TEST_F(Fixture, ARunGoesOnFromEveryVersion) {
  for (std::uint64_t version = 1; version <= format::version; ++version) {
    auto const n = std::to_string(version), gpt = "gpt-" + n, squares = "squares-" + n;
    put_fixture(s, gpt_fixture(version), gpt + ".h5");
    EXPECT_TRUE(ended(s.train({"-r", gpt + ".h5", "-d", gpt, "run.steps=8"}), 0,
                      {"restarted from " + gpt + ".h5: step 5 of 8, mean G_j = G within", "finished at step 8"}));
    EXPECT_TRUE(
        ended(s.ckpt({"verify", gpt + "/checkpoints/latest"}), 0, {"50 datasets", "step 8, ef21-muon, format version 3"}));
    put_fixture(s, squares_fixture(version), squares + ".h5");
    EXPECT_TRUE(
        ended(s.train({"-r", squares + ".h5", "-d", squares, "run.steps=7"}, 2), 0, {"step 4 of 7", "finished at step 7"}));
  }
  // gpt-float.h5 of version 1 was written by another arithmetic than the others.
  for (auto const& [a, b] : {std::pair("gpt-2", "gpt-3"), {"squares-1", "squares-3"}, {"squares-2", "squares-3"}})
    EXPECT_TRUE(ended(s.ckpt({"diff", std::string(a) + "/checkpoints/latest", std::string(b) + "/checkpoints/latest"}), 0,
                      {"the same, bit for bit"}));
}

// The checkpoint at the start of a run from another's file has the state of that file, and says how its fields are resized as the
// table of older paths does.
TEST_F(Fixture, ARestartTakesEveryBitOfEveryVersion) {
  for (std::uint64_t version = 1; version <= format::version; ++version)
    for (bool const gpt : {true, false}) {
      std::string const from = fmt::format("{}-{}.h5", gpt ? "gpt" : "squares", version), run = "of-" + from,
                        made = run + "/checkpoints/latest";
      put_fixture(s, gpt ? gpt_fixture(version) : squares_fixture(version), from);
      ASSERT_TRUE(ended(s.train({"-r", from, "-d", run, gpt ? "run.steps=5" : "run.steps=4"}), 0));
      EXPECT_TRUE(ended(s.ckpt({"diff", from, made}), 0, {"the states are the same, bit for bit"}));
      EXPECT_TRUE(ended(s.ckpt({"diff", made, from}), 0, {"the states are the same, bit for bit"}));
      CheckpointFile const then(s / from), now(s / made);
      for (auto const& f : then.fields()) {
        auto const known =
            then.has_older_paths() ? older::as_now(f.path, "gpt") : older::Known{f.path, *rules::named(f.rule), f.of};
        auto const* const g = now.find(known.path);
        if (!g && known.path.starts_with("/ef21-muon/server/X/")) continue;  // W says it
        ASSERT_NE(g, nullptr) << known.path;
        EXPECT_EQ(g->rule, rules::name_of(known.resize)) << f.path;
        EXPECT_EQ(g->of, known.of) << f.path;
      }
    }
}

TEST_F(Fixture, AnOlderFileThatDiffersInOneBitDiffersFromTodays) {
  put_fixture(s, gpt_fixture(2), "old.h5");
  EXPECT_TRUE(ended(s.ckpt({"diff", "old.h5", "gpt.h5"}), 0, {"format version: 2 | 3", "the states are the same, bit for bit"}));
  damage(s / "old.h5", "/workers/M/head");
  EXPECT_TRUE(ended(s.ckpt({"diff", "old.h5", "gpt.h5"}), 1,
                    {"/workers/M/head: first at [0,0,1]", "old.h5 is damaged there", "1 differences"}));
  EXPECT_TRUE(ended(s.ckpt({"diff", "gpt.h5", "old.h5"}), 1, {"/ef21-muon/workers/M/head: first at [0,0,1]", "1 differences"}));
}

TEST_F(Fixture, ShowAndVerifySayVersionMethodAndProblem) {
  EXPECT_TRUE(ended(s.ckpt({"show", "gpt.h5"}), 0,
                    {"format     version 3", "method     ef21-muon", "problem    24c8a8d4da6fb884",
                     "the model has 768 parameters in 8 layers", "  weighted\n", "  mean-of\n"}));
  put_fixture(s, gpt_fixture(2), "2.h5");
  EXPECT_TRUE(ended(s.ckpt({"show", "2.h5"}), 0,
                    {"format     version 2", "method     ef21-muon", "problem    24c8a8d4da6fb884",
                     "the model has 768 parameters in 8 layers"}));
  put_fixture(s, squares_fixture(1), "1.h5");
  auto const o = s.ckpt({"show", "1.h5"});
  EXPECT_TRUE(ended(o, 0, {"format     version 1"}));
  EXPECT_EQ(o.out.find("problem  "), std::string::npos) << o.out;
  EXPECT_TRUE(ended(s.ckpt({"verify", "1.h5", "2.h5", "gpt.h5"}), 0,
                    {"ef21-muon, format version 1", "ef21-muon, format version 2", "ef21-muon, format version 3"}));
}

TEST_F(Fixture, WeightsOfEveryVersionStartARun) {
  s.write("init.deck", CheckpointFile(s / "gpt.h5").info().deck);
  for (std::uint64_t version = 1; version <= format::version; ++version) {
    auto const from = fmt::format("weights-{}.h5", version), run = fmt::format("init-{}", version);
    put_fixture(s, gpt_fixture(version), from);
    EXPECT_TRUE(ended(s.train({"-i", "init.deck", "-d", run, "optimizer.init=" + from, "run.steps=1"}), 0,
                      {"weights of " + from + ": step 5"}));
  }
}

TEST_F(Fixture, ANewerVersionIsRefusedWithBothVersionsAndTheCure) {
  set_number("format_version", format::version + 1);
  refused({fmt::format("format version {}", format::version + 1), fmt::format("reads versions up to {}", format::version),
           "use a newer Kaon"});
}

TEST_F(Fixture, AVersionThatNeverWasIsDamage) {
  set_number("format_version", 0);
  refused({"format version 0", "the first one is 1", "damaged"});
}

TEST_F(Fixture, AnotherMagicIsRefused) {
  hid_t const file = H5Fopen((s / "gpt.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t const a = H5Aopen(file, "format", H5P_DEFAULT);
  hid_t const type = H5Aget_type(a);
  EXPECT_GE(H5Awrite(a, type, "noak-checkpoint"), 0);
  H5Tclose(type);
  H5Aclose(a);
  H5Fclose(file);
  refused({"gpt.h5 is not a Kaon checkpoint"});
}

TEST_F(Fixture, AnotherPrecisionIsRefusedWithBoth) {
  EXPECT_TRUE(
      ended(s.train({"-r", "gpt.h5", "-d", "run", "run.precision=double"}), 65, {"run.precision", "'double'", "'float'"}));
  EXPECT_TRUE(ended(s.train({"-r", "squares.h5", "-d", "run", "run.precision=float"}), 65, {"run.precision", "'double'"}));
  EXPECT_FALSE(s.has("run"));
}

}  // namespace
}  // namespace kaon::test
