// What must hold whenever a step is complete; asserted after every restart.
#include <kaon/core/error.hpp>
#include <kaon/step/engine.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace kaon {

namespace {

template <class T>
std::vector<T> to_host(Matrix<T, Space> const& m) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, m);
  return {host.data(), host.data() + host.size()};
}

template <class T>
double norm(std::vector<T> const& v) {
  double s = 0;
  for (T x : v) s += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(s);
}

}  // namespace

template <class T>
std::uint64_t Engine<T>::model_hash() const {
  finish();
  std::uint64_t hash = 0;
  for (auto const& w : server_->W()) {
    auto const host = to_host<T>(w);
    hash = XXH3_64bits_withSeed(host.data(), host.size() * sizeof(T), hash);
  }
  return hash;
}

template <class T>
bool Engine<T>::same_model() const {
  return comm_.same_everywhere(model_hash());
}

template <class T>
double Engine<T>::check_invariants(double tolerance) const {
  std::string trouble;
  if (!same_model()) trouble = "W differs between ranks";
  auto const finite = [&](int layer, char const* what, Matrix<T, Space> const& m) {
    for (T const x : to_host<T>(m))
      if (!std::isfinite(x)) {
        trouble = "layer " + layers_[static_cast<std::size_t>(layer)].name + ": " + what + " has a NaN or an infinity";
        return;
      }
  };
  for (int i = 0; i < exchange_->plan().layers(); ++i) {
    finite(i, "W", server_->W()[static_cast<std::size_t>(i)]);
    finite(i, "X", server_->X(i));
    auto const here = exchange_->plan().homes_at(comm_.rank(), i);
    for (int j = here.first; j < here.end(); ++j) finite(i, "M_j", workers_->M(i, j));
  }

  Communicator const apart(comm_.get());  // its messages meet none of the exchange's
  constexpr int tag = 0;
  double worst = 0;
  auto const& plan = exchange_->plan();
  for (int i = 0; i < plan.layers(); ++i) {
    int const owner = plan.owner_of(i);
    auto const& layer = layers_[static_cast<std::size_t>(i)];
    std::size_t const size = static_cast<std::size_t>(layer.rows) * static_cast<std::size_t>(layer.cols),
                      bytes = size * sizeof(T);
    std::vector<T> mean(size, T(0));
    double scale = 0;
    for (int j = 0; j < plan.workers(); ++j) {
      int const host = plan.home_of(i, j);
      std::vector<T> g;
      if (host == comm_.rank()) g = to_host<T>(workers_->G(i, j));
      if (host != owner && host == comm_.rank()) apart.send(g.data(), bytes, owner, tag);
      if (host != owner && owner == comm_.rank()) {
        g.resize(size);
        apart.receive(g.data(), bytes, host, tag);
      }
      if (owner != comm_.rank()) continue;
      scale = std::max(scale, norm(g));
      for (std::size_t e = 0; e < size; ++e) mean[e] += g[e];
    }
    if (owner != comm_.rank()) continue;
    auto difference = to_host<T>(server_->G(i));
    for (std::size_t e = 0; e < size; ++e) difference[e] -= mean[e] * (T(1) / static_cast<T>(plan.workers()));
    double const off = scale > 0 ? norm(difference) / scale : norm(difference);
    if (!(off <= tolerance))
      trouble = "layer " + layer.name + ": G differs from the mean of G_j by " + std::to_string(off) + " of the largest ‖G_j‖";
    worst = std::max(worst, off);
  }
  for (auto const& t : comm_.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
  return comm_.max(worst);
}

template std::uint64_t Engine<float>::model_hash() const;
template std::uint64_t Engine<double>::model_hash() const;
template bool Engine<float>::same_model() const;
template bool Engine<double>::same_model() const;
template double Engine<float>::check_invariants(double) const;
template double Engine<double>::check_invariants(double) const;

}  // namespace kaon
