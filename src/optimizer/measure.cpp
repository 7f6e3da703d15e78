#include <kaon/optimizer/measure.hpp>

#include <cmath>

namespace kaon {

Measure::Measure(int layers, int workers, std::int64_t largest_layer) : layers_(layers), workers_(workers) {
  values_ = Vector<double, Space>("kaon::optimizer::measure", down_index(layers, Down::shift));
  partials_ = Vector<double, Space>("kaon::optimizer::measure_partials", static_cast<std::size_t>(reduce_blocks(largest_layer)));
}

void Measure::clear(Space const& exec) { Kokkos::deep_copy(exec, values_, 0.0); }

std::vector<LayerReport> Measure::reports(Space const& exec, Communicator const& comm) {
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, values_);
  std::vector<double> v(host.data(), host.data() + host.extent(0));
  comm.sum_each(v);
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

}  // namespace kaon
