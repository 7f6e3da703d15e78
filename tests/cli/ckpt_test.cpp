// kaon-ckpt: usage, show, verify, diff, extract, and their exit codes.
#include "damage.hpp"
#include "program.hpp"

#include <filesystem>

namespace kaon::test {
namespace {

class Ckpt : public ::testing::Test {
 protected:
  Ckpt() { put_gpt(s); }
  void train(std::string const& folder, Words more = {}) {
    more.insert(more.begin(), {"-i", "gpt.deck", "-d", folder, "run.steps=2"});
    ASSERT_TRUE(ended(s.train(more), 0));
  }
  Scratch s;
  std::string const file = "a/checkpoints/step-00000002.h5";
};

struct Wrong {
  char const* name;
  Words arguments;
  std::vector<std::string> parts;
};
void PrintTo(Wrong const& w, std::ostream* out) { *out << w.name; }
class CkptUsage : public ::testing::TestWithParam<Wrong> {};

TEST_P(CkptUsage, Exits64AndNamesTheCause) {
  Scratch const s;
  EXPECT_TRUE(ended(s.ckpt(GetParam().arguments), 64, GetParam().parts));
}

Wrong const wrongs[] = {
    {"NoCommand", {}, {"show, verify, diff, export, extract, resize and prune"}},
    {"UnknownCommand", {"shwo", "x.h5"}, {"shwo", "show"}},
    {"UnknownOption", {"show", "x.h5", "--deep"}, {"--deep", "--help"}},
    {"ShowTwo", {"show", "x.h5", "y.h5"}, {"show takes one file"}},
    {"VerifyNone", {"verify"}, {"verify takes at least one file"}},
    {"DiffOne", {"diff", "x.h5"}, {"diff takes two files"}},
    {"DiffThree", {"diff", "x.h5", "y.h5", "z.h5"}, {"diff takes two files"}},
    {"ExtractWithoutOutput", {"extract", "x.h5"}, {"-o OUT"}},
    {"OutputOfShow", {"show", "x.h5", "-o", "y"}, {"show has no option --output"}},
    {"KeepOfDiff", {"diff", "x.h5", "y.h5", "--keep", "2"}, {"diff has no option --keep"}},
    {"NpyOfExport", {"export", "x.h5", "-o", "y.npz", "--npy"}, {"export has no option --npy"}},
    {"ExportWithoutOutput", {"export", "x.h5"}, {"-o OUT"}},
    {"ExportToAnotherFormat", {"export", "x.h5", "-o", "w.csv"}, {"w.csv", ".npz or .h5"}},
    {"ResizeWithoutWorkers", {"resize", "x.h5", "-o", "y.h5"}, {"-w N and -o OUT"}},
    {"ResizeToNoWorker", {"resize", "x.h5", "-w", "0", "-o", "y.h5"}, {"-w 0", "at least 1 worker"}},
    {"ResizeToHalfAWorker", {"resize", "x.h5", "-w", "1.5", "-o", "y.h5"}, {"1.5", "--help"}},
    {"ResizeToTooMany", {"resize", "x.h5", "-w", "3000000000", "-o", "y.h5"}, {"at most 2147483647"}},
    {"PruneWithoutKeep", {"prune", "x"}, {"--keep N"}},
    {"PruneAll", {"prune", "x", "--keep", "0"}, {"--keep 0", "at least 1"}},
    {"PruneEveryNegative", {"prune", "x", "--keep", "1", "--every=-2"}, {"--every -2"}},
};
INSTANTIATE_TEST_SUITE_P(Ckpt, CkptUsage, ::testing::ValuesIn(wrongs), [](auto const& p) { return p.param.name; });

TEST_F(Ckpt, HelpAndVersion) {
  EXPECT_TRUE(ended(
      s.ckpt({"--help"}), 0,
      {"show FILE", "verify FILE", "diff A B", "export FILE", "extract FILE", "resize FILE", "prune FOLDER", "64", "65", "74"}));
  EXPECT_TRUE(ended(s.ckpt({"--version"}), 0, {"kaon-ckpt"}));
}

TEST_F(Ckpt, MissingAndForeignFilesAreBadInput) {
  for (char const* command : {"show", "verify"}) {
    EXPECT_TRUE(ended(s.ckpt({command, "none.h5"}), 65, {"none.h5", "No such file"}));
    EXPECT_TRUE(ended(s.ckpt({command, "text.txt"}), 65, {"text.txt"}));
  }
  put_least_squares(s);
  EXPECT_TRUE(ended(s.ckpt({"show", "problem.h5"}), 65, {"problem.h5", "not a Kaon checkpoint"}));
  EXPECT_TRUE(ended(s.ckpt({"diff", "none.h5", "problem.h5"}), 65, {"none.h5"}));
  EXPECT_TRUE(ended(s.ckpt({"extract", "none.h5", "-o", "w.h5"}), 65, {"none.h5"}));
  EXPECT_FALSE(s.has("w.h5"));
}

TEST_F(Ckpt, ShowNamesStepDeckProvenanceAndDatasets) {
  train("a");
  EXPECT_TRUE(
      ended(s.ckpt({"show", file}), 0,
            {"step       2", "workers    2", "precision  float32", "format     version 3", "method     ef21-muon", "problem    ",
             "/model/W: 8 datasets, 11264 elements, 44.0 KiB", "/ef21-muon/workers/G: 6 datasets, 6144 elements, 24.0 KiB",
             "float32  2×256×16  32.0 KiB  weighted", "/data: 2 datasets", "cursor", "/counters: 4 datasets", "tokens",
             "fingerprint", "ranks: 1", "uplink = top:0.2", "34 datasets", "the model has 11264 parameters in 8 layers"}));
}

TEST_F(Ckpt, VerifySaysSoundAndGoesThroughAllFiles) {
  train("a");
  EXPECT_TRUE(ended(s.ckpt({"verify", file, "a/checkpoints/latest"}), 0,
                    {file + ": sound", "latest: sound", "step 2, ef21-muon, format version 3"}));
  auto const o = s.ckpt({"verify", "none.h5", file});
  EXPECT_TRUE(ended(o, 65, {"none.h5"}));
  EXPECT_NE(o.out.find(file + ": sound"), std::string::npos) << o.all();
}

TEST_F(Ckpt, VerifyNamesTheDatasetOfAFlippedBit) {
  train("a");
  for (char const* dataset : {"/ef21-muon/workers/M/embed", "/model/W/h0.mlp.up", "/ef21-muon/workers/M/head",
                              "/ef21-muon/workers/M/h0.attn.o", "/data/cursor", "/counters/bytes_up"}) {
    std::filesystem::copy_file(s / file, s / "copy.h5", std::filesystem::copy_options::overwrite_existing);
    damage(s / "copy.h5", dataset);
    EXPECT_TRUE(ended(s.ckpt({"verify", "copy.h5"}), 65, {std::string("dataset ") + dataset + " of copy.h5", "hash"}));
  }
  damage(s / file, "/deck");
  EXPECT_TRUE(ended(s.ckpt({"verify", file}), 65, {file, "damaged"}));
}

TEST_F(Ckpt, DiffOfTheSameRunIsEqual) {
  train("a");
  train("b");
  EXPECT_TRUE(ended(s.ckpt({"diff", file, "b/checkpoints/latest"}), 0, {"the states are the same, bit for bit"}));
}

TEST_F(Ckpt, DiffCountsAndPlacesWhatDiffers) {
  train("a");
  train("b", {"run.seed=2"});
  EXPECT_TRUE(ended(s.ckpt({"diff", file, "b/checkpoints/latest"}), 1,
                    {"seed: 1 | 2", "/model/W/embed: first at [0,0]", "bytes differ", "differences"}));
  std::filesystem::copy_file(s / file, s / "copy.h5");
  damage(s / "copy.h5", "/model/W/head");
  EXPECT_TRUE(ended(s.ckpt({"diff", file, "copy.h5"}), 1,
                    {"/model/W/head: first at [0,1]", "1 of 16384 bytes differ, in 1 of 4096 elements, by ",
                     "copy.h5 is damaged there", "1 differences"}));
  EXPECT_EQ(s.ckpt({"diff", file, "copy.h5"}).out.find(file + " is damaged"), std::string::npos);
}

TEST_F(Ckpt, DiffNamesDatasetsThatOnlyOneHas) {
  train("a");
  train("b", {"gpt.tied=yes"});
  EXPECT_TRUE(ended(s.ckpt({"diff", file, "b/checkpoints/latest"}), 1, {"/model/W/head: only in " + file}));
}

TEST_F(Ckpt, ExtractWritesOneFileOrAFolderOfNpy) {
  train("a");
  ASSERT_TRUE(ended(s.ckpt({"extract", file, "-o", "w.h5"}), 0, {"W of 8 layers at step 2"}));
  hid_t const h5 = H5Fopen((s / "w.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t const set = H5Dopen2(h5, "/W/h0.mlp.up", H5P_DEFAULT);
  EXPECT_EQ(H5Dget_storage_size(set), 64u * 16u * sizeof(float));
  H5Dclose(set);
  H5Fclose(h5);
  ASSERT_TRUE(ended(s.ckpt({"extract", file, "-o", "w", "--npy"}), 0));
  auto const npy = s.read("w/h0.mlp.up.npy");
  EXPECT_EQ(npy.rfind("\x93NUMPY", 0), 0u);
  EXPECT_NE(npy.find("'shape': (64, 16)"), std::string::npos);
  ASSERT_EQ(npy.size() % 64, 0u);
  auto const whole = s.read(file);
  auto const at = static_cast<std::size_t>(offset_of(s / file, "/model/W/h0.mlp.up"));
  EXPECT_EQ(npy.substr(npy.size() - 4096), whole.substr(at, 4096));
}

TEST_F(Ckpt, ExtractRefusesADamagedFileAndAnOutputThatCannotBe) {
  train("a");
  EXPECT_TRUE(ended(s.ckpt({"extract", file, "-o", "text.txt/w.h5"}), 74, {"text.txt/w.h5"}));
  EXPECT_TRUE(ended(s.ckpt({"extract", file, "-o", "text.txt/w", "--npy"}), 74, {"text.txt/w"}));
  damage(s / file, "/model/W/head");
  EXPECT_TRUE(ended(s.ckpt({"extract", file, "-o", "w.h5"}), 65, {"/model/W/head"}));
  EXPECT_FALSE(s.has("w.h5"));
}

}  // namespace
}  // namespace kaon::test
