#include <kaon/support/traps.hpp>
#include "harness.hpp"

namespace registry_test {

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
  EXPECT_EQ(make("rand:0.10+bits:4")->spec(), "rand:0.1+bits:4:block=256");
  EXPECT_EQ(make("dropout:5e-1+top:0.15+natural")->spec(), "dropout:0.5+top:0.15+natural");
  EXPECT_EQ(make("dither:4")->spec(), "dither:4:block=256");
}

TEST(CompressorGrammar, TakesEveryFormThatTheDocumentsShow) {
  for (char const* spec : {"identity", "top:0.15+natural", "rank:0.15+natural", "bits:2:block=256", "dropout:0.5",
                           "rand:0.1+bits:4", "columns:0.2+natural:stochastic", "damp:0.9", "sign", "dither:4:block=128",
                           "top:0.1+sign", "rank:0.2+dither:8", "dropout:0.5+natural", "dropout:0.25+rank:0.15+bits:4"})
    EXPECT_NO_THROW(make(spec)) << spec;
}

TEST(CompressorGrammar, BadSpecsNameTheGrammar) {
  kaon::test::Untrapped const untrapped;
  kaon::test::all_specs();  // the example of the documents joins the grammar
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
                           " top:0.1",
                           "rand:0",
                           "rand:0.1+rand:0.1",
                           "columns",
                           "columns:1.01",
                           "damp:0",
                           "damp:2",
                           "damp:0.5+natural",
                           "sign:1",
                           "dither",
                           "dither:1",
                           "dither:3",
                           "dither:4:block=1",
                           "dropout:0",
                           "dropout:1.5",
                           "dropout",
                           "dropout:0.5+",
                           "dropout:0.5+identity",
                           "dropout:0.5+dropout:0.5",
                           "columns:0.1+natural:coded",
                           "natural:coded:stochastic",
                           "dropout:0.5+top:0",
                           "dropout:0.5+top:0.1+rank:0.1"}) {
    try {
      make(spec);
      ADD_FAILURE() << "'" << spec << "' was taken";
    } catch (UsageError const& e) {
      std::string const what = e.what();
      for (auto const& line : compressor_grammar()) EXPECT_NE(what.find(line), std::string::npos) << what;
      EXPECT_NE(what.find("'" + std::string(spec) + "'"), std::string::npos) << what;
    }
  }
  EXPECT_EQ(compressor_grammar().size(), 12U);
}

TEST(CompressorGrammar, NamesAreTakenOnce) {
  kaon::test::all_specs();
  EXPECT_THROW(register_compressor<Bf16>("bf16", "bf16", Role::value), std::invalid_argument);
  EXPECT_THROW(register_compressor<Bf16>("top", "top", Role::value), std::invalid_argument);
  EXPECT_EQ(compressor_grammar().size(), 12U);
}

TEST(CompressorSizes, OfDoubles) {
  EXPECT_EQ((make_compressor<double, Exec>("identity", 60, 50)->bytes_bound()), 8U * 60 * 50);
  EXPECT_EQ(make("identity", 3, 3)->bytes_bound(), 40U);
}

TEST(CompressorSizes, FourBitsCostFourAndASixteenthOnALayer) {
  auto const c = make("bits:4", 768, 768);
  EXPECT_DOUBLE_EQ(8.0 * static_cast<double>(c->bytes_bound()) / (768 * 768), 4.0625);
}

TEST(CompressorSizes, DecimalFractionsAreTakenAtTheirWord) {
  EXPECT_EQ(make("rank:0.29", 100, 100)->state_shape(), (std::pair{100, 29}));
  EXPECT_EQ(make("rank:0.001", 100, 40)->state_shape(), (std::pair{40, 1}));
  EXPECT_EQ(make("rank:1", 100, 40)->state_shape(), (std::pair{40, 40}));
  EXPECT_EQ(make("dropout:0.5+rank:0.29", 100, 100)->state_shape(), (std::pair{100, 29}));
  for (char const* spec : {"bits:4", "rand:0.1", "columns:0.1", "damp:0.5", "sign", "dither:4", "dropout:0.5"})
    EXPECT_EQ(make(spec)->state_shape(), (std::pair{0, 0})) << spec;
}

}  // namespace registry_test
