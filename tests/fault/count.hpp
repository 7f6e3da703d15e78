#ifndef KAON_TESTS_FAULT_COUNT_HPP
#define KAON_TESTS_FAULT_COUNT_HPP

#include "message.hpp"

namespace kaon::fault {

/// Adds up what is given to MPI's point-to-point sends.
class Counter {
 public:
  void add(Message const& m, std::vector<Packet> const& packets);
  /// Writes `<KAON_FAULT_COUNTS>.<rank>`, lines of `name bytes messages`: up, down, sum, stray (bytes of a message of packets
  /// that belong to none) and other (messages without packets).
  void write(int rank) const;

 private:
  struct Sum {
    std::uint64_t bytes = 0, messages = 0;
  };
  Sum direction_[4];  ///< by the header's number; 0: one that the format does not know
  Sum stray_, other_;
};

}  // namespace kaon::fault

#endif
