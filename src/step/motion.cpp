// What came of a step that the losses do not tell: layers that stood still, and layers whose signs were turned.
#include <kaon/core/error.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/step/engine.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace kaon {

namespace {

std::string joined(std::vector<std::string> const& names) {
  std::string text;
  for (auto const& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

// On a host the numbers are the device's own, which the next rounds overwrite: what they say is kept.
template <class T>
void Engine<T>::read_motion(std::uint64_t steps_done) {
  constexpr auto entries = static_cast<std::size_t>(Motion::count);
  auto const first = host_losses_.extent(0) - layers_.size() * entries;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto* const local = of(static_cast<int>(i)).local();
    auto const& plan = exchange_->plan();
    int const teller = local && local->moves_at_workers() ? plan.lead_of(0) : plan.owner_of(static_cast<int>(i));
    auto const set = [&](Motion what) {
      return steps_done > 0 && teller == comm_.rank() &&
             host_losses_(first + i * entries + static_cast<std::size_t>(what)) == static_cast<double>(steps_done);
    };
    still_[i] = set(Motion::directed) && !set(Motion::moved);
    turned_[i] = (local && turned_[i]) || set(Motion::turned);  // a round's steps are told at its end
  }
}

template <class T>
bool Engine<T>::stood_still(int layer) const {
  return still_[static_cast<std::size_t>(layer)];
}

template <class T>
bool Engine<T>::turned(int layer) const {
  return turned_[static_cast<std::size_t>(layer)];
}

template <class T>
int Engine<T>::count(Told told) const {
  int found = 0;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i) found += (this->*told)(i) ? 1 : 0;
  return found;
}

template <class T>
std::vector<std::string> Engine<T>::names(Told told) const {
  std::vector<std::string> found;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i)
    if (!comm_.all(!(this->*told)(i))) found.push_back(layers_[static_cast<std::size_t>(i)].name);
  return found;
}

template <class T>
std::vector<std::string> Engine<T>::still_layers() const {
  return names(&Engine::stood_still);
}

template <class T>
void Engine<T>::refuse_turned(std::uint64_t row, int layers) const {
  if (layers == 0) return;
  throw NumericalError("step " + std::to_string(row) + ": t x weight_decay > 1 turned the signs of the weights in " +
                       joined(names(&Engine::turned)) + "; a smaller radius (adaptive: t = radius x dual norm of G) is the cure");
}

template <class T>
int Engine<T>::settle() {
  finish();
  Kokkos::deep_copy(exec_, host_losses_, losses_);
  exec_.fence();
  read_motion(next_);
  refuse_turned(next_, static_cast<int>(comm_.sum(std::int64_t{count(&Engine::turned)})));
  return static_cast<int>(comm_.sum(std::int64_t{count(&Engine::stood_still)}));
}

// On the way out: waits for the device. Collective, so that all ranks say the same although some have made a layer's step
// already.
template <class T>
std::string Engine<T>::largest_weight() const {
  std::int64_t largest = 0;
  for (auto const& w : W_) largest = std::max(largest, static_cast<std::int64_t>(w.size()));
  Scalar<double, Space> const top("kaon::step::largest_weight");
  Vector<double, Space> const partials("kaon::step::largest_partials", static_cast<std::size_t>(reduce_blocks(largest)));
  double most = -1;
  std::string name;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    double here = 0;
    max_abs<T>(exec_, top, partials, W_[i]);
    exec_.fence();
    Kokkos::deep_copy(here, top);
    if (double const all = comm_.max(here); all > most) most = all, name = layers_[i].name;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.3g", most);
  return std::string("the largest weight is ") + text + ", in layer " + name;
}

template void Engine<float>::read_motion(std::uint64_t);
template std::vector<std::string> Engine<float>::names(Told) const;
template void Engine<double>::read_motion(std::uint64_t);
template std::vector<std::string> Engine<double>::names(Told) const;
template bool Engine<float>::stood_still(int) const;
template bool Engine<float>::turned(int) const;
template int Engine<float>::count(Told) const;
template bool Engine<double>::stood_still(int) const;
template bool Engine<double>::turned(int) const;
template int Engine<double>::count(Told) const;
template std::vector<std::string> Engine<float>::still_layers() const;
template std::vector<std::string> Engine<double>::still_layers() const;
template void Engine<float>::refuse_turned(std::uint64_t, int) const;
template void Engine<double>::refuse_turned(std::uint64_t, int) const;
template int Engine<float>::settle();
template int Engine<double>::settle();
template std::string Engine<float>::largest_weight() const;
template std::string Engine<double>::largest_weight() const;

}  // namespace kaon
