#ifndef KAON_EXCHANGE_EXCHANGE_HPP
#define KAON_EXCHANGE_EXCHANGE_HPP

#include <kaon/exchange/count.hpp>
#include <kaon/exchange/flows.hpp>
#include <kaon/exchange/letter.hpp>
#include <kaon/exchange/mailbox.hpp>
#include <kaon/exchange/packet.hpp>
#include <kaon/exchange/routes.hpp>
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

/// Throws UsageError unless stages × bundles × (workers + 2) message tags are at most `top`; MPI promises at least 32767.
void check_tags(std::int64_t bundles, std::int64_t workers, std::int64_t top, int stages = 1);

/// The messages of a step, along a plan. Packets of one bundle travel together; all messages are nonblocking; buffers live as
/// long as the object, but those of the uncompressed start, which are there in its step alone. What has arrived is noticed by
/// poll(), and read by take_…, which checks it and throws IoError with step, layer and worker when it is not what it should be.
///
/// A step: begin_step(); sums inside groups; post_up() at a layer's home for each of its workers; at the servers, when a bundle's
/// n messages are there, take_up(), then post_down(); elsewhere take_down(), close_down() and release_down(), which may wait
/// until the next step needs the layer. Other payloads stay valid until the next begin_step(): by then nothing on a device may
/// read them.
///
/// Layers whose flows have a second stage go through the same once more within the step, by second(): post_up() there when the
/// downlink of the first stage has been taken.
class Exchange {
 public:
  /// With `memory` device, messages lie in device memory, and so do all payloads: they are written and read on `exec`, and MPI is
  /// given device pointers, which choose_message_memory() must have proved it takes.
  Exchange(Communicator const& comm, Plan const& plan, std::vector<LayerFlows> flows, MessageMemory memory = MessageMemory::host,
           Kokkos::DefaultExecutionSpace const& exec = {});
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  /// Opens the inboxes for this step's packets. `dense` marks the step whose uplink is the uncompressed start; it and the one
  /// after it allocate. `sums_alone`: a step that has no packets, but partial sums.
  void begin_step(std::uint64_t step, bool dense, bool sums_alone = false);

  std::uint64_t step() const { return step_; }

  /// The second stage: an exchange of its own along the same plan, for the layers that have one. Steps, polling, flushing and
  /// counting are the first one's for both.
  bool has_second() const { return next_ != nullptr; }
  Exchange& second() const { return *next_; }

  MessageMemory memory() const { return sealer_->memory(); }

  // Partial sums: of one worker's gradient inside its group of ranks, to the layer's home; with Up::ordered_sum over all workers,
  // to the layer's servers. Terms are numbered by micro-batch, and by worker · micro_batches + micro-batch.
  /// Terms that this rank computes.
  Range const& terms(int layer) const { return summing(layer).mine; }
  /// Blocks of them that it sends for a layer whose sum others join; `sends_sums`: there are others.
  std::vector<AddBlock> const& my_blocks(int layer) const { return summing(layer).blocks; }
  bool sends_sums(int layer) const { return !routes_[bundle_at(layer)].sums_to.empty(); }
  /// Whether this rank joins the layer's sum: its home, or one of its servers; with shared_sums every rank that has terms of it.
  bool joins_sums(int layer) const { return routes_[bundle_at(layer)].joins_sums; }
  std::span<unsigned char> sum_payload(int layer, std::size_t block);
  /// Seals the partial of my_blocks()[block] that stands in sum_payload; sends the bundle's when it was the last.
  void post_sum(int layer, std::size_t block);
  /// The other ranks that have terms, each with its blocks, ascending.
  using Sender = Summing::Sender;
  std::vector<Sender> const& senders(int layer) const { return summing(layer).senders; }
  /// Where this rank joins: whether all that others send has come.
  bool sums_arrived(int bundle) const;
  std::span<unsigned char const> take_sum(int layer, std::size_t sender, std::size_t block);
  /// With Up::ordered_sum, on one rank for every worker: counts its gradient.
  void count_summed(int layer);

  // Uplink.
  /// Where the payload of this worker's packet is to be put, at the layer's home.
  std::span<unsigned char> up_payload(int layer, int worker);
  /// Seals the packet whose payload of `length` bytes stands in up_payload(layer, worker); sends the bundle's when it was the
  /// last.
  void post_up(int layer, int worker, std::size_t length);
  /// At a server: whether all n packets of the bundle's layers, or all partial sums of others, are there.
  bool arrived(int bundle) const;
  std::span<unsigned char const> take_up(int layer, int worker);

