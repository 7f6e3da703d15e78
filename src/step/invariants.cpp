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

}  // namespace

template <class T>
std::uint64_t Engine<T>::model_hash() const {
  finish();
  std::uint64_t hash = 0;
  for (auto const& w : W_) {
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
  for (std::size_t i = 0; i < layers_.size() && trouble.empty(); ++i) {
    auto const w = to_host<T>(W_[i]);
    if (!std::all_of(w.begin(), w.end(), [](T x) { return std::isfinite(x); }))
      trouble = "layer " + layers_[i].name + ": W has a NaN or an infinity";
  }
  for (auto const& t : comm_.gather(trouble))
    if (!t.empty()) throw InputError("the state is not consistent: " + t);
  double worst = 0;
  for (auto const& m : methods_->all()) worst = std::max(worst, m->check(comm_, tolerance));
  return worst;
}

template <class T>
std::string Engine<T>::invariants() const {
  std::string all;
  for (auto const& m : methods_->all())
    if (auto const one = m->invariant(); !one.empty()) all += (all.empty() ? "" : ", ") + one;
  return all;
}

template std::string Engine<float>::invariants() const;
template std::string Engine<double>::invariants() const;
template std::uint64_t Engine<float>::model_hash() const;
template std::uint64_t Engine<double>::model_hash() const;
template bool Engine<float>::same_model() const;
template bool Engine<double>::same_model() const;
template double Engine<float>::check_invariants(double) const;
template double Engine<double>::check_invariants(double) const;

}  // namespace kaon
