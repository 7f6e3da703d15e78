#include <kaon/method/measure.hpp>

#include <cmath>
#include <limits>

namespace kaon {

std::optional<double> LayerReport::find(std::string_view column) const {
  for (std::size_t k = 0; figures && k < figures->columns.size(); ++k)
    if (figures->columns[k] == column) return values[k];
  return {};
}

double LayerReport::operator[](std::string_view column) const {
  return find(column).value_or(std::numeric_limits<double>::quiet_NaN());
}

Measure::Measure(std::vector<Figures const*> figures, int workers, std::int64_t largest_layer)
    : figures_(std::move(figures)), workers_(workers) {
  std::size_t at = 0;
  for (auto const* f : figures_) {
    first_.push_back(at);
    at += static_cast<std::size_t>(workers) * f->of_worker.size() + f->of_server.size();
  }
  first_.push_back(at);
  values_ = Vector<double, Space>("kaon::method::measure", at);
  partials_ = Vector<double, Space>("kaon::method::measure_partials", static_cast<std::size_t>(reduce_blocks(largest_layer)));
}

void Measure::clear(Space const& exec) { Kokkos::deep_copy(exec, values_, 0.0); }

std::vector<LayerReport> Measure::reports(Space const& exec, Communicator const& comm) {
  exec.fence();
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, values_);
  read_.assign(host.data(), host.data() + host.extent(0));
  comm.sum_each(read_);
  std::vector<LayerReport> out;
  for (std::size_t i = 0; i < figures_.size(); ++i)
    out.push_back({figures_[i], figures_[i]->derive({read_.data() + first_[i], first_[i + 1] - first_[i]}, workers_)});
  return out;
}

std::string Measure::beyond_range(std::vector<Layer> const& layers) const {
  auto const say = [](std::string const& layer, std::string const& whose, std::string const& what) {
    return "layer " + layer + whose + ": the squared norm of " + what +
           " is not finite; a smaller radius, or data of common size, is the usual cure";
  };
  for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
    auto const& name = layers[static_cast<std::size_t>(i)].name;
    for (int j = 0; j < workers_; ++j)
      for (std::size_t k = 0; k < of(i).of_worker.size(); ++k)
        if (!std::isfinite(read_[worker_index(i, j, k)])) return say(name, ", worker " + std::to_string(j), of(i).of_worker[k]);
    for (std::size_t k = 0; k < of(i).of_server.size(); ++k)
      if (!std::isfinite(read_[server_index(i, k)])) return say(name, "", of(i).of_server[k]);
  }
  return {};
}

}  // namespace kaon
