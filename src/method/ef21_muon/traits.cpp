#include <kaon/method/ef21_muon/traits.hpp>

#include <cmath>

namespace kaon::ef21_muon {

namespace {

std::vector<double> derive(std::span<double const> squares, int workers) {
  auto const contraction = [](double shift, double rest) { return shift > 0 ? 1 - rest / shift : 1.0; };
  auto const ratio = [](double a, double b) { return a == 0 ? 0.0 : std::sqrt(a / b); };
  double alpha = 0, lag = 0;
  for (int j = 0; j < workers; ++j) {
    auto const* up = &squares[static_cast<std::size_t>(j) * 3];
    alpha += contraction(up[up_shift], up[up_rest]) / workers;
    lag += ratio(up[up_rest], up[momentum]) / workers;
  }
  auto const* down = &squares[static_cast<std::size_t>(workers) * 3];
  return {alpha, lag, contraction(down[down_shift], down[down_rest]), ratio(down[down_rest], down[model]),
          std::sqrt(down[estimate])};
}

}  // namespace

Figures const& figures() {
  static Figures const all{{"the momentum M_j", "M_j - G_j after the uplink", "M_j - G_j before the uplink"},
                           {"the estimate G", "W", "X - W after the downlink", "X - W before the downlink"},
                           {"alpha_up", "lag", "alpha_down", "gap", "gradient_norm"},
                           derive};
  return all;
}

std::vector<Key> feedback_keys() {
  return {
      {.section = "group",
       .name = "feedback",
       .type = KeyType::choice,
       .fallback = "ef21",
       .choices = {"ef21", "ef14", "none"},
       .help = "what the uplink does with what its compressor drops: ef21, differences of M_j to an estimate G_j are sent; ef14, "
               "what was not sent is added to what is sent next; none, it is lost"},
      {.section = "group",
       .name = "feedback_decay",
       .type = KeyType::real,
       .fallback = "1",
       .low = 0,
       .high = 1,
       .low_open = true,
       .help = "feedback ef14: weight of what was not sent, before M_j is added"}};
}

MethodTraits traits() {
  return {"ef21-muon",
          "EF21-Muon: compressed both ways with error feedback, oracle at the server",
          {"norm", "scale", "radius", "beta", "weight_decay", "uplink", "downlink"},
          feedback_keys()};
}

}  // namespace kaon::ef21_muon
