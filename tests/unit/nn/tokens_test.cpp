// Kernels that read tokens: the embedding and the loss.
#include <kaon/support/traps.hpp>
#include "reference.hpp"

#include <kaon/nn/cross_entropy.hpp>
#include <kaon/nn/embedding.hpp>

namespace kaon::test {
namespace tokens_test {

template <class B>
struct TokenKernels : ::testing::Test {};
TYPED_TEST_SUITE(TokenKernels, Backends, BackendNames);

TYPED_TEST(TokenKernels, EmbeddingTakesRowsAndItsGradientAddsThemBack) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const d : {3, 64, 70}) {
    std::vector<std::int32_t> const tokens{4, 0, 4, 4, 2, 0, 5};
    auto const E = random_matrix(6, d, 51);
    auto const dY = random_matrix(7, d, 52);
    HostMatrix Y(7, d), dE(6, d);
    for (int p = 0; p < 7; ++p)
      for (int j = 0; j < d; ++j) {
        Y(p, j) = E(tokens[static_cast<std::size_t>(p)], j);
        dE(tokens[static_cast<std::size_t>(p)], j) += dY(p, j);
      }
    auto const t = device_tokens<Exec>(tokens);
    auto const y = garbage<T, Exec>(7, d), de = garbage<T, Exec>(6, d);
    embed<T>(Exec(), y, t, to_device<T, Exec>(E));
    embed_backward<T>(Exec(), de, t, to_device<T, Exec>(dY), false);
    Exec().fence();
    expect_close(to_host(y), Y, value_tolerance<T>, "embed");
    expect_close(to_host(de), dE, value_tolerance<T>, "embed_backward");
    for (int j = 0; j < d; ++j) EXPECT_EQ(to_host(de)(1, j), 0) << "a token that does not occur";
    embed_backward<T>(Exec(), de, t, to_device<T, Exec>(dY), true);
    Exec().fence();
    for (auto& v : dE.a) v *= 2;
    expect_close(to_host(de), dE, value_tolerance<T>, "embed_backward, accumulated");
    EXPECT_THROW((embed<T>(Exec(), Matrix<T, Exec>("z", 6, d), t, to_device<T, Exec>(E))), std::invalid_argument);
  }
}

template <class T, class Exec>
double loss_of(HostMatrix const& L, std::vector<std::int32_t> const& targets, double weight, bool gradient,
               HostMatrix* G = nullptr) {
  CrossEntropyWorkspace<Exec> workspace(L.rows);
  Scalar<double, Exec> loss("loss");
  auto const logits = to_device<T, Exec>(L);
  cross_entropy<T>(Exec(), loss, logits, workspace, device_tokens<Exec>(targets), weight, gradient);
  Exec().fence();
  if (G) *G = to_host(logits);
  double value = 0;
  Kokkos::deep_copy(value, loss);
  return value;
}

double loss_reference(HostMatrix const& L, std::vector<std::int32_t> const& targets, double weight) {
  double total = 0;
  for (int i = 0; i < L.rows; ++i) {
    double sum = 0;
    for (int v = 0; v < L.cols; ++v) sum += std::exp(L(i, v));
    total += std::log(sum) - L(i, targets[static_cast<std::size_t>(i)]);
  }
  return weight * total;
}

TYPED_TEST(TokenKernels, CrossEntropyAndItsGradient) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (int const vocabulary : {2, 16, 45}) {
    auto const L = random_matrix(6, vocabulary, 53);
    std::vector<std::int32_t> targets;
    for (int i = 0; i < 6; ++i) targets.push_back((i * 17) % vocabulary);
    HostMatrix G, same;
    double const value = loss_of<T, Exec>(L, targets, 1.0 / 6, true, &G);
    double const should = loss_reference(L, targets, 1.0 / 6);
    std::printf("  loss error %.2e, tolerance %.2e\n", std::fabs(value - should) / should, value_tolerance<T>);
    EXPECT_NEAR(value, should, value_tolerance<T> * should);
    expect_close(G, numerical_gradient([&](HostMatrix const& l) { return loss_reference(l, targets, 1.0 / 6); }, L),
                 gradient_tolerance<T>, "cross_entropy gradient");
    EXPECT_EQ((loss_of<T, Exec>(L, targets, 1.0 / 6, false, &same)), value);
    EXPECT_EQ(same.a, to_host(to_device<T, Exec>(L)).a) << "without a gradient the logits stay";
  }
}

TYPED_TEST(TokenKernels, CrossEntropyOfEqualLogitsIsLogVocabularyAndShiftsDoNotMatter) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  HostMatrix L(3, 32);
  EXPECT_NEAR((loss_of<T, Exec>(L, {0, 7, 31}, 1.0 / 3, true)), std::log(32.0), 1e-6);
  for (auto& l : L.a) l = 1e4;
  EXPECT_NEAR((loss_of<T, Exec>(L, {0, 7, 31}, 1.0 / 3, true)), std::log(32.0), 1e-6);
  L(1, 7) = -1e4;
  EXPECT_NEAR((loss_of<T, Exec>(L, {0, 7, 31}, 1.0, false)), 2 * std::log(32.0) + 2e4 + std::log(31.0), 0.01);
}

TYPED_TEST(TokenKernels, CrossEntropyShowsANaN) {
  kaon::test::Untrapped const untrapped;
  HostMatrix L(3, 32);
  L(1, 20) = NAN;
  EXPECT_TRUE(std::isnan((loss_of<typename TypeParam::T, typename TypeParam::Exec>(L, {0, 7, 31}, 1.0, true))));
}

TYPED_TEST(TokenKernels, CrossEntropyRefusesShapesThatDoNotFit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  CrossEntropyWorkspace<Exec> workspace(2);
  Scalar<double, Exec> loss("loss");
  Matrix<T, Exec> three("l", 3, 4), two("l", 2, 4);
  EXPECT_THROW(cross_entropy<T>(Exec(), loss, three, workspace, device_tokens<Exec>({0, 1, 2}), 1, false), std::invalid_argument);
  EXPECT_THROW(cross_entropy<T>(Exec(), loss, two, workspace, device_tokens<Exec>({0, 1, 2}), 1, false), std::invalid_argument);
}

}  // namespace tokens_test
}  // namespace kaon::test
