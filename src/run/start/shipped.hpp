#ifndef KAON_RUN_START_SHIPPED_HPP
#define KAON_RUN_START_SHIPPED_HPP

namespace kaon {

/// Lets decks name the objectives and methods that ship. The library does it itself before main begins; calling it again does
/// nothing.
void offer_shipped();

}  // namespace kaon

#endif
