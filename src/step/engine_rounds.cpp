// Local steps: what a step does that has no messages, and losses that are told when a round ends.
#include <kaon/core/error.hpp>
#include <kaon/step/engine.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {

// Where the share's gradients are taken: W in the first step of a round, behind it the worker's own point.
template <class T>
void Engine<T>::point_at(Share const& share) {
  if (walks_.empty()) return;
  for (int const i : walks_) {
    auto const k = static_cast<std::size_t>(i);
    model_->set(k, context_->in_round == 0 ? ConstMatrix<T, Space>(W_[k]) : of(i).local()->point(i, share.worker));
  }
}

// The inner steps of this rank's workers, and their packets where the round ends.
template <class T>
void Engine<T>::walk(double multiplier) {
  context_->multiplier = multiplier;
  auto const here = exchange_->plan().workers_at(comm_.rank());
  for (int const i : walks_)
    for (int j = here.first; j < here.end(); ++j) {
      of(i).local()->walk(*context_, i, j);
      exchange_->poll();
    }
  if (!context_->round_ends && !to_join_.empty()) exec_.fence();  // partial sums of others are read until then
}

template <class T>
void Engine<T>::keep_losses() {
  auto const micros = static_cast<std::size_t>(exchange_->plan().micro_batches());
  auto const all = static_cast<std::size_t>(exchange_->plan().workers()) * micros;
  require((untold_.size() + 1) * all <= kept_losses_.size(), "Engine: a round has more steps than local_steps");
  auto const mine = std::span<double>(kept_losses_).subspan(untold_.size() * all, all);
  std::fill(mine.begin(), mine.end(), 0.0);
  for (std::size_t k = 0; k < shares_.size(); ++k)
    mine[static_cast<std::size_t>(shares_[k].worker) * micros + static_cast<std::size_t>(shares_[k].micro)] =
        given_losses_[k].from_host ? given_losses_[k].value : host_losses_(k);
  untold_.push_back(step_);
}

// Collective where a loss is not finite. `told`: the step's kept_losses_ of all ranks, added.
template <class T>
StepLoss Engine<T>::loss_of_step(std::uint64_t step, std::span<double const> told) const {
  auto const& plan = exchange_->plan();
  auto from = told.begin();
  StepLoss one;
  one.step = step;
  one.worker_loss.assign(static_cast<std::size_t>(plan.workers()), 0.0);
  for (int j = 0; j < plan.workers(); ++j) {
    auto& loss = one.worker_loss[static_cast<std::size_t>(j)];
    for (int b = 0; b < plan.micro_batches(); ++b) loss += *from++;
    if (!std::isfinite(loss))
      throw NumericalError("the loss of worker " + std::to_string(j) + " is not finite at step " + std::to_string(step) + "; " +
                           largest_weight() + "; a smaller radius or a gentler compressor is the usual cure");
    one.loss += loss;
  }
  one.loss /= plan.workers();
  return one;
}

template <class T>
std::vector<StepLoss> Engine<T>::losses_of(std::span<double const> told) const {
  auto const of_one = static_cast<std::size_t>(exchange_->plan().workers() * exchange_->plan().micro_batches());
  std::vector<StepLoss> all;
  for (std::size_t k = 0; k < untold_.size(); ++k) all.push_back(loss_of_step(untold_[k], told.subspan(k * of_one, of_one)));
  return all;
}

template <class T>
std::vector<StepLoss> Engine<T>::collect_losses() {
  refuse_failed();
  auto const all = untold_.size() * static_cast<std::size_t>(exchange_->plan().workers() * exchange_->plan().micro_batches());
  std::vector<double> told(kept_losses_.begin(), kept_losses_.begin() + static_cast<std::ptrdiff_t>(all));
  comm_.sum_each(told);
  auto losses = losses_of(told);
  untold_.clear();
  return losses;
}

#define KAON_ROUNDS(T)                                                                          \
  template void Engine<T>::point_at(Share const&);                                              \
  template void Engine<T>::walk(double);                                                        \
  template void Engine<T>::keep_losses();                                                       \
  template StepLoss Engine<T>::loss_of_step(std::uint64_t, std::span<double const> told) const; \
  template std::vector<StepLoss> Engine<T>::losses_of(std::span<double const> told) const;      \
  template std::vector<StepLoss> Engine<T>::collect_losses();
KAON_ROUNDS(float)
KAON_ROUNDS(double)
#undef KAON_ROUNDS

}  // namespace kaon
