// The format's promise: every version since the first is read, whole and with the values that were written; what is newer,
// foreign or for another run is refused. The golden lists beside the fixtures were made with h5py and libxxhash, without Kaon.
#include "fixtures.hpp"

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
  std::vector<std::string> lines;
  for (auto const& f : file.fields()) {
    auto const data = file.read(f);
    lines.push_back(
        fmt::format("{} {} {} {:016x}\n", f.path, h5::name_of(f.type), f.shape_text(), xxh3(data.data(), data.size())));
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
    put_fixture(s, gpt_fixture, "gpt.h5");
    put_fixture(s, squares_fixture, "squares.h5");
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

TEST_F(Fixture, ARunGoesOnFromIt) {
  EXPECT_TRUE(ended(s.train({"-r", "gpt.h5", "-d", "run", "run.steps=8"}), 0,
                    {"restarted from gpt.h5: step 5 of 8, mean G_j = G within", "finished at step 8"}));
  EXPECT_TRUE(ended(s.ckpt({"verify", "run/checkpoints/latest"}), 0, {"52 datasets", "step 8"}));
  EXPECT_TRUE(ended(s.train({"-r", "squares.h5", "-d", "run2", "run.steps=7"}, 2), 0, {"step 4 of 7", "finished at step 7"}));
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
