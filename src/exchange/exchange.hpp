#ifndef KAON_EXCHANGE_EXCHANGE_HPP
#define KAON_EXCHANGE_EXCHANGE_HPP

#include <kaon/core/compat.hpp>
#include <kaon/exchange/packet.hpp>
#include <kaon/exchange/plan.hpp>
#include <kaon/mpi/communicator.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// What one layer's packets look like, the same on every rank.
struct Channel {
  std::string layer_name;
  std::uint32_t up_encoding = 0, down_encoding = 0, dense_encoding = 0;
  std::size_t up_bound = 0, down_bound = 0;  ///< largest payloads in bytes (dense start included)
};

/// Bytes since the exchange was made, as this rank counts them: add all ranks'.
struct ByteCount {
  std::uint64_t up = 0;    ///< algorithmic: every R_j of every worker, header included
  std::uint64_t down = 0;  ///< algorithmic: every S once for each of the n workers that receive it, header included
  std::uint64_t wire_up = 0, wire_down = 0;  ///< what this rank gave to MPI
};

/// The `sharded` topology: every layer has an owner; workers send it their packets, it sends everyone the model shift.
/// Receives of a step are posted by begin_step(); all messages are nonblocking; buffers live as long as the object.
class Exchange {
 public:
  using Buffer = Kokkos::View<unsigned char*, Kokkos::LayoutRight, StagingSpace>;

  Exchange(Communicator const& comm, Plan const& plan, std::vector<Channel> channels);
  ~Exchange();
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  /// Posts this step's receives. `dense` marks the step whose uplink is the uncompressed start.
  void begin_step(std::uint64_t step, bool dense);

  /// Where the payload of this hosted worker's packet is to be put.
  std::span<unsigned char> up_payload(int layer, int worker);
  /// Seals and sends the packet whose payload of `length` bytes stands in up_payload(layer, worker).
  void post_up(int layer, int worker, std::size_t length);
  /// Waits for a worker's packet at the owner; checks it; returns its payload, valid until the next begin_step().
  std::span<unsigned char const> take_up(int layer, int worker);

  std::span<unsigned char> down_payload(int layer);
  /// Seals the owner's packet and sends it to every other rank.
  void post_down(int layer, std::size_t length);
  /// Waits for the layer's packet on a rank that does not own it; checks it; returns its payload.
  std::span<unsigned char const> take_down(int layer);

  /// Waits until every message of the step has left.
  void end_step();

  ByteCount const& bytes() const { return bytes_; }
  Plan const& plan() const { return plan_; }

 private:
  struct Slot {
    Buffer buffer;
    std::size_t size = 0;  ///< bytes of the packet now in it
    MPI_Request request = MPI_REQUEST_NULL;
  };
  Slot& up_slot(int layer, int worker);
  void send(Slot const& slot, int to, int tag, std::uint64_t& wire);
  void receive(Slot& slot, int from, int tag);
  void await(Slot& slot);
  int tag(int layer, int worker_or_n) const { return layer * (plan_.workers() + 1) + worker_or_n; }
  PacketId up_id(int layer, int worker) const;
  PacketId down_id(int layer) const;

  Communicator const& comm_;
  Plan plan_;
  std::vector<Channel> channels_;
  std::vector<Slot> up_;    ///< layer × worker; filled where this rank hosts the worker or owns the layer
  std::vector<Slot> down_;  ///< layer
  std::vector<MPI_Request> sends_;
  std::uint64_t step_ = 0;
  bool dense_ = false;
  ByteCount bytes_;
};

}  // namespace kaon

#endif
