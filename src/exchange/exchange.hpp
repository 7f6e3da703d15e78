#ifndef KAON_EXCHANGE_EXCHANGE_HPP
#define KAON_EXCHANGE_EXCHANGE_HPP

#include <kaon/exchange/count.hpp>
#include <kaon/exchange/letter.hpp>
#include <kaon/exchange/mailbox.hpp>
#include <kaon/exchange/packet.hpp>
#include <kaon/exchange/sealer.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/plan/blocks.hpp>
#include <kaon/plan/plan.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// What one layer's packets look like, the same on every rank.
struct Channel {
  std::string layer_name;
  std::uint32_t up_encoding = 0, down_encoding = 0, dense_encoding = 0;
  std::size_t up_bound = 0, down_bound = 0;  ///< largest payloads in bytes
  std::size_t sum_bytes = 0;                 ///< payload of a partial gradient, a multiple of 8
  std::size_t dense_bound = 0;               ///< largest payload of the uncompressed start; 0: there is none
};

/// Throws UsageError unless bundles × (workers + 2) message tags are at most `top`; MPI promises at least 32767.
void check_tags(std::int64_t bundles, std::int64_t workers, std::int64_t top);

/// The messages of a step, along a plan. Packets of one bundle travel together; all messages are nonblocking; buffers live as
/// long as the object, but those of the uncompressed start, which are there in its step alone. What has arrived is noticed by
/// poll(), and read by take_…, which checks it and throws IoError with step, layer and worker when it is not what it should be.
///
/// A step: begin_step(); sums inside groups; post_up() at a layer's home for each of its workers; at the servers, when a bundle's
/// n messages are there, take_up(), then post_down(); elsewhere take_down(), close_down() and release_down(), which may wait
/// until the next step needs the layer. Other payloads stay valid until the next begin_step(): by then nothing on a device may
/// read them.
class Exchange {
 public:
  /// With `memory` device, messages lie in device memory, and so do all payloads: they are written and read on `exec`, and MPI is
  /// given device pointers, which choose_message_memory() must have proved it takes.
  Exchange(Communicator const& comm, Plan const& plan, std::vector<Channel> channels, MessageMemory memory = MessageMemory::host,
           Kokkos::DefaultExecutionSpace const& exec = {});
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  /// Opens the inboxes for this step's packets. `dense` marks the step whose uplink is the uncompressed start; it and the one
  /// after it allocate.
  void begin_step(std::uint64_t step, bool dense);

  std::uint64_t step() const { return step_; }
  MessageMemory memory() const { return sealer_->memory(); }

  // Partial sums, inside a group of ranks that share a worker.
  /// Blocks that this rank sends for a layer that it is not the home of.
  std::vector<AddBlock> const& my_blocks() const { return my_blocks_; }
  std::span<unsigned char> sum_payload(int layer, std::size_t block);
  /// Seals the partial of my_blocks()[block] that stands in sum_payload; sends the bundle's when it was the last.
  void post_sum(int layer, std::size_t block);
  /// At the home: the other ranks of the group, each with its blocks, ascending.
  struct Sender {
    int rank;
    std::vector<AddBlock> blocks;
  };
  std::vector<Sender> const& senders() const { return senders_; }
  bool sums_arrived(int bundle) const;
  std::span<unsigned char const> take_sum(int layer, std::size_t sender, std::size_t block);

  // Uplink.
  /// Where the payload of this worker's packet is to be put, at the layer's home.
  std::span<unsigned char> up_payload(int layer, int worker);
  /// Seals the packet whose payload of `length` bytes stands in up_payload(layer, worker); sends the bundle's when it was the
  /// last.
  void post_up(int layer, int worker, std::size_t length);
  /// At a server: whether all n packets of the bundle's layers are there.
  bool arrived(int bundle) const;
  std::span<unsigned char const> take_up(int layer, int worker);

