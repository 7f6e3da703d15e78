#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/start/place.hpp>

#include <gtest/gtest.h>

namespace kaon::test {
namespace {

TEST(Place, TheRunFolderOfACheckpoint) {
  EXPECT_EQ(run_folder_of("run/checkpoints/step-00000004.h5"), "run");
  EXPECT_EQ(run_folder_of("/a/b/checkpoints/latest"), "/a/b");
  EXPECT_EQ(run_folder_of("checkpoints/latest"), ".");
  EXPECT_EQ(run_folder_of("./x/../run/checkpoints/latest"), "./x/../run");
  for (char const* other : {"latest.h5", "run/latest", "run/checkpoints/old/step-00000004.h5", "checkpoints", "/x.h5"})
    EXPECT_FALSE(run_folder_of(other)) << other;
}

TEST(Place, APathGoesOnWhereItLies) {
  Scratch s;
  std::filesystem::create_directories(s / "run/checkpoints");
  write(s / "run/checkpoints/a.h5", "");
  write(s / "b.h5", "");
  Communicator const comm(MPI_COMM_WORLD);
  auto const placed = [&](std::string const& restart, std::vector<std::string> overrides) {
    Arguments a;
    a.restart = restart;
    a.overrides = std::move(overrides);
    place_run(a, comm);
    return a.overrides;
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(placed(s / "run/checkpoints/a.h5", {"run.steps=3"}), (Words{"run.steps=3", "run.directory=" + (s / "run")}));
  EXPECT_EQ(placed(s / "run/checkpoints/a.h5", {"run.directory=x"}), (Words{"run.directory=x"}));
  EXPECT_EQ(placed("latest", {}), Words{});
  EXPECT_EQ(placed("auto", {}), Words{});
  EXPECT_EQ(placed("step-00000004.h5", {}), Words{}) << "a name inside the run folder";
  EXPECT_EQ(placed(s / "b.h5", {"run.directory=x"}), (Words{"run.directory=x"}));
  expect_parts(message_of<UsageError>([&] { placed(s / "b.h5", {}); }), {"b.h5", "lies in no run folder", "-d"});
}

}  // namespace
}  // namespace kaon::test
