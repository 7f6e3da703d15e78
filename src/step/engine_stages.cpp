// What is left of a step when the gradients are done, bundle by bundle: one round of messages, or two that depend on each other.
#include <kaon/step/engine.hpp>

#include <algorithm>

namespace kaon {

// First rounds before second ones, and each in the order in which forward needs the layers.
template <class T>
void Engine<T>::list_duties() {
  auto const& plan = exchange_->plan();
  auto const serves = [&](int b) { return plan.serves(comm_.rank(), plan.bundle(b).layers.front()); };
  auto const two = [&](int b) { return staged(plan.bundle(b).layers.front()); };
  for (int b = static_cast<int>(plan.bundles().size()) - 1; b >= 0; --b) {
    if (serves(b))
      duties_.push_back({Duty::Kind::serve, b});
    else if (two(b))
      duties_.push_back({Duty::Kind::hear, b});
  }
  for (int b = static_cast<int>(plan.bundles().size()) - 1; b >= 0; --b)
    if (serves(b) && two(b)) duties_.push_back({Duty::Kind::conclude, b});
}

template <class T>
bool Engine<T>::due(Duty const& duty) const {
  int const b = duty.bundle;
  switch (duty.kind) {
    case Duty::Kind::serve:
      return exchange_->arrived(b);
    case Duty::Kind::hear:
      return exchange_->owes_down(b, step_ + 1) && exchange_->down_arrived(b);
    default:  // of a replicated server others' answers may come before it has served
      return served_[static_cast<std::size_t>(b)] && exchange_->second().arrived(b);
  }
}

template <class T>
std::string Engine<T>::missing(Duty const& duty) const {
  switch (duty.kind) {
    case Duty::Kind::serve:
      return exchange_->missing_up(duty.bundle);
    case Duty::Kind::hear:
      return exchange_->missing_down(duty.bundle);
    default:
      return exchange_->second().missing_up(duty.bundle);
  }
}

template <class T>
void Engine<T>::perform(Duty const& duty) {
  int const b = duty.bundle;
  auto const& layers = exchange_->plan().bundle(b).layers;
  switch (duty.kind) {
    case Duty::Kind::serve:
      for (int const i : layers) serve_layer(i);
      served_[static_cast<std::size_t>(b)] = true;
      if (staged(layers.front())) answer(b);
      return;
    case Duty::Kind::hear: {
      {
        InPhase const in(timer_, Phase::follow);
        for (int const i : layers) of(i).hear(*context_, i);
      }
      answer(b);
      exchange_->close_down(b);
      followed_.push_back({exchange_.get(), b});
      return;
    }
    default:
      for (int const i : layers) of(i).conclude(*context_, i);
  }
}

// The second round's packets of the workers at home here.
template <class T>
void Engine<T>::answer(int bundle) {
  auto const& plan = exchange_->plan();
  for (int const i : plan.bundle(bundle).layers) {
    auto const here = plan.homes_at(comm_.rank(), i);
    for (int j = here.first; j < here.end(); ++j) of(i).answer(*context_, i, j);
  }
}

// The state that a gradient meets is that of the step before, complete: with a second stage it may still be under way.
template <class T>
void Engine<T>::on_gradient(int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  if (staged(layer)) arrive(layer, step_);
  of(layer).on_gradient(*context_, layer, worker, gradient);
}

template <class T>
bool Engine<T>::steps_everywhere() const {
  auto const& all = methods_->all();
  return comm_.size() > 1 && std::any_of(all.begin(), all.end(), [](auto const& m) { return m->steps_everywhere(); });
}

#define KAON_STAGES(T)                                                          \
  template void Engine<T>::list_duties();                                       \
  template bool Engine<T>::due(Duty const&) const;                              \
  template std::string Engine<T>::missing(Duty const&) const;                   \
  template void Engine<T>::perform(Duty const&);                                \
  template void Engine<T>::answer(int);                                         \
  template void Engine<T>::on_gradient(int, int, ConstMatrix<T, Space> const&); \
  template bool Engine<T>::steps_everywhere() const;
KAON_STAGES(float)
KAON_STAGES(double)
#undef KAON_STAGES

}  // namespace kaon
