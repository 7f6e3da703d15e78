#include <kaon/run/saving/best.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kaon {
namespace {

TEST(Best, TravelsToTheLastBit) {
  std::map<std::string, std::string> provenance;
  to_provenance(Best{1.0 / 3, 1234567890123ull}, provenance);
  auto const back = best_in(provenance);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->loss, 1.0 / 3);
  EXPECT_EQ(back->step, 1234567890123ull);
}

TEST(Best, NoneIsNone) {
  std::map<std::string, std::string> provenance;
  to_provenance({}, provenance);
  EXPECT_TRUE(provenance.empty());
  EXPECT_FALSE(best_in(provenance));
  provenance["best_validation"] = "what";
  EXPECT_FALSE(best_in(provenance));
}

TEST(Best, IsStrictlySmaller) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(is_better(5, {}));
  EXPECT_FALSE(is_better(nan, {}));
  EXPECT_TRUE(is_better(4.9, Best{5, 1}));
  EXPECT_FALSE(is_better(5, Best{5, 1}));
  EXPECT_FALSE(is_better(nan, Best{5, 1}));
}

}  // namespace
}  // namespace kaon
