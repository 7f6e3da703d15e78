// Every compressor on more than 10⁴ matrices: 1 − ‖C(x) − x‖²/‖x‖² against the guaranteed α, in every norm that has one.
#include "matrices.hpp"

#include <kaon/compress/contraction.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/compress/registry.hpp>

#include <algorithm>
#include <cstdio>
#include <limits>

namespace {

using namespace kaon;
using namespace kaon::test;
using Exec = Kokkos::DefaultHostExecutionSpace;

/// To measure another compressor, add its spec.
char const* const specs[] = {"identity",
                             "damp:0.6",
                             "natural",
                             "natural:stochastic",
                             "bits:1",
                             "bits:2",
                             "bits:4",
                             "bits:8",
                             "bits:2:block=64",
                             "dither:2",
                             "dither:4",
                             "dither:8",
                             "sign",
                             "top:0.15",
                             "top:0.15+natural",
                             "top:0.2+natural:stochastic",
                             "top:0.15+bits:4",
                             "top:0.2+sign",
                             "rand:0.1",
                             "rand:0.5+natural",
                             "rand:0.1+bits:4",
                             "columns:0.25",
                             "columns:0.25+natural",
                             "columns:0.5+bits:4",
                             "rank:0.3",
                             "rank:0.3+natural",
                             "rank:0.3+bits:4",
                             "dropout:0.5",
                             "dropout:0.5+natural",
                             "dropout:0.5+top:0.2"};
struct Shape {
  int m, n;
};
constexpr Shape shapes[] = {{8, 12}, {16, 16}, {1, 50}, {24, 7}, {20, 30}};
constexpr int shape_count = 5, per_cell = 230, draws_of_random = 16;
static_assert(per_cell * shape_count * distribution_count >= 10000);

/// One compressor of one shape, with its buffers.
struct Machine {
  std::unique_ptr<Compressor<float, Exec>> c;
  Exec exec;
  Bytes<Exec> payload;
  Scalar<std::uint64_t, Exec> length{"kaon::test::length"};
  Matrix<float, Exec> x, y, state;
  Machine(std::string const& spec, int m, int n) : c(make_compressor<float, Exec>(spec, m, n)) {
    payload = Bytes<Exec>("kaon::test::payload", c->bytes_bound());
    x = Matrix<float, Exec>("kaon::test::x", static_cast<std::size_t>(m), static_cast<std::size_t>(n));
    y = Matrix<float, Exec>("kaon::test::y", static_cast<std::size_t>(m), static_cast<std::size_t>(n));
    auto const [r, k] = c->state_shape();
    state = Matrix<float, Exec>("kaon::test::state", static_cast<std::size_t>(r), static_cast<std::size_t>(k));
  }
  void start(HostMatrix const& from, std::uint32_t t) {
    for (std::size_t i = 0; i < from.a.size(); ++i) x.data()[i] = static_cast<float>(from.a[i]);
    if (state.size() > 0) c->initialize_state(exec, state, {6, Purpose::initialise, t, 0, 0});
  }
  /// C(x) − x.
  HostMatrix error(HostMatrix const& from, StreamKey const& key) {
    c->compress(exec, payload, length, x, state, key);
    exec.fence();
    std::fill(y.data(), y.data() + y.size(), 0.0F);
    c->decompress_add(exec, y, payload, length());
    exec.fence();
    HostMatrix e(from.rows, from.cols);
    for (std::size_t i = 0; i < e.a.size(); ++i) e.a[i] = static_cast<double>(y.data()[i]) - from.a[i];
    return e;
  }
};

/// The smallest contraction seen of one compressor in one norm, beside what is guaranteed there.
struct Least {
  double alpha = 2, promised = 0, margin = 2;
  std::string where;
  void see(double measured, double guaranteed, std::string const& at) {
    if (measured < alpha) alpha = measured;
    if (measured - guaranteed < margin) margin = measured - guaranteed, promised = guaranteed, where = at;
  }
};

TEST(Campaign, NoMatrixContractsLessThanGuaranteed) {
  double const rounding = 2e-6;  // of decoded values to float
  std::printf("seed 2024, %d matrices for each compressor; random ones: means over %d x %d draws, five standard errors\n",
              per_cell * shape_count * distribution_count, per_cell, draws_of_random);
  std::printf("| compressor | norm | measured | guaranteed | difference (the smallest) | where | smallest measured anywhere |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (std::string const spec : specs) {
    Least least[norm_count];
    bool random = false;
    int matrices = 0;
    for (auto const [m, n] : shapes) {
      Machine machine(spec, m, n);
      random = machine.c->is_random();
      int const draws = random ? draws_of_random : 1;
      double guaranteed[norm_count];
      for (int k = 0; k < norm_count; ++k) guaranteed[k] = guaranteed_alpha(spec, m, n, measured_norms[k]);
      for (int d = 0; d < distribution_count; ++d) {
        double sum[norm_count] = {}, squares[norm_count] = {}, count = 0;  // zeros have no contraction: not counted
        std::string const where = std::to_string(m) + "x" + std::to_string(n) + " " + distributions[d];
        for (std::uint32_t t = 0; t < per_cell; ++t) {
          auto const x = draw(d, m, n, t);
          auto const size = norms(x);
          if (size.v[0] == 0) continue;
          machine.start(x, t);
          count += draws;
          ++matrices;
          for (int draw = 0; draw < draws; ++draw) {
            StreamKey const key{31, Purpose::compress_up, t, static_cast<std::uint32_t>(d), static_cast<std::uint32_t>(draw)};
            auto const left = norms(machine.error(x, key));
            for (int k = 0; k < norm_count; ++k) {
              double const a = 1 - left.v[k] * left.v[k] / (size.v[k] * size.v[k]);
              ASSERT_TRUE(std::isfinite(a)) << spec << " on " << where << " " << t;
              sum[k] += a, squares[k] += a * a;
              if (random) continue;
              least[k].see(a, guaranteed[k], where);
              if (guaranteed[k] > 0 || k == 0) {
                ASSERT_GE(a, guaranteed[k] - rounding) << spec << " on " << where << " " << t << ", norm " << measured_norms[k];
              }
            }
          }
        }
        if (!random) continue;
        for (int k = 0; k < norm_count; ++k) {
          double const mean = sum[k] / count, deviation = std::sqrt(std::max(0.0, squares[k] / count - mean * mean) / count);
          least[k].see(mean, guaranteed[k], where);
          if (guaranteed[k] > 0 || k == 0) {
            EXPECT_GE(mean, guaranteed[k] - 5 * deviation - rounding)
                << spec << " on " << where << ", norm " << measured_norms[k];
          }
        }
      }
    }
    EXPECT_GE(matrices, 10000) << spec;
    for (int k = 0; k < norm_count; ++k)
      if (least[k].promised > 0 || k == 0)
        std::printf("| `%s`%s | %s | %.6f | %.6f | %+.2e | %s | %.6f |\n", spec.c_str(), random ? " (mean)" : "",
                    measured_norms[k], least[k].promised + least[k].margin, least[k].promised, least[k].margin,
                    least[k].where.c_str(), least[k].alpha);
    std::fflush(stdout);
  }
}

TEST(Campaign, RankReachesTheTruncatedSvdWhereItHasConverged) {
  double worst = 2, first = 2;
  for (auto const [m, n] : shapes) {
    Machine machine("rank:0.3", m, n);
    double const alpha = truncated_svd_alpha(RankK<float, Exec>::count(0.3, m, n), std::min(m, n), "frobenius");
    for (int d = 0; d < distribution_count; ++d)
      for (std::uint32_t t = 0; t < 40; ++t) {
        auto const x = draw(d, m, n, t);
        double const size = norms(x).v[0];
        if (size == 0) continue;
        machine.start(x, t);
        double a = 0;
        for (std::uint32_t step = 0; step < 12; ++step) {
          double const left = norms(machine.error(x, {32, Purpose::compress_up, step, 0, t})).v[0];
          a = 1 - left * left / (size * size);
          if (step == 0) first = std::min(first, a - alpha);
        }
        worst = std::min(worst, a - alpha);
        EXPECT_GE(a, alpha - 1e-5) << m << "x" << n << " " << distributions[d] << " " << t;
      }
  }
  std::printf("rank:0.3: measured - K/min(m, n) at least %+.4f at the first step, %+.2e after 12 on one matrix\n", first, worst);
}

}  // namespace
