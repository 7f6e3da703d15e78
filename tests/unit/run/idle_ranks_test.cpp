#include <kaon/run/start/idle_ranks.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

std::string warning(Topology topology, int ranks, int workers, int micro_batches, std::size_t layers) {
  std::vector<int> const nodes(static_cast<std::size_t>(ranks), 0);
  return idle_ranks_warning(Plan({topology, nodes, workers, micro_batches, 0}, std::vector<LayerLoad>(layers)),
                            "gpt.micro_batches");
}

TEST(IdleRanks, NoneAsLongAsEachComputes) {
  for (auto const topology : {Topology::sharded, Topology::replicated})
    for (int ranks = 1; ranks <= 6; ++ranks) EXPECT_EQ(warning(topology, ranks, 3, 2, 4), "") << ranks;
  EXPECT_EQ(warning(Topology::dedicated, 4, 3, 1, 4), "") << "the server is meant to compute no gradients";
}

TEST(IdleRanks, AreCountedWithTheCure) {
  auto const some = warning(Topology::sharded, 4, 2, 1, 8);
  EXPECT_NE(some.find("2 of 4 ranks compute no gradients"), std::string::npos) << some;
  EXPECT_NE(some.find("Cure: 2 ranks, or a larger gpt.micro_batches"), std::string::npos) << some;
  EXPECT_EQ(some.find("only wait"), std::string::npos) << "each owns layers: " << some;
  auto const idle = warning(Topology::sharded, 8, 2, 1, 1);
  EXPECT_NE(idle.find("6 of 8 ranks compute no gradients"), std::string::npos) << idle;
  EXPECT_NE(idle.find("only wait"), std::string::npos) << idle;
  auto const server = warning(Topology::dedicated, 6, 3, 1, 4);
  EXPECT_NE(server.find("2 of 6 ranks"), std::string::npos) << server;
  EXPECT_NE(server.find("Cure: 4 ranks"), std::string::npos) << server;
}

}  // namespace
}  // namespace kaon
