#include <kaon/support/traps.hpp>
#include "gpt_reference.hpp"

#include <algorithm>

namespace kaon::test {
namespace gpt_shape_test {

TEST(GptShapes, LayersAreNamedAndShapedAsDocumented) {
  auto s = tiny(false);
  std::vector<std::string> names;
  for (auto const& l : s.parameters()) names.push_back(l.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"embed", "h0.attn.q", "h0.attn.k", "h0.attn.v", "h0.attn.o", "h0.mlp.up", "h0.mlp.down",
                                      "h1.attn.q", "h1.attn.k", "h1.attn.v", "h1.attn.o", "h1.mlp.up", "h1.mlp.down", "head"}));
  auto const p = s.parameters();
  EXPECT_EQ(p[0].rows, 11);
  EXPECT_EQ(p[0].cols, 8);
  EXPECT_EQ(p[4].rows, 8);
  EXPECT_EQ(p[4].cols, 8);
  EXPECT_EQ(p[5].rows, 16);
  EXPECT_EQ(p[5].cols, 8);
  EXPECT_EQ(p[6].rows, 8);
  EXPECT_EQ(p[6].cols, 16);
  EXPECT_EQ(GptIndex::head(s), 13);
  EXPECT_EQ(p[static_cast<std::size_t>(GptIndex::block(1, GptIndex::up))].name, "h1.mlp.up");
  s.tied = true;
  EXPECT_EQ(s.parameters().size(), 13u);
  EXPECT_EQ(GptIndex::head(s), 0);
}

TEST(GptShapes, WrongNumbersAreRefusedWithTheirName) {
  kaon::test::Untrapped const untrapped;
  auto const refused = [](auto const& change, std::string const& word) {
    auto s = tiny(false);
    change(s);
    try {
      s.check();
      ADD_FAILURE() << word << " was not refused";
    } catch (UsageError const& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
    EXPECT_THROW(GptNetwork<float>{s}, UsageError);
  };
  EXPECT_NO_THROW(tiny(false).check());
  refused([](GptShape& s) { s.heads = 0; }, "heads");
  refused([](GptShape& s) { s.layers = -1; }, "layers");
  refused([](GptShape& s) { s.heads = 3; }, "multiple of 6");
  refused([](GptShape& s) { s.heads = 8; }, "even");
  refused([](GptShape& s) { s.vocab = 70000; }, "65536");
  refused([](GptShape& s) { s.init_scale = NAN; }, "init_scale");
  refused([](GptShape& s) { s.tied = true, s.embed_scale = 0; }, "embed_scale");
  refused([](GptShape& s) { s.context = 1 << 15, s.batch = 1 << 20; }, "lower the batch");
  refused([](GptShape& s) { s.context = 46341, s.batch = 1; }, "at most 46340");
}

template <class T>
struct GptStart : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GptStart, Scalars);

TYPED_TEST(GptStart, DeviationsAreAsDocumentedAndTheSeedDecides) {
  using T = TypeParam;
  auto s = tiny(false);
  s.width = 32;
  Gpt<T> gpt(s, deal(s, 1, some_tokens(400, s.vocab)), 1), same(s, deal(s, 1, some_tokens(400, s.vocab)), 1),
      other(s, deal(s, 1, some_tokens(400, s.vocab)), 2);
  auto const A = point<T>(random_point(s, 1)), B = point<T>(random_point(s, 2)), C = point<T>(random_point(s, 3));
  gpt.initialize(Space(), A), same.initialize(Space(), B), other.initialize(Space(), C);
  Space().fence();
  for (std::size_t l = 0; l < A.size(); ++l) {
    auto const& name = gpt.layers()[l].name;
    auto const a = to_host(A[l]);
    EXPECT_EQ(a.a, to_host(B[l]).a);
    double square = 0;
    for (double x : a.a) square += x * x;
    double const deviation = std::sqrt(square / static_cast<double>(a.a.size()));
    bool const zero = name.ends_with(".o") || name.ends_with(".down");
    double const should = zero ? 0 : name == "embed" ? 0.02 : 0.5 / std::sqrt(32.0);
    EXPECT_NEAR(deviation, should, 0.15 * should) << name;
    if (!zero) {
      EXPECT_NE(a.a, to_host(C[l]).a);
    }
  }
  EXPECT_NE(to_host(A[1]).a, to_host(A[2]).a) << "layers have streams of their own";
  auto zeroed = s;
  zeroed.zero_head = true, zeroed.zero_projections = false;
  EXPECT_EQ(zeroed.deviation(13), 0);
  EXPECT_DOUBLE_EQ(zeroed.deviation(6), 0.5 / std::sqrt(64.0));
}

