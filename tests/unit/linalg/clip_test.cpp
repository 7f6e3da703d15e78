#include <kaon/linalg/clip.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/traps.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kaon {
namespace clip_test {

template <class B>
struct Clip : ::testing::Test {
  using Exec = typename B::Exec;
  static double factor(std::vector<double> const& squares, double clip) {
    Exec const exec{};
    Vector<double, Exec> const s("kaon::test::squares", squares.size());
    auto const host = Kokkos::create_mirror_view(s);
    for (std::size_t i = 0; i < squares.size(); ++i) host(i) = squares[i];
    Kokkos::deep_copy(s, host);
    Scalar<double, Exec> const out("kaon::test::factor");
    clip_factor<Exec>(exec, out, s, clip);
    exec.fence();
    double x = 0;
    Kokkos::deep_copy(x, out);
    return x;
  }
};
TYPED_TEST_SUITE(Clip, test::Backends, test::BackendNames);

TYPED_TEST(Clip, IsTheFormula) {
  auto const f = [](std::vector<double> const& s, double clip) { return TestFixture::factor(s, clip); };
  EXPECT_EQ(f({9, 16}, 2), 2 / (5 + 1e-6));
  EXPECT_EQ(f({9, 16}, 5), 5 / (5 + 1e-6)) << "at the norm itself a gradient is scaled a little, as torch does";
  EXPECT_EQ(f({9, 16}, 5.1), 1);
  EXPECT_EQ(f({0, 0, 0}, 0.5), 1);
  EXPECT_EQ(f({0}, 1e-7), 1e-7 / 1e-6) << "nothing is divided by zero";
}

// From the first layer on: small ones behind a large one are lost, one by one.
TYPED_TEST(Clip, AddsInTheOrderOfTheLayers) {
  std::vector<double> squares(1001, 1.0);
  squares[0] = 1e16;
  EXPECT_EQ(TestFixture::factor(squares, 1), 1 / (1e8 + 1e-6));
  std::swap(squares.front(), squares.back());
  EXPECT_EQ(TestFixture::factor(squares, 1), 1 / (std::sqrt(1e16 + 1000) + 1e-6));
  EXPECT_NE(std::sqrt(1e16 + 1000), 1e8);
}

TYPED_TEST(Clip, WhatIsNotFinite) {
  test::Untrapped const untrapped;
  double const inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(TestFixture::factor({1, inf}, 1), 0);
  EXPECT_TRUE(std::isnan(TestFixture::factor({1, nan}, 1)));
}

}  // namespace clip_test
}  // namespace kaon
