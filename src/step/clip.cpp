#include <kaon/step/clip.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/clip.hpp>
#include <kaon/linalg/norms.hpp>

#include <algorithm>

namespace kaon {

template <class T>
Clip<T>::Clip(Communicator const& comm, std::vector<Layer> const& layers, Plan const& plan, double clip, bool everywhere)
    : clip_(clip),
      home_(layers.size()),
      buffers_(layers.size()),
      held_(layers.size()),
      squares_("kaon::step::clip_squares", layers.size()),
      factor_("kaon::step::clip_factor"),
      host_squares_(Kokkos::create_mirror_view(squares_)) {
  int const me = comm.rank();
  auto const here = plan.workers_at(me);
  bool const shared = here.count == 1 && plan.group_of(here.first).size() > 1;
  if (plan.groups() > 0 && !everywhere) {
    auto part = std::make_unique<Communicator>(comm, here.count > 0 ? here.first : plan.workers());
    if (shared) group_ = std::move(part);
  }
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    home_[i] = here.count > 0 && (everywhere || plan.home_of(static_cast<int>(i), here.first) == me);
    if (!home_[i]) continue;
    ++homes_;
    auto const rows = static_cast<std::size_t>(layers[i].rows), cols = static_cast<std::size_t>(layers[i].cols);
    largest = std::max(largest, norm_workspace(layers[i].rows, layers[i].cols));
    if (shared || plan.micro_batches() == 1) buffers_[i] = Matrix<T, Space>("kaon::step::held_gradient", rows, cols);
  }
  partials_ = Vector<double, Space>("kaon::step::clip_partials", static_cast<std::size_t>(largest));
  sum_.mine.assign(group() ? layers.size() : 0, 0.0);
}

template <class T>
void Clip<T>::hold(Space const& exec, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  auto const& buffer = buffers_[static_cast<std::size_t>(layer)];
  copy<T>(exec, buffer, gradient);
  hold_own(exec, layer, worker, buffer);
}

template <class T>
void Clip<T>::hold_own(Space const& exec, int layer, int worker, Matrix<T, Space> const& gradient) {
  auto const i = static_cast<std::size_t>(layer);
  require(home_[i] && (held_count_ == 0 || worker == worker_), "Clip: not this rank's layer, or another worker's");
  worker_ = worker;
  held_[i] = gradient;
  ++held_count_;
  sum_squares<T>(exec, Scalar<double, Space>(squares_.data() + layer), partials_, gradient);
}

template <class T>
bool Clip<T>::arrived() {
  if (!begun_ || known_) return known_ && !given_;
  int done = 0;
  KAON_MPI(MPI_Test(&sum_.request, &done, MPI_STATUS_IGNORE));
  known_ = done != 0;
  return known_;
}

// In a group each layer's sum comes from its home; the others bring zeros, so that the sums are exact.
template <class T>
bool Clip<T>::know_factor(Space const& exec) {
  if (group() && !begun_) {
    Kokkos::deep_copy(exec, host_squares_, squares_);
    exec.fence();
    for (std::size_t i = 0; i < home_.size(); ++i) sum_.mine[i] = home_[i] ? host_squares_(i) : 0.0;
    group_->begin_sum(sum_);
    begun_ = true;
  }
  if (group()) {
    if (!arrived()) return false;
    std::copy(sum_.total.begin(), sum_.total.end(), host_squares_.data());
    Kokkos::deep_copy(exec, squares_, host_squares_);
  }
  clip_factor<Space>(exec, factor_, squares_, clip_);
  return true;
}

template class Clip<float>;
template class Clip<double>;

}  // namespace kaon
