// Counting pauses: half an hour of spinning is more of them than an int has numbers.
#include <kaon/mpi/patience.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

TEST(Patience, NapsGrowToALongestOneAndStayThere) {
  EXPECT_EQ(nap_microseconds(1), 0);
  EXPECT_EQ(nap_microseconds(200), 0);
  EXPECT_EQ(nap_microseconds(201), 1);
  EXPECT_EQ(nap_microseconds(300), 6);
  std::uint64_t const half_an_hour = std::uint64_t(1) << 31;
  for (std::uint64_t const pauses :
       {std::uint64_t(5000), half_an_hour - 1, half_an_hour, 2 * half_an_hour + 7, ~std::uint64_t(0)})
    EXPECT_EQ(nap_microseconds(pauses), 50) << pauses;
}

}  // namespace
}  // namespace kaon
