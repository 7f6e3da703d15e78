// A token's loss depends on the tokens up to it and on nothing after it, and targets are the inputs moved on by one.
#include "gpt_reference.hpp"

namespace kaon::test {
namespace gpt_causal_test {

double network_loss(GptNetwork<double>& network, typename Objective<double>::ConstPoint const& W, std::vector<int> const& in,
                    std::vector<int> const& out) {
  auto const send = [](std::vector<int> const& v) {
    Vector<std::int32_t, Space> d("kaon::test::tokens", v.size());
    auto const h = Kokkos::create_mirror_view(Kokkos::HostSpace{}, d);
    for (std::size_t i = 0; i < v.size(); ++i) h(i) = v[i];
    Kokkos::deep_copy(d, h);
    return d;
  };
  Scalar<double, Space> loss("kaon::test::loss");
  network.forward(Space(), loss, W, send(in), send(out), 1.0);
  Space().fence();
  return value(loss);
}

TEST(GptCausal, EarlierLossesDoNotSeeALaterToken) {
  for (bool const tied : {false, true}) {
    auto s = tiny(tied);
    s.batch = 1;
    auto const P = point<double>(random_point(s, 91));
    auto const W = as_const<double>(P);
    GptNetwork<double> network(s);
    int const n = s.context;
    std::vector<int> in(static_cast<std::size_t>(n)), one(in), two(in);
    for (int i = 0; i < n; ++i) {
      in[static_cast<std::size_t>(i)] = (7 * i + 3) % s.vocab;
      one[static_cast<std::size_t>(i)] = (5 * i + 1) % s.vocab;
      two[static_cast<std::size_t>(i)] = (11 * i + 2) % s.vocab;
    }
    // Σ_{i<t} of the losses under targets `one` minus those under `two`: from t on both have the same targets, which cancel.
    double worst = 0, moved = 0;
    for (int t = 1; t < n; ++t) {
      auto early = two;
      for (int i = 0; i < t; ++i) early[static_cast<std::size_t>(i)] = one[static_cast<std::size_t>(i)];
      auto changed = in;
      changed[static_cast<std::size_t>(t)] = (in[static_cast<std::size_t>(t)] + 1) % s.vocab;
      double const before = network_loss(network, W, in, early) - network_loss(network, W, in, two);
      double const after = network_loss(network, W, changed, early) - network_loss(network, W, changed, two);
      worst = std::max(worst, std::abs(before - after));
      moved = std::max(moved, std::abs(network_loss(network, W, changed, one) - network_loss(network, W, in, one)));
    }
    std::printf("  largest influence of a later token on earlier losses %.2e, tolerance 1e-12; on the whole loss %.2e\n", worst,
                moved);
    EXPECT_LE(worst, 1e-12);
    EXPECT_GT(moved, 1e-4) << "the token changed nothing at all: this test could not fail";
  }
}

TEST(GptCausal, TargetsAreTheInputsMovedOnByOne) {
  auto const s = tiny(false);
  std::vector<std::uint16_t> tokens(600);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<std::uint16_t>((i * i + 3 * i) % static_cast<std::size_t>(s.vocab));
  auto const data = deal(s, 2, tokens);
  for (int worker : {0, 1}) {
    data->fill(Space(), worker, 0);
    auto const in = host_tokens(data->inputs()), out = host_tokens(data->targets());
    for (int b = 0; b < s.batch; ++b)
      for (int i = 0; i + 1 < s.context; ++i) {
        auto const at = static_cast<std::size_t>(b * s.context + i);
        ASSERT_EQ(out[at], in[at + 1]);
      }
  }
}

}  // namespace gpt_causal_test
}  // namespace kaon::test