  // Downlink.
  /// Whether the server's packet goes to other ranks; where not, keep_down() stands for post_down().
  bool sends_down() const { return plan_.topology() != Topology::replicated && plan_.ranks() > 1; }
  /// Counts the server's packet, of `length` payload bytes, which no other rank is sent.
  void keep_down(int layer, std::size_t length);
  std::span<unsigned char> down_payload(int layer);
  /// Seals the owner's packet; sends the bundle's when it was the last.
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
  void poll();
  /// Waits until all that was sent has left.
  void flush();

  /// Bytes since the exchange was made, of this rank, of all stages: all layers, or one. wire_received lacks what has not been
  /// taken yet: the downlinks of a step, until the next one or finish() takes them.
  ByteCount bytes() const;
  ByteCount bytes(int layer) const;
  std::uint64_t bytes_given() const { return mail_.bytes_given() + (next_ ? next_->bytes_given() : 0); }
  Plan const& plan() const { return plan_; }

 private:
  Exchange(Communicator const& comm, Plan const& plan, std::vector<LayerFlows> flows, MessageMemory memory,
           Kokkos::DefaultExecutionSpace const& exec, std::uint8_t stage);
  struct Post {  // one letter and where it lies
    Letter letter;
    int inbox = -1, outbox = -1;
    bool opened = false;                                         // its letter has been checked
    enum class Down { idle, awaited, taken } down = Down::idle;  // a downlink's message, and of which step it is
    std::uint64_t step = 0;
    std::vector<int> to;  // ranks that it goes to, or on to
  };
  // A bundle's uplink posts here: of all workers at a server, else of those at home here.
  struct Uplinks {
    int first = 0;
    std::vector<Post> posts;
  };
  std::size_t up_bound(int layer, bool dense) const;
  Letter up_letter(int bundle, bool dense) const;
  void make_sealer(bool dense);
  void make_sums();
  std::vector<LayerFlows> second_flows() const;
  /// Whether the bundle's layers have this stage.
  bool used(int bundle) const { return stage_ == 0 || flow(plan_.bundle(bundle).layers.front()).up_bound > 0; }
  std::size_t most_blocks() const;
  void fit(bool dense);
  void add_up(int bundle);
  void add_down(int bundle);
  void add_sums(int bundle);
  Post& up(int layer, int worker);
  std::size_t bundle_at(int layer) const { return static_cast<std::size_t>(plan_.bundle_of(layer)); }
  bool ordered(int bundle) const { return flow(plan_.bundle(bundle).layers.front()).up == Up::ordered_sum; }
  Summing const& summing(int layer) const { return flow(layer).up == Up::each ? group_ : all_; }
  Post& down(int layer) { return down_[static_cast<std::size_t>(plan_.bundle_of(layer))]; }
  std::size_t place(int layer) const { return place_[static_cast<std::size_t>(layer)]; }
  LayerFlows const& flow(int layer) const { return flows_[static_cast<std::size_t>(layer)]; }
  std::span<unsigned char> room(Post& post, std::size_t place);
  template <class Id>
  std::span<unsigned char const> read(Post& post, std::size_t place, Id&& id_of);
  ByteCount& count(int layer) { return counts_[static_cast<std::size_t>(layer)]; }
  void count_up(int layer, std::size_t bytes);
  void deliver(Post const& post, int to, int tag, std::uint64_t ByteCount::*wire);
  void await_down(Post& post);
  PacketId up_id(int layer, int worker) const;
  PacketId down_id(int layer, std::uint64_t step) const;
  PacketId sum_id(int layer, AddBlock const& block) const;
  int up_tag(int bundle, int worker) const;
  int down_tag(int bundle) const { return up_tag(bundle, plan_.workers()); }
  int sum_tag(int bundle) const { return up_tag(bundle, plan_.workers() + 1); }
  std::string what(char const* kind, int bundle, int worker) const;

  Communicator const& comm_;
  Plan plan_;
  std::uint8_t stage_;
  std::vector<LayerFlows> flows_;
  Kokkos::DefaultExecutionSpace exec_;
  std::vector<std::string> names_;
  std::vector<std::size_t> place_;  // of a layer in its bundle
  std::vector<Routes> routes_;      // bundle
  Mailbox mail_;
  std::unique_ptr<Sealer> sealer_;
  std::vector<Uplinks> up_;  // bundle
  std::vector<Post> down_;   // bundle
  std::vector<Post> sum_out_;
  std::vector<std::vector<Post>> sums_;  // bundle, sender
  Summing group_, all_;
  std::vector<PacketId> ids_;  // of the letter that is being opened
  std::uint64_t step_ = 0;
  bool dense_ = false, sums_alone_ = false;
  std::vector<ByteCount> counts_;  // layer
  std::unique_ptr<Exchange> next_;
};

}  // namespace kaon

#endif
