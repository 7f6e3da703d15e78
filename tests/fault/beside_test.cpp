// MPI fails on one rank, in the thread that writes a checkpoint beside the training. The other ranks' threads wait for that rank
// and know nothing. The job must end by itself and say what failed; what it had saved goes on to the same end.
#include "under.hpp"

#include <cstdio>

namespace kaon::test {
namespace {

Words arguments(Words const& more) {
  Words words{"-i", "gpt.deck", "run.steps=6", "checkpoint.every=2", "checkpoint.asynchronous=yes"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

struct Failure {
  int ranks, rank, call;
};
void PrintTo(Failure const& f, std::ostream* out) { *out << f.ranks << " ranks, rank " << f.rank << ", call " << f.call; }

class MpiBeside : public ::testing::TestWithParam<Failure> {};

TEST_P(MpiBeside, EndsTheJobWith74AndSaysWhat) {
  auto const [ranks, rank, call] = GetParam();
  Scratch const reference, s;
  put_gpt(reference);
  put_gpt(s);
  ASSERT_TRUE(ended(reference.train(arguments({}), 1), 0));

  Process p(preloaded(KAON_MPI_ERROR, ranks, arguments({}),
                      {"KAON_MPI_ERROR_AT=" + std::to_string(call), "KAON_MPI_ERROR_RANK=" + std::to_string(rank),
                       "KAON_MPI_ERROR_REPORT=failed.txt"}),
            s.path());
  auto const o = p.wait(90);
  ASSERT_NE(s.read("failed.txt"), "") << "nothing failed: " << o.all();
  EXPECT_FALSE(o.timed_out) << o.all();
  EXPECT_EQ(o.code, 74) << o.all();
  EXPECT_NE(o.err.find("MPI failed in MPI_Test"), std::string::npos) << o.all();
  auto const at = std::min(o.err.find("kaon-train: error"), o.err.size());
  std::printf("exit code %d, %s\n", o.code, o.err.substr(at, o.err.find('\n', at) - at).c_str());

  ASSERT_TRUE(ended(s.train(arguments({"-r", "auto"}), 2), 0, {"restarted from"}));
  std::string const last = "run/checkpoints/step-00000006.h5";
  EXPECT_TRUE(ended(s.ckpt({"diff", s / last, reference / last}), 0, {"same, bit for bit"}));
}

Failure const failures[] = {{2, 0, 1}, {2, 1, 9}, {3, 2, 25}, {4, 1, 60}};
INSTANTIATE_TEST_SUITE_P(Fault, MpiBeside, ::testing::ValuesIn(failures), [](auto const& p) {
  auto const& f = p.param;
  return "On" + std::to_string(f.ranks) + "Rank" + std::to_string(f.rank) + "Call" + std::to_string(f.call);
});

}  // namespace
}  // namespace kaon::test
