// The table of contraction in other norms; tests/contraction measures it.
#include "harness.hpp"

#include <kaon/compress/contraction.hpp>

namespace contraction_test {

using namespace kaon;
using namespace kaon::test;

TEST(ContractionTable, IsTheEuclideanOneInFrobenius) {
  for (auto const& spec : all_specs()) {
    auto const c = make_compressor<float, Kokkos::DefaultHostExecutionSpace>(spec, 30, 40);
    EXPECT_EQ(guaranteed_alpha(spec, 30, 40, "frobenius"), c->guaranteed_alpha()) << spec;
  }
}

TEST(ContractionTable, HasWhatHoldsInEveryNorm) {
  for (auto const& norm : contraction_norms()) {
    EXPECT_EQ(guaranteed_alpha("identity", 8, 9, norm), 1);
    EXPECT_NEAR(guaranteed_alpha("damp:0.7", 8, 9, norm), 0.91, 1e-6) << norm;
    EXPECT_EQ(guaranteed_alpha("dropout:0.3", 8, 9, norm), 0.3) << norm;
    EXPECT_NEAR(guaranteed_alpha("dropout:0.3+damp:0.7", 8, 9, norm), 0.273, 1e-6) << norm;
    EXPECT_NEAR(guaranteed_alpha("top:1", 8, 9, norm), norm == "frobenius" || norm == "entry-l1" ? 1 : 0, 1e-15) << norm;
  }
}

TEST(ContractionTable, HasTheOthersWhereTheyHold) {
  double const d = 0.2;  // of 10×10
  EXPECT_DOUBLE_EQ(guaranteed_alpha("top:0.2", 10, 10, "entry-l1"), 1 - (1 - d) * (1 - d));
  EXPECT_NEAR(guaranteed_alpha("top:0.2+natural", 10, 10, "entry-l1"), 1 - std::pow(1 - d * 2 / 3, 2), 1e-5);
  EXPECT_NEAR(guaranteed_alpha("top:0.2+natural:stochastic", 10, 10, "entry-l1"), 1 - std::pow(1 - d * (1 - std::sqrt(0.125)), 2),
              1e-12);
  EXPECT_EQ(guaranteed_alpha("top:0.2", 10, 10, "max-abs"), 0);
  EXPECT_EQ(guaranteed_alpha("top:0.2+bits:4", 10, 10, "entry-l1"), 0);
  EXPECT_DOUBLE_EQ(guaranteed_alpha("columns:0.2", 10, 10, "column-sum"), 1 - (1 - d) * (1 - d));
  EXPECT_EQ(guaranteed_alpha("columns:0.2", 10, 10, "entry-l1"), 0);
  for (char const* norm : {"entry-l1", "column-sum", "row-sum"}) {
    EXPECT_DOUBLE_EQ(guaranteed_alpha("rand:0.2", 10, 10, norm), d);
    EXPECT_DOUBLE_EQ(guaranteed_alpha("rand:0.2+natural:stochastic", 10, 10, norm), d * 7 / 8);
    EXPECT_EQ(guaranteed_alpha("rand:0.2+bits:4", 10, 10, norm), 0);
    EXPECT_DOUBLE_EQ(guaranteed_alpha("natural:stochastic", 10, 10, norm), 7.0 / 8);
  }
  for (char const* norm : {"max-abs", "column", "row", "entry-l1"})
    EXPECT_NEAR(guaranteed_alpha("natural", 3, 3, norm), 8.0 / 9, 2e-6);
  for (char const* norm : {"spectral", "nuclear"}) EXPECT_EQ(guaranteed_alpha("natural", 3, 3, norm), 0);
  EXPECT_EQ(guaranteed_alpha("natural:stochastic", 3, 3, "max-abs"), 0);
  for (char const* spec : {"sign", "bits:4", "dither:4", "rank:0.5"})
    EXPECT_EQ(guaranteed_alpha(spec, 9, 9, "entry-l1"), 0) << spec;
}

TEST(ContractionTable, OfTheTruncatedSvd) {
  EXPECT_DOUBLE_EQ(truncated_svd_alpha(3, 10, "frobenius"), 0.3);
  EXPECT_DOUBLE_EQ(truncated_svd_alpha(3, 10, "nuclear"), 0.51);
  EXPECT_EQ(truncated_svd_alpha(3, 10, "spectral"), 0);
  EXPECT_EQ(truncated_svd_alpha(10, 10, "spectral"), 1);
  EXPECT_THROW(truncated_svd_alpha(0, 10, "nuclear"), std::invalid_argument);
}

TEST(ContractionTable, RefusesUnknownNamesAndBadSpecs) {
  EXPECT_THROW(guaranteed_alpha("sign", 3, 3, "l2"), UsageError);
  EXPECT_THROW(guaranteed_alpha("nonsense", 3, 3, "frobenius"), UsageError);
}

}  // namespace contraction_test
