// Checkpoints and extracted models in the hands of h5py and numpy.
#include "program.hpp"

namespace kaon::test {
namespace {

class Python : public ::testing::Test {
 protected:
  void SetUp() override {
    put_gpt(s);
    ASSERT_TRUE(ended(s.train({"-i", "gpt.deck", "run.steps=2"}), 0));
  }
  Outcome python(std::string const& code) { return run({KAON_PYTHON, "-c", code}, s.path()); }
  Scratch s;
};

TEST_F(Python, H5pyReadsACheckpointInThreeLines) {
  auto const o = python(
      "import h5py\n"
      "f = h5py.File('run/checkpoints/latest')\n"
      "print(f.attrs['step'], f['model/W/h0.mlp.up'][:].shape, f['ef21-muon/workers/M/head'].dtype, "
      "f['deck'][()].decode()[:9])\n");
  EXPECT_TRUE(ended(o, 0, {"2 (64, 16) float32 # Every k"}));
}

TEST_F(Python, TheMeanOfTheWorkersEstimatesIsTheServers) {
  auto const o = python(
      "import h5py, numpy\n"
      "f = h5py.File('run/checkpoints/latest')\n"
      "names = list(f['ef21-muon/server/G'])\n"
      "worst = max(abs(f['ef21-muon/workers/G'][n][:].mean(0) - f['ef21-muon/server/G'][n][:]).max() / "
      "abs(f['ef21-muon/workers/G'][n][:]).max() for n in "
      "names)\n"
      "print(len(names), 'layers, mean G_j = G within', worst, 'good' if worst < 1e-5 else 'bad')\n");
  EXPECT_TRUE(ended(o, 0, {"6 layers", "good"}));
  std::printf("%s", o.out.c_str());
}

TEST_F(Python, NumpyReadsAnExtractedModelToTheBit) {
  ASSERT_TRUE(ended(s.ckpt({"extract", "run/checkpoints/latest", "-o", "w", "--npy"}), 0));
  ASSERT_TRUE(ended(s.ckpt({"extract", "run/checkpoints/latest", "-o", "w.h5"}), 0));
  auto const o = python(
      "import h5py, numpy\n"
      "f, g = h5py.File('run/checkpoints/latest'), h5py.File('w.h5')\n"
      "same = [numpy.load('w/' + n + '.npy').tobytes() == f['model/W'][n][:].tobytes() == g['W'][n][:].tobytes()\n"
      "        for n in f['model/W']]\n"
      "print(len(same), all(same))\n");
  EXPECT_TRUE(ended(o, 0, {"8 True"}));
}

}  // namespace
}  // namespace kaon::test