  // Downlink.
  std::span<unsigned char> down_payload(int layer);
  /// Seals the server's packet; the bundle's owner sends it, but with the replicated topology, where it is only counted.
  void post_down(int layer, std::size_t length);
  /// On a rank that does not serve the bundle: whether its message of a step before `step` has not been taken yet, and whether it
  /// is there.
  bool owes_down(int bundle, std::uint64_t step) const;
  bool down_arrived(int bundle) const;
  std::span<unsigned char const> take_down(int layer);
  /// The step that the layer's message is of.
  std::uint64_t down_step(int layer) const { return down_[static_cast<std::size_t>(plan_.bundle_of(layer))].step; }
  /// The bundle's payloads have all been taken: nothing is owed any more.
  void close_down(int bundle);
  /// Nothing on a device reads them any more: the next message may come.
  void release_down(int bundle);

  // What a rank that waits is waiting for: "step 12, uplink of worker 3, layer fc, from rank 2".
  std::string missing_sum(int bundle) const;
  std::string missing_up(int bundle) const;
  std::string missing_down(int bundle) const;

  /// Notices arrivals and lets MPI work.
  void poll() { mail_.poll(); }
  /// Waits until all that was sent has left.
  void flush() { mail_.flush(); }

  /// Bytes since the exchange was made, of this rank: all layers, or one.
  ByteCount bytes() const;
  ByteCount const& bytes(int layer) const { return counts_[static_cast<std::size_t>(layer)]; }
  std::uint64_t bytes_given() const { return mail_.bytes_given(); }
  Plan const& plan() const { return plan_; }

 private:
  struct Post {  // one letter and where it lies
    Letter letter;
    int inbox = -1, outbox = -1;
    bool opened = false;                                         // its letter has been checked
    enum class Down { idle, awaited, taken } down = Down::idle;  // a downlink's message, and of which step it is
    std::uint64_t step = 0;
  };
  std::size_t up_bound(int layer, bool dense) const;
  Letter up_letter(int bundle, bool dense) const;
  void make_sealer(bool dense);
  void fit(bool dense);
  void add_up(int bundle, int worker);
  void add_down(int bundle);
  void add_sums(int bundle);
  Post& up(int layer, int worker);
  Post& down(int layer) { return down_[static_cast<std::size_t>(plan_.bundle_of(layer))]; }
  std::size_t place(int layer) const { return place_[static_cast<std::size_t>(layer)]; }
  Channel const& channel(int layer) const { return channels_[static_cast<std::size_t>(layer)]; }
  std::span<unsigned char> room(Post& post, std::size_t place);
  template <class Id>
  std::span<unsigned char const> read(Post& post, std::size_t place, Id&& id_of);
  void deliver(Post const& post, int to, int tag, std::uint64_t ByteCount::*wire);
  void await_down(Post& post);
  PacketId up_id(int layer, int worker) const;
  PacketId down_id(int layer, std::uint64_t step) const;
  PacketId sum_id(int layer, AddBlock const& block, int worker) const;
  int up_tag(int bundle, int worker) const;
  int down_tag(int bundle) const { return up_tag(bundle, plan_.workers()); }
  int sum_tag(int bundle) const { return up_tag(bundle, plan_.workers() + 1); }
  std::string what(char const* kind, int bundle, int worker) const;

  Communicator const& comm_;
  Plan plan_;
  std::vector<Channel> channels_;
  Kokkos::DefaultExecutionSpace exec_;
  std::vector<std::string> names_;
  std::vector<std::size_t> place_;  // of a layer in its bundle
  std::vector<bool> served_;        // bundle: this rank plays the server for it
  Mailbox mail_;
  std::unique_ptr<Sealer> sealer_;
  std::vector<Post> up_;    // bundle × worker; filled at the home and at servers
  std::vector<Post> down_;  // bundle
  std::vector<Post> sum_out_;
  std::vector<std::vector<Post>> sums_;  // bundle, sender
  std::vector<AddBlock> my_blocks_;
  std::vector<Sender> senders_;
  std::vector<PacketId> ids_;  // of the letter that is being opened
  std::uint64_t step_ = 0;
  bool dense_ = false;
  std::vector<ByteCount> counts_;  // layer
};

}  // namespace kaon

#endif
