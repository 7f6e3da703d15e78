#include <kaon/exchange/exchange.hpp>

#include <kaon/core/error.hpp>

#include <limits>

namespace kaon {

Exchange::Exchange(Communicator const& comm, Plan const& plan, std::vector<Channel> channels)
    : comm_(comm),
      plan_(plan),
      channels_(std::move(channels)),
      up_(static_cast<std::size_t>(plan.layers()) * static_cast<std::size_t>(plan.workers())),
      down_(static_cast<std::size_t>(plan.layers())) {
  require(static_cast<int>(channels_.size()) == plan.layers(), "Exchange: one channel per layer");
  require(comm.size() == plan.ranks(), "Exchange: the plan is for another number of ranks");
  void* top = nullptr;
  int found = 0;
  KAON_MPI(MPI_Comm_get_attr(comm.get(), MPI_TAG_UB, static_cast<void*>(&top), &found));
  if (found && tag(plan.layers(), 0) > *static_cast<int*>(top))
    throw UsageError("this MPI has too few message tags for " + std::to_string(plan.layers()) + " layers and " +
                     std::to_string(plan.workers()) + " workers");
  int const me = comm.rank();
  for (int i = 0; i < plan.layers(); ++i) {
    auto const& c = channels_[static_cast<std::size_t>(i)];
    constexpr auto limit = static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (c.up_bound + packet_header_bytes > limit || c.down_bound + packet_header_bytes > limit)
      throw UsageError("layer " + c.layer_name + " is too large for one message (2 GiB); split it");
    for (int j = 0; j < plan.workers(); ++j)
      if (plan.host_of(j) == me || plan.owner_of(i) == me)
        up_slot(i, j).buffer = Buffer("kaon::exchange::up", packet_header_bytes + c.up_bound);
    down_[static_cast<std::size_t>(i)].buffer = Buffer("kaon::exchange::down", packet_header_bytes + c.down_bound);
  }
}

Exchange::~Exchange() {
  for (auto* slots : {&up_, &down_})
    for (auto& s : *slots)
      if (s.request != MPI_REQUEST_NULL) {
        MPI_Cancel(&s.request);
        MPI_Request_free(&s.request);
      }
}

Exchange::Slot& Exchange::up_slot(int layer, int worker) {
  return up_[static_cast<std::size_t>(layer) * static_cast<std::size_t>(plan_.workers()) + static_cast<std::size_t>(worker)];
}

PacketId Exchange::up_id(int layer, int worker) const {
  auto const& c = channels_[static_cast<std::size_t>(layer)];
  return {Direction::up, step_, static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(worker),
          dense_ ? c.dense_encoding : c.up_encoding};
}

PacketId Exchange::down_id(int layer) const {
  return {Direction::down, step_, static_cast<std::uint32_t>(layer), 0, channels_[static_cast<std::size_t>(layer)].down_encoding};
}

// The one place where bytes are given to MPI: what is counted here is what travels.
void Exchange::send(Slot const& slot, int to, int tag, std::uint64_t& wire) {
  MPI_Request r;
  KAON_MPI(MPI_Isend(slot.buffer.data(), static_cast<int>(slot.size), MPI_BYTE, to, tag, comm_.get(), &r));
  sends_.push_back(r);
  wire += slot.size;
}

void Exchange::receive(Slot& slot, int from, int tag) {
  KAON_MPI(
      MPI_Irecv(slot.buffer.data(), static_cast<int>(slot.buffer.extent(0)), MPI_BYTE, from, tag, comm_.get(), &slot.request));
}

void Exchange::await(Slot& slot) {
  MPI_Status status;
  wait(slot.request, &status);
  int count = 0;
  KAON_MPI(MPI_Get_count(&status, MPI_BYTE, &count));
  slot.size = static_cast<std::size_t>(count);
}

void Exchange::begin_step(std::uint64_t step, bool dense) {
  step_ = step;
  dense_ = dense;
  int const me = comm_.rank();
  for (int i = plan_.layers() - 1; i >= 0; --i) {
    if (plan_.owner_of(i) == me) {
      for (int j = 0; j < plan_.workers(); ++j)
        if (plan_.host_of(j) != me) receive(up_slot(i, j), plan_.host_of(j), tag(i, j));
    } else {
      receive(down_[static_cast<std::size_t>(i)], plan_.owner_of(i), tag(i, plan_.workers()));
    }
  }
}

std::span<unsigned char> Exchange::up_payload(int layer, int worker) {
  auto const& b = up_slot(layer, worker).buffer;
  return {b.data() + packet_header_bytes, b.extent(0) - packet_header_bytes};
}

void Exchange::post_up(int layer, int worker, std::size_t length) {
  auto& slot = up_slot(layer, worker);
  slot.size = seal_packet({slot.buffer.data(), slot.buffer.extent(0)}, up_id(layer, worker), length);
  bytes_.up += slot.size;
  int const owner = plan_.owner_of(layer);
  if (owner != comm_.rank()) send(slot, owner, tag(layer, worker), bytes_.wire_up);
}

std::span<unsigned char const> Exchange::take_up(int layer, int worker) {
  auto& slot = up_slot(layer, worker);
  if (plan_.host_of(worker) != comm_.rank()) await(slot);
  return open_packet({slot.buffer.data(), slot.size}, up_id(layer, worker),
                     channels_[static_cast<std::size_t>(layer)].layer_name);
}

std::span<unsigned char> Exchange::down_payload(int layer) {
  auto const& b = down_[static_cast<std::size_t>(layer)].buffer;
  return {b.data() + packet_header_bytes, b.extent(0) - packet_header_bytes};
}

void Exchange::post_down(int layer, std::size_t length) {
  auto& slot = down_[static_cast<std::size_t>(layer)];
  slot.size = seal_packet({slot.buffer.data(), slot.buffer.extent(0)}, down_id(layer), length);
  bytes_.down += slot.size * static_cast<std::uint64_t>(plan_.workers());
  for (int r = 0; r < plan_.ranks(); ++r)
    if (r != comm_.rank()) send(slot, r, tag(layer, plan_.workers()), bytes_.wire_down);
}

std::span<unsigned char const> Exchange::take_down(int layer) {
  auto& slot = down_[static_cast<std::size_t>(layer)];
  await(slot);
  return open_packet({slot.buffer.data(), slot.size}, down_id(layer), channels_[static_cast<std::size_t>(layer)].layer_name);
}

void Exchange::end_step() { wait_all(sends_); }

}  // namespace kaon
