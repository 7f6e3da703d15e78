// The self-test with device memory, on any number of ranks. On a host back end device memory is the host's, so it must pass.
#include <kaon/exchange/device_messages.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace kaon {
namespace {

/// With a GPU an MPI that does not claim device pointers may read them as the host's, and be killed.
bool refused() { return gpu_kind != GpuKind::none && !device_claim().takes_pointers; }

TEST(DeviceSelfTest, PassesWhereMemoryIsShared) {
  Communicator const world(MPI_COMM_WORLD);
  if (refused()) GTEST_SKIP() << "this MPI does not claim device pointers: " << device_claim().how;
  for (int again = 0; again < 3; ++again) {
    auto const r = test_device_messages(world);
    EXPECT_TRUE(r.passed) << r.why;
    if (world.rank() == 0) std::printf("%d ranks: %.3f s\n", world.size(), r.seconds);
  }
}

TEST(DeviceSelfTest, GivesUpOnWhatDoesNotCome) {
  Communicator const world(MPI_COMM_WORLD);
  if (refused()) GTEST_SKIP() << "this MPI does not claim device pointers: " << device_claim().how;
  auto const r = test_device_messages(world, -1);
  EXPECT_FALSE(r.passed);
  EXPECT_NE(r.why.find("did not arrive within"), std::string::npos) << r.why;
  EXPECT_TRUE(test_device_messages(world).passed) << "what the failed test left under way must not disturb a later one";
}

}  // namespace
}  // namespace kaon
