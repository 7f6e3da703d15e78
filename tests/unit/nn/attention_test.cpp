#include "reference.hpp"

#include <kaon/nn/attention.hpp>

namespace kaon::test {
namespace attention_test {

template <class T, class Exec>
struct Problem {
  AttentionShape shape;
  HostMatrix q, k, v, dy;
  Matrix<T, Exec> Q, K, V, Y, dY, dQ, dK, dV;
  Vector<T, Exec> P;
  AttentionWorkspace<T, Exec> workspace;
  Problem(AttentionShape const& s, double spread)
      : shape(s),
        q(random(31, spread)),
        k(random(32, spread)),
        v(random(33, 1)),
        dy(random(34, 1)),
        Q(to_device<T, Exec>(q)),
        K(to_device<T, Exec>(k)),
        V(to_device<T, Exec>(v)),
        Y(garbage<T, Exec>(q.rows, q.cols)),
        dY(to_device<T, Exec>(dy)),
        dQ(garbage<T, Exec>(q.rows, q.cols)),
        dK(garbage<T, Exec>(q.rows, q.cols)),
        dV(garbage<T, Exec>(q.rows, q.cols)),
        P("P", static_cast<std::size_t>(s.sequences * s.heads * s.context * s.context)),
        workspace(s) {
    Kokkos::deep_copy(P, T(INFINITY));
    Kokkos::deep_copy(workspace.scores, T(INFINITY));
  }
  HostMatrix random(std::uint64_t seed, double spread) const {
    auto m = random_matrix(shape.sequences * shape.context, shape.heads * shape.head_width, seed);
    for (auto& x : m.a) x *= spread;
    return m;
  }
  void forward() {
    attention<T>(Exec(), Y, P, shape, workspace, Q, K, V);
    Exec().fence();
  }
  void backward() {
    attention_backward<T>(Exec(), dQ, dK, dV, shape, workspace, dY, Y, P, Q, K, V);
    Exec().fence();
  }
};

// Whole tiles, half tiles, edges in every direction, and one position.
constexpr AttentionShape shapes[] = {{2, 2, 16, 16}, {1, 3, 21, 6},  {2, 1, 1, 4},  {1, 2, 35, 20},
                                     {3, 1, 8, 32},  {1, 1, 40, 24}, {1, 1, 17, 40}};

template <class B>
struct Attention : ::testing::Test {};
TYPED_TEST_SUITE(Attention, Backends, BackendNames);

TYPED_TEST(Attention, MatchesTheReference) {
  for (auto const& s : shapes) {
    Problem<typename TypeParam::T, typename TypeParam::Exec> p(s, 1.5);
    p.forward();
    expect_close(to_host(p.Y), attention_reference(p.q, p.k, p.v, s.context, s.heads), 2 * value_tolerance<typename TypeParam::T>,
                 "attention");
  }
}

TYPED_TEST(Attention, LargeScoresStayFinite) {
  Problem<typename TypeParam::T, typename TypeParam::Exec> p({1, 1, 20, 8}, 40);
  p.forward();
  for (auto y : to_host(p.Y).a) EXPECT_LT(std::fabs(y), 10);
}

TYPED_TEST(Attention, SeesNoLaterPosition) {
  using Case = Problem<typename TypeParam::T, typename TypeParam::Exec>;
  Case p({2, 2, 21, 6}, 1);
  p.forward();
  auto const before = to_host(p.Y);
  int const changed = 9;  // of the first sequence
  for (int j = 0; j < p.k.cols; ++j) p.k(changed, j) += 1, p.v(changed, j) -= 2;
  p.K = to_device<typename TypeParam::T, typename TypeParam::Exec>(p.k);
  p.V = to_device<typename TypeParam::T, typename TypeParam::Exec>(p.v);
  p.forward();
  auto const after = to_host(p.Y);
  for (int t = 0; t < before.rows; ++t)
    for (int j = 0; j < before.cols; ++j) {
      if (t < changed || t >= 21) {
        EXPECT_EQ(before(t, j), after(t, j)) << t;
      } else {
        EXPECT_NE(before(t, j), after(t, j)) << t;
      }
    }
}

TYPED_TEST(Attention, BackwardIsTheGradient) {
  using T = typename TypeParam::T;
  for (auto const& s : shapes) {
    Problem<T, typename TypeParam::Exec> p(s, 1);
    p.forward();
    p.backward();
    auto const loss = [&](HostMatrix const& q, HostMatrix const& k, HostMatrix const& v) {
      return inner(p.dy, attention_reference(q, k, v, s.context, s.heads));
    };
    double const tolerance = 5 * gradient_tolerance<T>;
    expect_close(to_host(p.dV), numerical_gradient([&](HostMatrix const& v) { return loss(p.q, p.k, v); }, p.v), tolerance, "dV");
    if (s.context == 1) continue;  // one position attends to itself alone: dQ = dK = 0
    expect_close(to_host(p.dQ), numerical_gradient([&](HostMatrix const& q) { return loss(q, p.k, p.v); }, p.q), tolerance, "dQ");
    expect_close(to_host(p.dK), numerical_gradient([&](HostMatrix const& k) { return loss(p.q, k, p.v); }, p.k), tolerance, "dK");
  }
}

TYPED_TEST(Attention, RepeatsToTheBit) {
  Problem<typename TypeParam::T, typename TypeParam::Exec> p({4, 3, 37, 10}, 1);
  p.forward();
  p.backward();
  auto const y = to_host(p.Y).a, q = to_host(p.dQ).a, k = to_host(p.dK).a, v = to_host(p.dV).a;
  p.forward();
  p.backward();
  EXPECT_EQ(y, to_host(p.Y).a);
  EXPECT_EQ(q, to_host(p.dQ).a);
  EXPECT_EQ(k, to_host(p.dK).a);
  EXPECT_EQ(v, to_host(p.dV).a);
}

TYPED_TEST(Attention, RefusesShapesThatDoNotFit) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Problem<T, Exec> p({1, 2, 8, 4}, 1);
  auto const wide = garbage<T, Exec>(8, 9);
  EXPECT_THROW(attention<T>(Exec(), wide, p.P, p.shape, p.workspace, p.Q, p.K, p.V), std::invalid_argument);
  EXPECT_THROW(attention<T>(Exec(), p.Q, p.P, p.shape, p.workspace, p.Q, p.K, p.V), std::invalid_argument);
  EXPECT_THROW(attention<T>(Exec(), p.Y, p.P, p.shape, AttentionWorkspace<T, Exec>({1, 1, 8, 4}), p.Q, p.K, p.V),
               std::invalid_argument);
  EXPECT_THROW(attention_backward<T>(Exec(), p.dQ, p.dQ, p.dV, p.shape, p.workspace, p.dY, p.Y, p.P, p.Q, p.K, p.V),
               std::invalid_argument);
  EXPECT_THROW(attention_backward<T>(Exec(), p.Q, p.dK, p.dV, p.shape, p.workspace, p.dY, p.Y, p.P, p.Q, p.K, p.V),
               std::invalid_argument);
}

// Views of no memory: the shape is refused before anything is read.
TYPED_TEST(Attention, RefusesAContextWhoseOffsetsOverflow) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  T* const none = nullptr;
  for (AttentionShape const& s : {AttentionShape{1, 1, 46341, 2}, {1, 64, 40000, 1024}}) {
    auto const n = static_cast<std::size_t>(s.context), width = static_cast<std::size_t>(s.heads * s.head_width);
    Matrix<T, Exec> const X(none, n, width);
    Vector<T, Exec> const P(none, static_cast<std::size_t>(s.heads) * n * n);
    AttentionWorkspace<T, Exec> const workspace({1, 1, 4, 2});
    try {
      attention<T>(Exec(), X, P, s, workspace, X, X, X);
      ADD_FAILURE() << "context " << s.context << " went through";
    } catch (std::invalid_argument const& e) {
      EXPECT_NE(std::string(e.what()).find("46340"), std::string::npos) << e.what();
    }
  }
}

}  // namespace attention_test
}  // namespace kaon::test
