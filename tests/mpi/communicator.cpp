#include <kaon/core/error.hpp>
#include <kaon/mpi/communicator.hpp>

#include <gtest/gtest.h>

#include <numeric>

namespace kaon {
namespace {

struct CommunicatorTest : ::testing::Test {
  Communicator world{MPI_COMM_WORLD};
};

TEST_F(CommunicatorTest, ReductionsSeeEveryRank) {
  int const r = world.rank(), n = world.size();
  EXPECT_EQ(world.max(std::int64_t(10 * r)), 10 * (n - 1));
  EXPECT_EQ(world.max(-1.5 * r), 0.0);
  EXPECT_EQ(world.sum(r + 1), n * (n + 1) / 2);
  EXPECT_TRUE(world.all(true));
  EXPECT_EQ(world.all(r != n - 1), false);
  EXPECT_TRUE(world.same_everywhere(42));
  EXPECT_EQ(world.same_everywhere(static_cast<std::uint64_t>(r)), n == 1);
}

TEST_F(CommunicatorTest, SumEachIsExactForOneContributor) {
  std::vector<double> v(static_cast<std::size_t>(world.size()), 0.0);
  v[static_cast<std::size_t>(world.rank())] = 1.0 / (3 + world.rank());
  world.sum_each(v);
  for (int r = 0; r < world.size(); ++r) EXPECT_EQ(v[static_cast<std::size_t>(r)], 1.0 / (3 + r));
  std::vector<std::int64_t> empty;
  world.sum_each(empty);
  EXPECT_TRUE(empty.empty());
}

TEST_F(CommunicatorTest, TextsTravelWhole) {
  std::string const mine =
      "rank " + std::to_string(world.rank()) + std::string(static_cast<std::size_t>(world.rank()) * 1000, 'x');
  auto const all = world.gather(mine);
  ASSERT_EQ(static_cast<int>(all.size()), world.size());
  for (int r = 0; r < world.size(); ++r)
    EXPECT_EQ(all[static_cast<std::size_t>(r)],
              "rank " + std::to_string(r) + std::string(static_cast<std::size_t>(r) * 1000, 'x'));
  for (int root = 0; root < world.size(); ++root) EXPECT_EQ(world.broadcast(mine, root), all[static_cast<std::size_t>(root)]);
}

TEST_F(CommunicatorTest, MessagesOfTwoCommunicatorsDoNotMeet) {
  Communicator const other(MPI_COMM_WORLD);
  int const next = (world.rank() + 1) % world.size(), before = (world.rank() + world.size() - 1) % world.size();
  int a = 1, b = 2, from_other = 0, from_world = 0;
  std::vector<MPI_Request> requests(4);
  KAON_MPI(MPI_Irecv(&from_other, 1, MPI_INT, before, 7, other.get(), &requests[0]));
  KAON_MPI(MPI_Irecv(&from_world, 1, MPI_INT, before, 7, world.get(), &requests[1]));
  KAON_MPI(MPI_Isend(&a, 1, MPI_INT, next, 7, world.get(), &requests[2]));
  KAON_MPI(MPI_Isend(&b, 1, MPI_INT, next, 7, other.get(), &requests[3]));
  wait_all(requests);
  EXPECT_EQ(from_world, 1);
  EXPECT_EQ(from_other, 2);
  EXPECT_TRUE(requests.empty());
}

TEST_F(CommunicatorTest, ErrorsNameTheCall) {
  int value = 0;
  try {
    KAON_MPI(MPI_Send(&value, 1, MPI_INT, world.size() + 5, 0, world.get()));
    FAIL() << "a message to a rank that does not exist went out";
  } catch (IoError const& e) {
    EXPECT_NE(std::string(e.what()).find("MPI_Send"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace kaon
