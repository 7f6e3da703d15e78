#include "harness.hpp"

#include <kaon/codec/index_code.hpp>

namespace {

using namespace kaon;
using Exec = Kokkos::DefaultHostExecutionSpace;

std::unique_ptr<Compressor<float, Exec>> make(std::string const& spec, int m = 60, int n = 50) {
  return make_compressor<float, Exec>(spec, m, n);
}

TEST(CompressorGrammar, CanonicalFormsReadBackAsThemselves) {
  for (auto const& spec : kaon::test::all_specs()) {
    auto const canonical = make(spec)->spec();
    EXPECT_EQ(make(canonical)->spec(), canonical) << spec;
    EXPECT_EQ(make(canonical)->bytes_bound(), make(spec)->bytes_bound());
  }
  EXPECT_EQ(make("bits:4")->spec(), "bits:4:block=256");
  EXPECT_EQ(make("top:0.150+bits:2:block=128")->spec(), "top:0.15+bits:2:block=128");
  EXPECT_EQ(make("rank:3e-1+natural:stochastic")->spec(), "rank:0.3+natural:stochastic");
}

TEST(CompressorGrammar, BadSpecsNameTheGrammar) {
  for (char const* spec : {"",
                           "none",
                           "identity:1",
                           "identity+natural",
                           "natural:up",
                           "natural+bits:4",
                           "bits",
                           "bits:3",
                           "bits:4:256",
                           "bits:4:block=100",
                           "bits:4:block=0",
                           "bits:4:block=x",
                           "bits:4:block=1048576",
                           "top",
                           "top:",
                           "top:0",
                           "top:1.5",
                           "top:-0.1",
                           "top:nan",
                           "top:0.1x",
                           "top:0.1+",
                           "top:0.1+top:0.1",
                           "top:0.1+identity",
                           "top:0.1+natural+natural",
                           "rank:0",
                           "rank:2",
                           "rank:0.1+rank:0.1",
                           "rank",
                           " top:0.1"}) {
    try {
      make(spec);
      ADD_FAILURE() << "'" << spec << "' was taken";
    } catch (UsageError const& e) {
      std::string const what = e.what();
      for (auto const& line : compressor_grammar()) EXPECT_NE(what.find(line), std::string::npos) << what;
      EXPECT_NE(what.find("'" + std::string(spec) + "'"), std::string::npos) << what;
    }
  }
  EXPECT_EQ(compressor_grammar().size(), 5U);
}

TEST(CompressorSizes, AreTheClosedFormulas) {
  std::size_t const n = 60 * 50, kept = 450, rank = 15;
  auto const up = [](std::size_t a, std::size_t b) { return (a + b - 1) / b; };
  auto const bits = [&](std::size_t count, std::size_t b, std::size_t block) {
    return 8 * up(2 * up(count, block), 8) + 8 * up(count * b, 64);
  };
  auto const natural = [&](std::size_t count) { return 8 * (up(count, 8) + up(count, 64)); };
  EXPECT_EQ(make("identity")->bytes_bound(), 4 * n);
  EXPECT_EQ((make_compressor<double, Exec>("identity", 60, 50)->bytes_bound()), 8 * n);
  EXPECT_EQ(make("identity", 3, 3)->bytes_bound(), 40U);
  EXPECT_EQ(make("natural")->bytes_bound(), natural(n));
  for (std::size_t b : {1, 2, 4, 8}) EXPECT_EQ(make("bits:" + std::to_string(b))->bytes_bound(), bits(n, b, 256));
  EXPECT_EQ(make("bits:2:block=64")->bytes_bound(), bits(n, 2, 64));
  EXPECT_EQ(make("top:0.15")->bytes_bound(), 4 * kept + index_bytes_bound(n, kept));
  EXPECT_EQ(make("top:0.15+natural")->bytes_bound(), natural(kept) + index_bytes_bound(n, kept));
  EXPECT_EQ(make("rank:0.3")->bytes_bound(), 8 + 4 * (60 * rank) + 4 * (rank * 50));
  EXPECT_EQ(make("rank:0.3+bits:4")->bytes_bound(), 8 + bits(60 * rank, 4, 256) + bits(rank * 50, 4, 256));
  for (auto const& spec : kaon::test::all_specs()) EXPECT_EQ(make(spec, 13, 7)->bytes_bound() % 8, 0U) << spec;
}

TEST(CompressorSizes, FourBitsCostFourAndASixteenthOnALayer) {
  auto const c = make("bits:4", 768, 768);
  EXPECT_DOUBLE_EQ(8.0 * static_cast<double>(c->bytes_bound()) / (768 * 768), 4.0625);
}

TEST(CompressorSizes, DecimalFractionsAreTakenAtTheirWord) {
  EXPECT_EQ(make("rank:0.29", 100, 100)->state_shape(), (std::pair{100, 29}));
  EXPECT_EQ(make("rank:0.001", 100, 40)->state_shape(), (std::pair{40, 1}));
  EXPECT_EQ(make("rank:1", 100, 40)->state_shape(), (std::pair{40, 40}));
  EXPECT_EQ(make("bits:4")->state_shape(), (std::pair{0, 0}));
}

}  // namespace
