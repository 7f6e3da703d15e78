#include "gpt_reference.hpp"

namespace kaon::test {
namespace gpt_gradient_test {

template <class T>
struct Run {
  std::vector<HostMatrix> gradients;
  std::vector<int> order;
  double loss = 0;
};

template <class T>
Run<T> gradient(Gpt<T>& gpt, typename Objective<T>::ConstPoint const& W, int worker) {
  Run<T> r;
  r.gradients.resize(W.size());
  Scalar<double, Space> loss("loss");
  static std::uint64_t next = 0;  // every call its own batch
  gpt.gradient(Space(), loss, W, {worker, next++}, [&](int layer, ConstMatrix<T, Space> const& G) {
    r.order.push_back(layer);
    Space().fence();
    r.gradients[static_cast<std::size_t>(layer)] = to_host(G);
  });
  r.loss = value(loss);
  return r;
}

template <class T>
struct GptGradient : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GptGradient, Scalars);

TYPED_TEST(GptGradient, LossIsThatOfTheSerialReference) {
  using T = TypeParam;
  for (bool const tied : {false, true}) {
    auto const s = tiny(tied);
    auto const W = random_point(s, 70);
    auto const tokens = some_tokens(400, s.vocab);
    Gpt<T> gpt(s, deal(s, 2, tokens), 1);
    auto const P = point<T>(W);
    for (int worker : {0, 1}) {
      auto const r = gradient<T>(gpt, as_const<T>(P), worker);
      auto const in = host_tokens(gpt.data().inputs()), out = host_tokens(gpt.data().targets());
      double should = 0;
      for (int b = 0; b < s.batch; ++b)
        should +=
            sequence_loss(s, W, &in[static_cast<std::size_t>(b * s.context)], &out[static_cast<std::size_t>(b * s.context)]);
      should /= static_cast<double>(s.tokens());
      double const tolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;
      std::printf("  loss %.6f, relative error %.2e, tolerance %.2e\n", r.loss, std::fabs(r.loss - should) / should, tolerance);
      EXPECT_NEAR(r.loss, should, tolerance * should);
    }
  }
}

TYPED_TEST(GptGradient, EveryEntryOfEveryLayerIsTheDifferenceQuotientOfTheReference) {
  using T = TypeParam;
  for (bool const tied : {false, true}) {
    auto const s = tiny(tied);
    auto W = random_point(s, 80);
    Gpt<T> gpt(s, deal(s, 1, some_tokens(400, s.vocab)), 1);
    auto const P = point<T>(W);
    auto const r = gradient<T>(gpt, as_const<T>(P), 0);
    auto const in = host_tokens(gpt.data().inputs()), out = host_tokens(gpt.data().targets());
    auto const loss = [&] {
      double sum = 0;
      for (int b = 0; b < s.batch; ++b) {
        auto const first = static_cast<std::size_t>(b * s.context);
        sum += sequence_loss(s, W, &in[first], &out[first]);
      }
      return sum / static_cast<double>(s.tokens());
    };
    double const tolerance = sizeof(T) == 4 ? 2e-5 : 2e-8;
    for (std::size_t l = 0; l < W.size(); ++l) {
      double top = 0, error = 0;
      ASSERT_EQ(r.gradients[l].a.size(), W[l].a.size());
      for (std::size_t e = 0; e < W[l].a.size(); ++e) {
        double const w = W[l].a[e], h = 1e-5;
        W[l].a[e] = w + h;
        double const above = loss();
        W[l].a[e] = w - h;
        double const should = (above - loss()) / (2 * h);
        W[l].a[e] = w;
        top = std::max(top, std::fabs(should));
        error = std::max(error, std::fabs(should - r.gradients[l].a[e]));
      }
      std::printf("  %-12s %s: largest %.2e, error %.2e, tolerance %.2e of it\n", gpt.layers()[l].name.c_str(),
                  tied ? "tied" : "untied", top, error / top, tolerance);
      EXPECT_GT(top, 1e-4);
      EXPECT_LE(error, tolerance * top) << gpt.layers()[l].name;
    }
  }
}

TYPED_TEST(GptGradient, LayersComeOnceEachFromTheLastToTheFirst) {
  using T = TypeParam;
  for (bool const tied : {false, true}) {
    auto const s = tiny(tied);
    Gpt<T> gpt(s, deal(s, 1, some_tokens(400, s.vocab)), 1);
    auto const P = point<T>(random_point(s, 90));
    auto const order = gradient<T>(gpt, as_const<T>(P), 0).order;
    std::vector<int> should;
    for (int l = static_cast<int>(P.size()) - 1; l >= 0; --l) should.push_back(l);
    EXPECT_EQ(order, should);
  }
}

TYPED_TEST(GptGradient, WorkersDoNotDisturbEachOther) {
  using T = TypeParam;
  auto const s = tiny(false);
  auto const tokens = some_tokens(600, s.vocab);
  Gpt<T> alone(s, deal(s, 2, tokens, "random"), 1), both(s, deal(s, 2, tokens, "random"), 1);
  auto const P = point<T>(random_point(s, 95));
  for (int step = 0; step < 3; ++step) {
    auto const first = gradient<T>(both, as_const<T>(P), 0);
    auto const second = gradient<T>(both, as_const<T>(P), 1);
    auto const same = gradient<T>(alone, as_const<T>(P), 1);
    EXPECT_NE(first.loss, second.loss);
    EXPECT_EQ(second.loss, same.loss);
    for (std::size_t l = 0; l < P.size(); ++l) EXPECT_EQ(second.gradients[l].a, same.gradients[l].a);
  }
}

TYPED_TEST(GptGradient, RefusesAPointOfAnotherShape) {
  using T = TypeParam;
  auto const s = tiny(false);
  Gpt<T> gpt(s, deal(s, 1, some_tokens(400, s.vocab)), 1);
  auto P = point<T>(random_point(s, 96));
  Scalar<double, Space> loss("loss");
  auto const none = [](int, ConstMatrix<T, Space> const&) {};
  P[1] = Matrix<T, Space>("wrong", 8, 9);
  EXPECT_THROW(gpt.gradient(Space(), loss, as_const<T>(P), {}, none), std::invalid_argument);
  P.pop_back();
  EXPECT_THROW(gpt.gradient(Space(), loss, as_const<T>(P), {}, none), std::invalid_argument);
  EXPECT_THROW(gpt.initialize(Space(), P), std::invalid_argument);
}

}  // namespace gpt_gradient_test
}  // namespace kaon::test
