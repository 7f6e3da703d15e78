#include "harness.hpp"

namespace dropout_test {

using namespace kaon;
using namespace kaon::test;

template <class B>
struct DropoutTest : ::testing::Test {};
TYPED_TEST_SUITE(DropoutTest, Backends, BackendNames);

TYPED_TEST(DropoutTest, SendsWhatItsInnerCompressorSendsOrEightZeroBytes) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(24, 30, 91));
  for (std::string const inner : {"natural", "natural:stochastic", "bits:4", "top:0.2+bits:4", "rand:0.3", "rank:0.3", "sign"}) {
    Harness<T, Exec> h("dropout:0.4+" + inner, 24, 30), plain(inner, 24, 30);
    int dropped = 0;
    for (std::uint32_t step = 0; step < 30; ++step) {
      h.key.step = plain.key.step = step;
      auto const bytes = h.compress(x);
      std::vector<unsigned char> expected(8, 0);
      if (bytes.size() == 8) {
        ++dropped;
      } else {
        auto const rest = plain.compress(x);  // a state moves on only where something is sent
        expected[0] = 1;
        expected.insert(expected.end(), rest.begin(), rest.end());
      }
      ASSERT_EQ(bytes, expected) << inner << " step " << step;
      auto const c = h.decompress(bytes, HostMatrix(24, 30));
      if (bytes.size() == 8) {
        ASSERT_EQ(squared(c), 0) << inner;
      }
    }
    EXPECT_GT(dropped, 0) << inner;
    EXPECT_LT(dropped, 30) << inner;
  }
}

TYPED_TEST(DropoutTest, AloneSendsEveryValueExactly) {
  using T = typename TypeParam::T;
  auto const x = rounded<T>(random_matrix(11, 13, 92));
  Harness<T, typename TypeParam::Exec> h("dropout:0.5", 11, 13);
  for (std::uint32_t step = 0; step < 20; ++step) {
    h.key.step = step;
    auto const bytes = h.compress(x);
    auto const c = h.decompress(bytes, HostMatrix(11, 13));
    EXPECT_EQ(c.a, bytes.size() == 8 ? HostMatrix(11, 13).a : x.a);
  }
}

TYPED_TEST(DropoutTest, KeepsWithItsProbability) {
  using T = typename TypeParam::T;
  HostMatrix x(1, 1);
  x.a = {1};
  int const draws = 20000;
  for (double const p : {0.1, 0.5, 0.9}) {
    Harness<T, typename TypeParam::Exec> h("dropout:" + std::to_string(p), 1, 1);
    int kept = 0;
    auto const in = to_device<T, typename TypeParam::Exec>(x);
    Scalar<std::uint64_t, typename TypeParam::Exec> length("kaon::test::length");
    for (int t = 0; t < draws; ++t) {
      h.key.step = static_cast<std::uint32_t>(t);
      h.c->compress(h.exec, h.payload(h.c->bytes_bound()), length, in, h.state, h.key);
      h.exec.fence();
      std::uint64_t used = 0;
      Kokkos::deep_copy(used, length);
      kept += used > 8;
    }
    double const z = (kept - p * draws) / std::sqrt(draws * p * (1 - p));
    std::printf("keys 1234: kept %d of %d at %.1f, z %.2f (limit 4.5)\n", kept, draws, p, z);
    EXPECT_LT(std::fabs(z), 4.5);
  }
}

TYPED_TEST(DropoutTest, GuaranteeIsTheProduct) {
  using T = typename TypeParam::T;
  Harness<T, typename TypeParam::Exec> h("dropout:0.25+top:0.5", 10, 10), one("dropout:1", 4, 4);
  EXPECT_DOUBLE_EQ(h.c->guaranteed_alpha(), 0.125);
  EXPECT_TRUE(h.c->is_random());
  EXPECT_FALSE(one.c->is_random());
  EXPECT_EQ(one.c->guaranteed_alpha(), 1);
}

}  // namespace dropout_test
