// docs/checkpoint-format.md at its word: its programs are run as they stand there, on files of this program and on those of every
// version since the first. verify.py was written from the page alone, and knows nothing of Kaon.
#include "../damage.hpp"
#include "../fixtures.hpp"

#include <kaon/objective/least_squares_problem.hpp>

#include <fstream>
#include <sstream>

namespace kaon::test {
namespace {

/// The code block of the page that begins with "# <name>".
std::string program(std::string const& name) {
  std::ifstream in(KAON_DOCS "/checkpoint-format.md");
  std::ostringstream all;
  all << in.rdbuf();
  auto const text = all.str(), head = "```python\n# " + name + "\n";
  auto const begin = text.find(head);
  if (begin == std::string::npos) return ADD_FAILURE() << name << " is not in the page", std::string();
  auto const from = begin + 10;
  return text.substr(from, text.find("```", from) - from);
}

class Format : public ::testing::Test {
 protected:
  Format() {
    s.write("verify.py", program("verify.py"));
    s.write("read.py", program("read.py") + "print(len(W), sorted(W)[0], W['head'].shape, W['head'].dtype)\n");
  }
  Outcome python(Words words) {
    words.insert(words.begin(), KAON_PYTHON);
    return run(words, s.path());
  }
  Scratch s;
};

TEST_F(Format, ThreeLinesReadTheModel) {
  put_gpt(s);
  ASSERT_TRUE(ended(s.train({"-i", "gpt.deck", "-d", "kaon-run", "run.steps=2"}), 0));
  EXPECT_TRUE(ended(python({"read.py"}), 0, {"8 embed (256, 16) float32"}));
}

TEST_F(Format, ThePageAloneVerifiesEveryVersion) {
  for (std::uint64_t version = 1; version <= format::version; ++version)
    for (auto const& entry : std::filesystem::directory_iterator(fixtures + "/version-" + std::to_string(version))) {
      if (entry.path().extension() != ".h5") continue;
      EXPECT_TRUE(ended(python({"verify.py", entry.path().string()}), 0, {entry.path().string() + ": sound"}));
    }
}

// Matrices above 1 MiB, so that blocks are cut along every dimension that the page names.
TEST_F(Format, ThePageAloneVerifiesFilesOfManyBlocks) {
  put_gpt(s);
  Words const wide{"-i",
                   "gpt.deck",
                   "run.steps=1",
                   "gpt.width=64",
                   "gpt.vocab=5000",
                   "-d",
                   "kaon-run",
                   "group.hidden.uplink=rank:0.2",
                   "optimizer.workers=3"};
  ASSERT_TRUE(ended(s.train(wide), 0));
  auto const shown = s.ckpt({"verify", "kaon-run/checkpoints/latest"});
  auto const o = python({"verify.py", "kaon-run/checkpoints/latest"});
  EXPECT_TRUE(ended(o, 0, {"sound, 40 datasets, 88 blocks, step 1"})) << shown.all();
  EXPECT_TRUE(ended(shown, 0, {"40 datasets, 88 blocks, step 1"}));
  ASSERT_TRUE(ended(s.ckpt({"resize", "kaon-run/checkpoints/latest", "-w", "2", "-o", "2.h5"}), 0));
  EXPECT_TRUE(ended(python({"verify.py", "2.h5"}), 0, {"2.h5: sound, 40 datasets"}));
}

// A row of X has more than 1 MiB.
TEST_F(Format, ThePageAloneVerifiesRowsOfManyBlocks) {
  LeastSquaresProblem p;
  p.workers = 2, p.samples = 1, p.rows = 2, p.cols = 300000;
  p.A = {1, -2, 3, 4};
  p.B.assign(2 * p.cols, 0.5);
  p.X0.assign(2 * p.cols, 0.25);
  write_problem(s / "problem.h5", p);
  s.write("wide.deck", least_squares_deck());
  ASSERT_TRUE(ended(s.train({"-i", "wide.deck", "-d", "run", "run.steps=1", "group.all.norm=frobenius"}), 0));
  // 3 matrices of 2 rows, 2 cubes of 2 workers and 2 rows, 2 pieces a row, and 4 counters.
  EXPECT_TRUE(ended(python({"verify.py", "run/checkpoints/latest"}), 0, {"sound, 7 datasets, 17 blocks, step 1"}));
}

TEST_F(Format, ThePageAloneFindsDamage) {
  put_fixture(s, gpt_fixture(), "a.h5");
  damage(s / "a.h5", "/ef21-muon/workers/M/h0.mlp.up");
  auto const o = python({"verify.py", "a.h5"});
  EXPECT_EQ(o.code, 1);
  EXPECT_NE(o.err.find("('/ef21-muon/workers/M/h0.mlp.up', 0)"), std::string::npos) << o.all();
}

TEST_F(Format, NumpyReadsWhatIsExported) {
  put_fixture(s, gpt_fixture(), "a.h5");
  ASSERT_TRUE(ended(s.ckpt({"export", "a.h5", "-o", "all.npz", "--what", "/*"}), 0, {"52 datasets"}));
  ASSERT_TRUE(ended(s.ckpt({"export", "a.h5", "-o", "all.h5", "--what", "/*"}), 0, {"52 datasets"}));
  s.write("compare.py",
          "import h5py, numpy, zipfile\n"
          "assert zipfile.ZipFile('all.npz').testzip() is None\n"
          "z, f, g = numpy.load('all.npz'), h5py.File('a.h5'), h5py.File('all.h5')\n"
          "names = [n[:-4] if n.endswith('.npy') else n for n in z.files]\n"
          "paths = [n for n in names if '/' in n]\n"
          "for p in paths:\n"
          "    assert z[p].dtype == f[p].dtype and z[p].shape == f[p].shape, p\n"
          "    assert z[p].tobytes() == f[p][:].tobytes() == g[p][:].tobytes(), p\n"
          "assert z['step'] == f.attrs['step'] == g.attrs['step'] and z['workers'] == 3 and z['seed'] == 7\n"
          "assert z['deck'].shape == () and str(z['deck']).encode() == f['deck'][()] == g['deck'][()]\n"
          "print(len(paths), 'equal')\n");
  EXPECT_TRUE(ended(python({"compare.py"}), 0, {"52 equal"}));
}

}  // namespace
}  // namespace kaon::test
