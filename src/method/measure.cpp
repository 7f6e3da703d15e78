#include <kaon/method/measure.hpp>

#include <cmath>

namespace kaon {

Measure::Measure(int layers, int workers, std::int64_t largest_layer) : layers_(layers), workers_(workers) {
  values_ = Vector<double, Space>("kaon::method::measure", down_index(layers, Down::shift));
  partials_ = Vector<double, Space>("kaon::method::measure_partials", static_cast<std::size_t>(reduce_blocks(largest_layer)));
}

void Measure::clear(Space const& exec) { Kokkos::deep_copy(exec, values_, 0.0); }

std::vector<LayerReport> Measure::reports(Space const& exec, Communicator const& comm) {
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, values_);
  std::vector<double> v(host.data(), host.data() + host.extent(0));
  comm.sum_each(v);
  read_ = v;
  auto const contraction = [](double shift, double rest) { return shift > 0 ? 1 - rest / shift : 1.0; };
  auto const ratio = [](double a, double b) { return a == 0 ? 0.0 : std::sqrt(a / b); };
  std::vector<LayerReport> out(static_cast<std::size_t>(layers_));
  for (int i = 0; i < layers_; ++i) {
    auto& r = out[static_cast<std::size_t>(i)];
    r.alpha_up = 0;
    for (int j = 0; j < workers_; ++j) {
      double const rest = v[up_index(i, j, Up::rest)];
      r.alpha_up += contraction(v[up_index(i, j, Up::shift)], rest) / workers_;
      r.lag += ratio(rest, v[up_index(i, j, Up::momentum)]) / workers_;
    }
    double const rest = v[down_index(i, Down::rest)];
    r.alpha_down = contraction(v[down_index(i, Down::shift)], rest);
    r.gap = ratio(rest, v[down_index(i, Down::model)]);
    r.gradient = std::sqrt(v[down_index(i, Down::estimate)]);
  }
  return out;
}

std::string Measure::beyond_range(std::vector<Layer> const& layers) const {
  static char const* const up[] = {"M_j - G_j before the uplink", "M_j - G_j after the uplink", "the momentum M_j"};
  static char const* const down[] = {"X - W before the downlink", "X - W after the downlink", "W", "the estimate G"};
  auto const bad = [&](std::size_t at) { return !std::isfinite(read_[at]); };
  auto const say = [](std::string const& layer, std::string const& whose, char const* what) {
    return "layer " + layer + whose + ": the squared norm of " + what +
           " is not finite; a smaller radius, or data of common size, is the usual cure";
  };
  for (int i = 0; i < layers_; ++i) {
    auto const& name = layers[static_cast<std::size_t>(i)].name;
    for (int j = 0; j < workers_; ++j)
      for (int k = static_cast<int>(Up::count) - 1; k >= 0; --k)  // the cause before what comes of it
        if (bad(up_index(i, j, static_cast<Up>(k)))) return say(name, ", worker " + std::to_string(j), up[k]);
    for (int k = static_cast<int>(Down::count) - 1; k >= 0; --k)
      if (bad(down_index(i, static_cast<Down>(k)))) return say(name, "", down[k]);
  }
  return {};
}

}  // namespace kaon
