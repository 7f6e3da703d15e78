#include <kaon/method/dion/traits.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace kaon::dion {

namespace {

// ‖R‖ and its share of ‖M‖; of several workers' M_j the root of their mean square stands for ‖M‖, which nobody has.
std::vector<double> derive(std::span<double const> squares, int workers) {
  auto const n = static_cast<std::size_t>(workers);
  auto const* const server = squares.data() + n;
  double all = server[momentum];
  for (std::size_t j = 0; j < n; ++j) all += squares[j] / workers;
  return {std::sqrt(server[right]), all > 0 ? std::sqrt(server[right] / all) : 1.0};
}

}  // namespace

Figures const& figures() {
  static Figures const all{{"the momentum M_j"}, {"the momentum M", "R = M^T P", "W"}, {"gradient_norm", "held"}, derive};
  return all;
}

MethodTraits traits() {
  return {"dion",
          "Dion: momentum at the workers, orthonormal low-rank steps; factors alone travel, in two rounds",
          {"radius", "weight_decay"},
          {{.section = "group",
            .name = "dion_rank",
            .type = KeyType::real,
            .fallback = "0.25",
            .low = 0,
            .high = 1,
            .low_open = true,
            .help = "method dion: rank of a step over the shorter side of the matrix, rounded up"},
           {.section = "group",
            .name = "dion_momentum",
            .type = KeyType::real,
            .fallback = "0.95",
            .low = 0,
            .high = 1,
            .high_open = true,
            .help = "method dion: what a step leaves of the part of the momentum that it was made of"}}};
}

Constants constants_of(Layer const& layer, LayerSettings const& settings) {
  auto const own = traits();
  auto const m = std::int64_t{layer.rows}, n = std::int64_t{layer.cols};
  // Rounded up, but not for what the product's own rounding adds.
  double const wanted = own_number(own, layer, settings, "dion_rank") * static_cast<double>(std::min(m, n));
  Constants c;
  c.rank = std::max(1, static_cast<int>(std::ceil(wanted * (1 - 1e-12))));
  c.dense = c.rank * (m + n) >= m * n;
  c.forget = 1 - own_number(own, layer, settings, "dion_momentum");
  c.scale = std::sqrt(static_cast<double>(m) / static_cast<double>(n));
  return c;
}

}  // namespace kaon::dion
