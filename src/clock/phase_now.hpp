#ifndef KAON_CLOCK_PHASE_NOW_HPP
#define KAON_CLOCK_PHASE_NOW_HPP

namespace kaon {

/// phase_name() of the phase that the timer used last is in; "" outside of all. Any thread may ask: to say where a program hangs.
char const* phase_now();

}  // namespace kaon

#endif
