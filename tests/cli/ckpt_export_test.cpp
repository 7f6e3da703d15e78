// kaon-ckpt export: chosen datasets under their own names; and where the files of extract may lie. What numpy makes of them
// stands in python/.
#include "damage.hpp"
#include "fixtures.hpp"

namespace kaon::test {
namespace {

class Export : public ::testing::Test {
 protected:
  Export() { put_fixture(s, gpt_fixture(), "a.h5"); }
  Outcome exported(std::string const& out, Words const& patterns = {}) {
    Words words{"export", "a.h5", "-o", out};
    for (auto const& p : patterns) words.insert(words.end(), {"--what", p});
    return s.ckpt(words);
  }
  Scratch s;
};

TEST_F(Export, TheModelByDefault) {
  EXPECT_TRUE(ended(exported("w.npz"), 0, {"w.npz: 8 datasets at step 5, 3.0 KiB"}));
  auto const zip = s.read("w.npz");
  EXPECT_EQ(zip.rfind("PK\x03\x04", 0), 0u);
  EXPECT_NE(zip.find("model/W/h0.mlp.up.npy"), std::string::npos);
  EXPECT_EQ(zip.find("ef21-muon/server/X/"), std::string::npos);
  ASSERT_TRUE(ended(exported("again.npz"), 0));
  EXPECT_EQ(s.read("again.npz"), zip) << "the same bytes for the same state";
}

TEST_F(Export, TheModelOfAnOlderFileLiesWhereItLay) {
  std::filesystem::copy_file(gpt_fixture(1), s / "a.h5", std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(ended(exported("w.npz"), 0, {"w.npz: 8 datasets at step 5, 3.0 KiB"}));
  EXPECT_NE(s.read("w.npz").find("server/W/h0.mlp.up.npy"), std::string::npos);
  EXPECT_TRUE(ended(exported("v.npz", {"/model/W/*"}), 65, {"as /server/W/<layer>"}));
  std::filesystem::copy_file(gpt_fixture(), s / "b.h5");
  ASSERT_TRUE(ended(s.ckpt({"extract", "a.h5", "-o", "a"}), 0, {"W of 8 layers"}));
  ASSERT_TRUE(ended(s.ckpt({"extract", "b.h5", "-o", "b"}), 0, {"W of 8 layers"}));
}

TEST_F(Export, TheBytesOfTheStateStandInIt) {
  ASSERT_TRUE(ended(exported("g.npz", {"/ef21-muon/workers/G/head", "/data/*"}), 0, {"3 datasets"}));
  CheckpointFile const file(s / "a.h5");
  auto const data = file.read(*file.find("/ef21-muon/workers/G/head"));
  EXPECT_NE(s.read("g.npz").find(std::string(data.begin(), data.end())), std::string::npos);
}

TEST_F(Export, AnHdf5FileHasTheSameNames) {
  ASSERT_TRUE(ended(exported("x.h5", {"/ef21-muon/server/[XG]/*", "/counters/rounds"}), 0, {"17 datasets"}));
  hid_t const h5 = H5Fopen((s / "x.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t const set = H5Dopen2(h5, "/ef21-muon/server/X/h0.attn.q", H5P_DEFAULT);
  std::vector<float> got(64);
  EXPECT_GE(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, got.data()), 0);
  H5Dclose(set);
  H5Fclose(h5);
  EXPECT_EQ(got, values<float>(CheckpointFile(s / "a.h5"), "/ef21-muon/server/X/h0.attn.q"));
  EXPECT_TRUE(ended(s.ckpt({"show", "x.h5"}), 65, {"not a Kaon checkpoint"})) << "no one shall restart from it";
}

TEST_F(Export, APatternThatMatchesNothingIsAMistake) {
  EXPECT_TRUE(ended(exported("w.npz", {"/model/W/*", "/server/V/*"}), 65, {"'/server/V/*'", "kaon-ckpt show"}));
  EXPECT_FALSE(s.has("w.npz"));
}

TEST_F(Export, DamageAndFoldersThatAreNotThereAreRefused) {
  EXPECT_TRUE(ended(exported("no/w.npz"), 74, {"no/w.npz"}));
  EXPECT_TRUE(ended(exported("no/w.h5"), 74, {"no/w.h5"}));
  damage(s / "a.h5", "/model/W/head");
  EXPECT_TRUE(ended(exported("w.npz"), 65, {"/model/W/head"}));
  EXPECT_FALSE(s.has("w.npz"));
}

/// a.h5 with the layer `head` under another name, sealed as if Kaon had written it.
void rename_head(std::string const& path, std::string const& name) {
  std::uint64_t version = 0;
  CheckpointInfo info;
  std::vector<FieldShape> fields;
  {
    CheckpointFile const file(path);
    version = file.format_version(), info = file.info(), fields = file.fields();
  }
  std::string const from = "/model/W/head", to = "/model/W/" + name;
  for (auto& f : fields)
    if (f.path == from) f.path = to;
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), make = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(make, 1);
  ASSERT_GE(H5Lmove(file, from.c_str(), file, to.c_str(), make, H5P_DEFAULT), 0) << to;
  H5Pclose(make);
  H5Fclose(file);
  seal_again(path, version, info, fields);
}

// To HDF5 ".." is a name like any other; to a file system it is not.
TEST_F(Export, NoNameOfALayerLeadsOutOfTheFolder) {
  for (char const* name : {"../out", "../../../out", "a/../../out", "..", "..\\out"}) {
    Scratch t;
    put_fixture(t, gpt_fixture(), "a.h5");
    std::filesystem::create_directories(t / "deep/er");
    rename_head(t / "a.h5", name);
    auto const before = t.snapshot(".");
    EXPECT_TRUE(ended(t.ckpt({"verify", "a.h5"}), 0)) << name;
    EXPECT_TRUE(ended(t.ckpt({"extract", "a.h5", "-o", "deep/er/w", "--npy"}), 65, {name, "leads out of the folder deep/er/w"}));
    EXPECT_TRUE(ended(t.ckpt({"export", "a.h5", "-o", "w.npz"}), 65, {name, "leads out of the folder that w.npz"}));
    EXPECT_EQ(t.snapshot("."), before) << name;
    EXPECT_TRUE(ended(t.ckpt({"export", "a.h5", "-o", "w.h5"}), 0, {"8 datasets"})) << name;
  }
  for (char const* name : {"a/b", "a/b/c", "...", "~", "-o", "a b", "x..", "..x"}) {
    Scratch t;
    put_fixture(t, gpt_fixture(), "a.h5");
    rename_head(t / "a.h5", name);
    auto const before = t.snapshot(".");
    EXPECT_TRUE(ended(t.ckpt({"extract", "a.h5", "-o", "w", "--npy"}), 0, {"W of 8 layers"}));
    EXPECT_TRUE(t.has(std::string("w/") + name + ".npy")) << name;
    std::filesystem::remove_all(t / "w");
    EXPECT_EQ(t.snapshot("."), before) << name;
  }
}

}  // namespace
}  // namespace kaon::test
