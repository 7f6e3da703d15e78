// A wait that runs out in a collective: the operation goes on inside MPI, and what comes late finds memory that is still there.
#include <kaon/checkpoint/cuts.hpp>
#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/mpi/pending.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace kaon {
namespace {

struct Waits : ::testing::Test {
  Communicator world{MPI_COMM_WORLD}, aside{MPI_COMM_WORLD};
  void TearDown() override { set_wait_limits({}, {}); }

  // Rank 0 begins `call` and gives up; then the others begin it too, and all of them end it. Then rank 0 writes over what was its
  // stack and its heap: what MPI still wrote there would break it.
  void gives_up(char const* what, std::size_t kept, std::function<void()> const& call) {
    if (world.size() == 1) GTEST_SKIP() << "a rank alone waits for nobody";
    char go = 1;
    if (world.rank() > 0) {
      aside.receive(&go, 1, 0, 1);
      call();
    } else {
      auto const before = left_to_mpi();
      set_wait_limits({0, 0.05}, {});
      EXPECT_THROW(call(), IoError) << what;
      set_wait_limits({}, {});
      EXPECT_EQ(left_to_mpi() - before, kept) << what << ": what MPI still has was freed";
      for (int r = 1; r < world.size(); ++r) aside.send(&go, 1, r, 1);
    }
    aside.barrier();  // lets MPI end on rank 0 what was begun there
    EXPECT_TRUE(world.all(true)) << what << ": the communicator is of no use afterwards";
    EXPECT_EQ(world.sum(1), world.size()) << what;
  }
};

TEST_F(Waits, InReductions) {
  gives_up("all", 1, [&] { world.all(true); });
  gives_up("max of a double", 1, [&] { world.max(0.5); });
  gives_up("sum_each", 1, [&] {
    std::vector<double> v(1000, 1.0);
    world.sum_each(v);
  });
}

TEST_F(Waits, InABroadcast) {
  gives_up("broadcast", 1, [&] {
    std::vector<char> v(100, 'x');
    world.broadcast(v.data(), v.size(), world.size() - 1);
  });
}

TEST_F(Waits, InAGather) {
  gives_up("gather", 1, [&] {
    if (world.rank() == 0) {
      world.gather("mine");
      return;
    }
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(world.size()), 0);  // as far as rank 0 came
    world.sum_each(sizes);
  });
}

TEST_F(Waits, InABarrierNoMemoryIsKept) {
  gives_up("barrier", 0, [&] { world.barrier(); });
}

TEST_F(Waits, WhileCutsAreGathered) {
  gives_up("Cuts", 1, [&] { Cuts(world, {Field{"/a", ElementType::f32, {4}, {{0}, {0}}, {{0}, {0}}, {}, {}}}); });
}

TEST_F(Waits, InASumThatIsUnderWay) {
  gives_up("begin_sum", 2, [&] {
    PendingSum sum;
    sum.mine.assign(10, 1.0);
    world.begin_sum(sum);
    wait(sum.request);
  });
}

TEST_F(Waits, ForAMessage) {
  if (world.size() == 1) GTEST_SKIP() << "a rank alone waits for nobody";
  std::vector<char> v(50, static_cast<char>(world.rank()));
  gives_up("receive", 1, [&] {
    if (world.rank() == 0) world.receive(v.data(), v.size(), 1, 3);
    if (world.rank() == 1) world.send(v.data(), v.size(), 0, 3);
  });
  for (char const c : v) EXPECT_EQ(c, static_cast<char>(world.rank())) << "the caller's memory was written to after the error";
}

// More than travels in one piece.
TEST_F(Waits, LongMessagesArriveWhole) {
  if (world.size() == 1) GTEST_SKIP() << "nobody to send to";
  std::vector<std::uint32_t> v(std::size_t(9) << 20);
  if (world.rank() == 1) {
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::uint32_t>(i * 2654435761u);
    world.send(v.data(), v.size() * sizeof v[0], 0, 5);
  } else if (world.rank() == 0) {
    world.receive(v.data(), v.size() * sizeof v[0], 1, 5);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < v.size(); ++i) wrong += v[i] != static_cast<std::uint32_t>(i * 2654435761u);
    EXPECT_EQ(wrong, 0u);
  }
  world.barrier();
}

}  // namespace
}  // namespace kaon
