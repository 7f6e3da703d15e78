#ifndef KAON_TESTS_FAULT_TAMPER_HPP
#define KAON_TESTS_FAULT_TAMPER_HPP

#include "message.hpp"

#include <chrono>
#include <list>
#include <map>
#include <optional>

namespace kaon::fault {

/// One fault, as text: `kind key=value …`. These keys select a packet; one that is absent fits any:
///   rank (the sender), to (the receiver), direction (up, down, sum), step, stage, layer, worker.
/// The first message that holds such a packet is the victim, and the only one. Kinds and their keys:
///   flip        bit: of the packet, counted from its first; negative: from its end
///   truncate    keep: bytes of the packet after which the message ends; negative: so many fewer
///   extend      more: bytes behind the message
///   duplicate   the message twice
///   replay      from: the step whose message of the same layer, worker and receiver is sent instead
///   misaddress  as_direction, as_step, as_stage, as_layer, as_worker, as_encoding, as_part: fields put in, checksum made to fit
///   swap        with_layer, with_worker: trades places with that message of the same step and receiver
///   foreign     random bytes of the same number
///   forge       random payload, checksum made to fit; keep: also so many bytes of it, and the length made to fit
///   spoil       no packet at all: one bit in the middle of the first message of `size` bytes that holds none
///   lose        is never sent
///   stall       is never sent, and the rank stops for good, as one that hangs
///   die         is never sent: the rank is killed
///   delay       ms: is held back while later messages go out
/// The environment holds the text in KAON_FAULT; KAON_FAULT_REPORT names a file that gets a line of `key=value` on what was done.
class Tamper {
 public:
  struct Outgoing {
    Bytes bytes;
    Message to;  ///< receiver, tag and communicator
  };

  /// Reads the environment.
  Tamper();
  bool armed() const { return !kind_.empty(); }

  /// What is to be sent instead of `m`; nothing for a message that is left alone.
  std::optional<std::vector<Outgoing>> replace(Message const& m, std::vector<Packet> const& packets);
  /// Messages held back that may now go; `all`: whether due or not.
  std::vector<Outgoing> due(bool all);
  bool holds(Message const& m) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    Outgoing message;
    Packet packet;
    Clock::time_point since;
    int overtaken = 0;
  };
  bool has(char const* key) const { return values_.count(key) > 0; }
  std::int64_t value(char const* key, std::int64_t otherwise = 0) const;
  bool selects(Message const& m, Header const& h, bool partner = false) const;
  bool selects_source(Message const& m, Header const& h) const;
  void report(Packet const& p, Message const& m, std::string const& more) const;
  std::vector<Outgoing> swap(Message const& m, Packet const& p);
  void readdress(Bytes& bytes, Packet const& p) const;
  void forge(Bytes& bytes, Packet const& p) const;

  std::string kind_;
  std::map<std::string, std::int64_t> values_;
  int rank_ = -1;
  bool done_ = false;
  std::list<Outgoing> earlier_;  ///< replay: the messages of step `from`
  std::list<Held> held_;
};

}  // namespace kaon::fault

#endif