TYPED_TEST(GptStart, AZeroHeadStartsAtTheLogOfTheVocabulary) {
  using T = TypeParam;
  auto s = tiny(false);
  s.zero_head = true;
  Gpt<T> gpt(s, deal(s, 1, some_tokens(400, s.vocab)), 1);
  auto const X = point<T>(random_point(s, 1));
  gpt.initialize(Space(), X);
  EXPECT_TRUE(gpt.has_validation());
  auto const [sum, weight] = gpt.validate_piece(Space(), as_const<T>(X), 0);
  EXPECT_EQ(weight, 12);
  EXPECT_NEAR(sum / weight, std::log(11.0), 1e-6);
  EXPECT_EQ(gpt.samples_per_gradient(), 12u);
  EXPECT_NE(gpt.describe().find("2 layers"), std::string::npos);
  EXPECT_THROW(Gpt<T>(s, deal(tiny(true), 1, some_tokens(10, 11)), 1), InputError);
  auto longer = s;
  longer.context = 7;
  EXPECT_THROW(Gpt<T>(longer, deal(s, 1, some_tokens(400, s.vocab)), 1), std::invalid_argument);
}

TYPED_TEST(GptStart, ValidationIsTheReferenceOnFixedPiecesAndLeavesTrainingAlone) {
  using T = TypeParam;
  auto const s = tiny(true);
  auto const W = random_point(s, 4);
  auto const P = point<T>(W);
  Gpt<T> gpt(s, deal(s, 1, some_tokens(700, s.vocab)), 1);
  EXPECT_EQ(gpt.validation_pieces(), 10);
  auto const cursor = gpt.data().cursor(0);
  for (int p : {3, 0, 9}) {
    auto const [sum, weight] = gpt.validate_piece(Space(), as_const<T>(P), p);
    auto const in = host_tokens(gpt.data().inputs()), out = host_tokens(gpt.data().targets());
    double const should = sequence_loss(s, W, &in[0], &out[0]) + sequence_loss(s, W, &in[6], &out[6]);
    double const tolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;
    std::printf("  piece %d: %.6f, relative error %.2e, tolerance %.2e\n", p, sum, std::fabs(sum - should) / should, tolerance);
    EXPECT_NEAR(sum, should, tolerance * should);
    EXPECT_EQ(weight, 12);
    EXPECT_EQ(gpt.validate_piece(Space(), as_const<T>(P), p).first, sum);
  }
  EXPECT_EQ(gpt.data().cursor(0), cursor);
  Gpt<T> without(s, deal(s, 1, some_tokens(700, s.vocab), "random", 0), 1);
  EXPECT_FALSE(without.has_validation());
}

TYPED_TEST(GptStart, SignDescentLearnsARepeatingText) {
  using T = TypeParam;
  auto s = tiny(false);
  s.width = 16;
  std::vector<std::uint16_t> tokens;
  for (int i = 0; i < 1000; ++i) tokens.push_back(static_cast<std::uint16_t>((i * i) % 11));
  Gpt<T> gpt(s, deal(s, 1, tokens, "random"), 1);
  auto X = point<T>(random_point(s, 1));
  gpt.initialize(Space(), X);
  Scalar<double, Space> loss("loss");
  double first = 0, last = 0;
  for (std::uint64_t k = 0; k < 150; ++k) {
    gpt.gradient(Space(), loss, as_const<T>(X), {0, k}, [&](int layer, ConstMatrix<T, Space> const& g) {
      Space().fence();
      auto x = to_host(X[static_cast<std::size_t>(layer)]);
      auto const gradient = to_host(g);
      for (std::size_t i = 0; i < x.a.size(); ++i) x.a[i] -= 0.01 * ((gradient.a[i] > 0) - (gradient.a[i] < 0));
      Kokkos::deep_copy(X[static_cast<std::size_t>(layer)], to_device<T, Space>(x));
    });
    (k == 0 ? first : last) = value(loss);
  }
  std::printf("  loss %.4f -> %.4f (log 11 = 2.3979)\n", first, last);
  EXPECT_GT(first, 2);
  EXPECT_LT(last, 0.8);
}

}  // namespace gpt_shape_test
}  // namespace kaon::test
