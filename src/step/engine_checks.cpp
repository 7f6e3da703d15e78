// What a caller gets wrong within a step, and how the other ranks come to know of it.
#include <kaon/core/error.hpp>
#include <kaon/step/engine.hpp>

#include <cmath>
#include <cstdlib>
#include <exception>

namespace kaon {

namespace {

bool same(Share const& a, Share const& b) { return a.worker == b.worker && a.step == b.step && a.micro == b.micro; }

}  // namespace

template <class T>
std::string Engine<T>::wrong_multiplier(std::uint64_t step, double multiplier) {
  if (std::isfinite(multiplier) && multiplier >= 0) return {};
  return "the multiplier of step " + std::to_string(step) + " is " + std::to_string(multiplier) +
         ", and must be finite and not negative";
}

// Ends the step, on every rank where they come to know of it.
template <class T>
void Engine<T>::refuse(std::exception const& why) {
  held([&] {
    told_or_not(why);
    throw_as(code_of(why), why.what());
  });
  std::abort();  // held() has thrown
}

template <class T>
void Engine<T>::told_or_not(std::exception const& why) {
  constexpr double patience = 30;  // seconds: longer than most ranks need for the rest of a step
  if (agreement_.refuse(code_of(why), why.what(), patience, [this] { exchange_->poll(); })) agreement_.tell();
}

template <class T>
void Engine<T>::abandon(std::exception const& why) {
  if (!under_way_) return;
  try {
    held([&] {
      told_or_not(why);
      throw_as(code_of(why), why.what());
    });
  } catch (std::exception const&) {  // it is the caller's already
  }
}

template <class T>
std::size_t Engine<T>::share_index(Share const& share) const {
  for (std::size_t k = 0; k < shares_.size(); ++k)
    if (same(shares_[k], share)) return k;
  return shares_.size();
}

template <class T>
void Engine<T>::turn_to(Share const& share) {
  if (!under_way_) throw UsageError("no step is under way: begin_step() comes before what a step is given");
  if (turn_ < shares_.size() && same(shares_[turn_], share)) return;
  auto const k = share_index(share);
  if (k == shares_.size())
    refuse(UsageError("step " + std::to_string(step_) + " was given something of a share that rank " +
                      std::to_string(comm_.rank()) + " does not compute: " + text_of(share) +
                      "; shares() has those of this rank"));
  if (k < turn_)
    refuse(UsageError("a share that is complete was given more: " + text_of(share) + "; shares come in the order of shares()"));
  for (; turn_ < k; ++turn_) {
    try {
      check_.end();
    } catch (UsageError const& e) {
      refuse(e);
    }
    check_.begin(shares_[turn_ + 1]);
  }
  timer_.change(Phase::forward);
  pass_ = Pass::forward;
}

template <class T>
void Engine<T>::check_complete(double multiplier) {
  if (auto const text = wrong_multiplier(step_, multiplier); !text.empty()) refuse(UsageError(text));
  if (!shares_.empty()) turn_to(shares_.back());
  for (std::size_t k = 0; k < shares_.size(); ++k)
    if (!given_losses_[k].given) refuse(UsageError("the loss was never given: " + text_of(shares_[k])));
  if (shares_.empty()) return;
  try {
    check_.end();
  } catch (UsageError const& e) {
    refuse(e);
  }
}

#define KAON_CHECKS(T)                                                     \
  template std::string Engine<T>::wrong_multiplier(std::uint64_t, double); \
  template void Engine<T>::refuse(std::exception const&);                  \
  template void Engine<T>::told_or_not(std::exception const&);             \
  template void Engine<T>::abandon(std::exception const&);                 \
  template std::size_t Engine<T>::share_index(Share const&) const;         \
  template void Engine<T>::turn_to(Share const&);                          \
  template void Engine<T>::check_complete(double);
KAON_CHECKS(float)
KAON_CHECKS(double)
#undef KAON_CHECKS

}  // namespace kaon
