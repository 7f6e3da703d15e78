#include <kaon/exchange/exchange.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/device_sealer.hpp>

#include <algorithm>
#include <functional>
#include <limits>

namespace kaon {

void check_tags(std::int64_t bundles, std::int64_t workers, std::int64_t top) {
  if (bundles * (workers + 2) <= top) return;
  throw UsageError("this MPI has too few message tags (" + std::to_string(top) + ") for " + std::to_string(bundles) +
                   " bundles of layers and " + std::to_string(workers) +
                   " workers; a larger exchange.bundle makes fewer bundles");
}

namespace {

// The largest tag; what MPI promises where it does not say.
std::int64_t top_tag(Communicator const& comm) {
  void* top = nullptr;
  int found = 0;
  KAON_MPI(MPI_Comm_get_attr(comm.get(), MPI_TAG_UB, static_cast<void*>(&top), &found));
  return found ? *static_cast<int*>(top) : 32767;
}

Letter letter_for(std::vector<int> const& layers, std::vector<std::string> const& names, std::vector<AddBlock> const& blocks,
                  std::function<std::size_t(int)> const& bound) {
  std::vector<Place> places;
  for (int const i : layers)
    for (auto const& block : blocks) places.push_back({i, static_cast<std::uint32_t>(block.first), bound(i)});
  Letter letter(std::move(places));
  if (letter.bound() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw UsageError("layer " + names[static_cast<std::size_t>(layers.front())] +
                     " is too large for one message (2 GiB); split it");
  return letter;
}

std::vector<AddBlock> const whole{{0, 1}};

}  // namespace

Exchange::Exchange(Communicator const& comm, Plan const& plan, std::vector<Channel> channels, MessageMemory memory,
                   Kokkos::DefaultExecutionSpace const& exec)
    : comm_(comm),
      plan_(plan),
      channels_(std::move(channels)),
      exec_(exec),
      mail_(comm, memory),
      up_(plan.bundles().size() * static_cast<std::size_t>(plan.workers())),
      down_(plan.bundles().size()),
      sum_out_(plan.bundles().size()),
      sums_(plan.bundles().size()),
      counts_(static_cast<std::size_t>(plan.layers())) {
  require(static_cast<int>(channels_.size()) == plan.layers(), "Exchange: one channel per layer");
  require(comm.size() == plan.ranks(), "Exchange: the plan is for another number of ranks");
  int const bundles = static_cast<int>(plan.bundles().size());
  check_tags(bundles, plan.workers(), top_tag(comm));
  place_.resize(channels_.size());
  for (auto const& c : channels_) names_.push_back(c.layer_name);
  int const me = comm.rank();
  auto const here = plan.workers_at(me);
  if (here.count == 1 && plan.group_of(here.first).size() > 1) {
    my_blocks_ = blocks_of(plan.micros_at(me));
    for (int const rank : plan.group_of(here.first))
      if (rank != me) senders_.push_back({rank, blocks_of(plan.micros_at(rank))});
  }
  std::size_t longest = 1;
  for (int b = 0; b < bundles; ++b) {
    auto const& layers = plan.bundle(b).layers;
    served_.push_back(plan.serves(me, layers.front()));
    for (std::size_t p = 0; p < layers.size(); ++p) place_[static_cast<std::size_t>(layers[p])] = p;
    up_letter(b, true);  // refused here, and not when the first step makes it
    for (int j = 0; j < plan.workers(); ++j) add_up(b, j);
    add_down(b);
    if (!my_blocks_.empty()) add_sums(b);
    longest = std::max(longest, layers.size() * static_cast<std::size_t>(plan.micro_batches()));
  }
  if (memory == MessageMemory::host)
    sealer_ = std::make_unique<HostSealer>();
  else
    make_sealer(false);
  ids_.reserve(longest);
  mail_.ready();
}

std::size_t Exchange::up_bound(int layer, bool dense) const {
  auto const& c = channel(layer);
  return dense ? std::max(c.up_bound, c.dense_bound) : c.up_bound;
}

Letter Exchange::up_letter(int bundle, bool dense) const {
  return letter_for(plan_.bundle(bundle).layers, names_, whole, [&](int i) { return up_bound(i, dense); });
}

// In device memory, with room for the largest packet that may have to be moved: one that others precede in its message.
void Exchange::make_sealer(bool dense) {
  std::size_t longest = 1, movable = 0;
  for (auto const& bundle : plan_.bundles()) {
    longest = std::max(longest, bundle.layers.size() * static_cast<std::size_t>(plan_.micro_batches()));
    for (int const i : bundle.layers) {
      if (bundle.layers.size() > 1) movable = std::max({movable, up_bound(i, dense), channel(i).down_bound});
      if (bundle.layers.size() * my_blocks_.size() > 1) movable = std::max(movable, channel(i).sum_bytes);
    }
  }
  sealer_.reset();
  sealer_ = std::make_unique<DeviceSealer>(exec_, longest, packet_header_bytes + movable);
}

// Makes room for the uncompressed start, and gives it back.
void Exchange::fit(bool dense) {
  for (std::size_t k = 0; k < up_.size(); ++k) {
    auto& post = up_[k];
    if (post.inbox < 0 && post.outbox < 0) continue;
    post.letter = up_letter(static_cast<int>(k) / plan_.workers(), dense);
    if (post.inbox >= 0)
      mail_.resize_inbox(post.inbox, post.letter.bound());
    else
      mail_.resize_outbox(post.outbox, post.letter.bound());
  }
  if (memory() == MessageMemory::device) make_sealer(dense);
}

void Exchange::add_up(int b, int j) {
  auto const& bundle = plan_.bundle(b);
  int const me = comm_.rank(), home = plan_.home_of(bundle.layers.front(), j);
  auto& post = up_[static_cast<std::size_t>(b) * static_cast<std::size_t>(plan_.workers()) + static_cast<std::size_t>(j)];
  post.letter = up_letter(b, false);
  if (home == me)
    post.outbox = mail_.add_outbox(post.letter.bound(), plan_.topology() == Topology::replicated ? plan_.ranks() - 1 : 1,
                                   what("uplink", b, j));
  else if (served_[static_cast<std::size_t>(b)])
    post.inbox = mail_.add_inbox(home, up_tag(b, j), post.letter.bound(), what("uplink", b, j));
}

void Exchange::add_down(int b) {
  auto& post = down_[static_cast<std::size_t>(b)];
  post.letter = letter_for(plan_.bundle(b).layers, names_, whole, [&](int i) { return channel(i).down_bound; });
  if (served_[static_cast<std::size_t>(b)])
    post.outbox = mail_.add_outbox(post.letter.bound(), plan_.ranks() - 1, what("downlink", b, -1));
  else
    post.inbox = mail_.add_inbox(plan_.bundle(b).owner, down_tag(b), post.letter.bound(), what("downlink", b, -1));
}

void Exchange::add_sums(int b) {
  auto const& bundle = plan_.bundle(b);
  int const me = comm_.rank(), worker = plan_.workers_at(me).first, home = plan_.home_of(bundle.layers.front(), worker);
  if (home != me) {
    auto& post = sum_out_[static_cast<std::size_t>(b)];
    post.letter = letter_for(bundle.layers, names_, my_blocks_, [&](int i) { return channel(i).sum_bytes; });
    post.outbox = mail_.add_outbox(post.letter.bound(), 1, what("partial gradients", b, worker));
    return;
  }
  for (auto const& sender : senders_) {
    Post post;
    post.letter = letter_for(bundle.layers, names_, sender.blocks, [&](int i) { return channel(i).sum_bytes; });
    post.inbox = mail_.add_inbox(sender.rank, sum_tag(b), post.letter.bound(), what("partial gradients", b, worker));
    sums_[static_cast<std::size_t>(b)].push_back(std::move(post));
  }
}

std::string Exchange::what(char const* kind, int bundle, int worker) const {
  std::string text = kind;
  if (worker >= 0) text += " of worker " + std::to_string(worker);
  text += ", layer";
  for (int const i : plan_.bundle(bundle).layers) text += " " + names_[static_cast<std::size_t>(i)];
  return text;
}

int Exchange::up_tag(int bundle, int worker) const { return bundle * (plan_.workers() + 2) + worker; }

Exchange::Post& Exchange::up(int layer, int worker) {
  return up_[static_cast<std::size_t>(plan_.bundle_of(layer)) * static_cast<std::size_t>(plan_.workers()) +
             static_cast<std::size_t>(worker)];
}

PacketId Exchange::up_id(int layer, int worker) const {
  auto const& c = channel(layer);
  return {Direction::up,
          step_,
          static_cast<std::uint32_t>(layer),
          static_cast<std::uint32_t>(worker),
          dense_ ? c.dense_encoding : c.up_encoding,
          0};
}

PacketId Exchange::down_id(int layer, std::uint64_t step) const {
  return {Direction::down, step, static_cast<std::uint32_t>(layer), 0, channel(layer).down_encoding, 0};
}

PacketId Exchange::sum_id(int layer, AddBlock const& block, int worker) const {
  return {Direction::sum,
          step_,
          static_cast<std::uint32_t>(layer),
          static_cast<std::uint32_t>(worker),
          channel(layer).dense_encoding,
          static_cast<std::uint32_t>(block.first)};
}

void Exchange::begin_step(std::uint64_t step, bool dense) {
  step_ = step;
  if (dense != dense_) fit(dense);
  dense_ = dense;
  mail_.set_step(step);
  for (auto& post : up_) {
    post.letter.begin();
    post.opened = false;
    if (post.inbox >= 0) mail_.open(post.inbox);
  }
  for (auto& bundle : sums_)
    for (auto& post : bundle) {
      post.opened = false;
      mail_.open(post.inbox);
    }
  for (auto& post : sum_out_) post.letter.begin();
  // Down: a server's begins anew; elsewhere the last step's may still be unread, and release_down opens the next.
  for (auto& post : down_) {
    if (post.outbox >= 0) post.letter.begin();
    if (post.inbox >= 0 && post.down == Post::Down::idle) await_down(post);
  }
}

void Exchange::await_down(Post& post) {
  mail_.open(post.inbox);
  post.down = Post::Down::awaited;
  post.opened = false;
  post.step = step_;
}

std::span<unsigned char> Exchange::room(Post& post, std::size_t place) {
  return post.letter.room(post.letter.empty() ? mail_.writable(post.outbox) : mail_.bytes(post.outbox), place);
}

template <class Id>
std::span<unsigned char const> Exchange::read(Post& post, std::size_t place, Id&& id_of) {
  if (post.inbox < 0) return post.letter.payload(mail_.bytes(post.outbox), place);  // it never left this rank
  auto const message = mail_.message(post.inbox);
  if (!post.opened) {
    ids_.clear();
    for (std::size_t p = 0; p < post.letter.places().size(); ++p) ids_.push_back(id_of(post.letter.places()[p], p));
    post.letter.open(*sealer_, message, ids_, names_);
    post.opened = true;
  }
  return post.letter.payload(message, place);
}

// The one place where the exchange sends: what is counted here is what travels.
void Exchange::deliver(Post const& post, int to, int tag, std::uint64_t ByteCount::*wire) {
  mail_.send(post.outbox, post.letter.size(), to, tag);
  for (std::size_t p = 0; p < post.letter.places().size(); ++p)
    counts_[static_cast<std::size_t>(post.letter.places()[p].layer)].*wire += post.letter.packet_bytes(p);
}

std::span<unsigned char> Exchange::sum_payload(int layer, std::size_t block) {
  auto& post = sum_out_[static_cast<std::size_t>(plan_.bundle_of(layer))];
  return room(post, place(layer) * my_blocks_.size() + block);
}

void Exchange::post_sum(int layer, std::size_t block) {
  int const b = plan_.bundle_of(layer), worker = plan_.workers_at(comm_.rank()).first;
  auto& post = sum_out_[static_cast<std::size_t>(b)];
  if (post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer) * my_blocks_.size() + block,
                       sum_id(layer, my_blocks_[block], worker), channel(layer).sum_bytes)) {
    sealer_->complete();
    deliver(post, plan_.home_of(layer, worker), sum_tag(b), &ByteCount::wire_sum);
  }
}

bool Exchange::sums_arrived(int bundle) const {
  auto const& posts = sums_[static_cast<std::size_t>(bundle)];
  return std::all_of(posts.begin(), posts.end(), [&](Post const& post) { return mail_.arrived(post.inbox); });
}

std::span<unsigned char const> Exchange::take_sum(int layer, std::size_t sender, std::size_t block) {
  auto const& blocks = senders_[sender].blocks;
  int const worker = plan_.workers_at(comm_.rank()).first;
  return read(sums_[static_cast<std::size_t>(plan_.bundle_of(layer))][sender], place(layer) * blocks.size() + block,
              [&](Place const& p, std::size_t at) { return sum_id(p.layer, blocks[at % blocks.size()], worker); });
}

std::span<unsigned char> Exchange::up_payload(int layer, int worker) { return room(up(layer, worker), place(layer)); }

void Exchange::post_up(int layer, int worker, std::size_t length) {
  auto& post = up(layer, worker);
  bool const complete = post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer), up_id(layer, worker), length);
  counts_[static_cast<std::size_t>(layer)].up += packet_header_bytes + length;
  if (!complete) return;
  int const b = plan_.bundle_of(layer), me = comm_.rank();
  if (plan_.topology() == Topology::replicated) {
    sealer_->complete();
    for (int r = 1; r < plan_.ranks(); ++r) deliver(post, (me + r) % plan_.ranks(), up_tag(b, worker), &ByteCount::wire_up);
  } else if (!served_[static_cast<std::size_t>(b)]) {
    sealer_->complete();
    deliver(post, plan_.bundle(b).owner, up_tag(b, worker), &ByteCount::wire_up);
  }
}

bool Exchange::arrived(int bundle) const {
  for (int j = 0; j < plan_.workers(); ++j) {
    auto const& post =
        up_[static_cast<std::size_t>(bundle) * static_cast<std::size_t>(plan_.workers()) + static_cast<std::size_t>(j)];
    if (post.inbox >= 0 ? !mail_.arrived(post.inbox) : !post.letter.complete()) return false;
  }
  return true;
}

std::span<unsigned char const> Exchange::take_up(int layer, int worker) {
  return read(up(layer, worker), place(layer), [&](Place const& p, std::size_t) { return up_id(p.layer, worker); });
}

std::span<unsigned char> Exchange::down_payload(int layer) { return room(down(layer), place(layer)); }

void Exchange::post_down(int layer, std::size_t length) {
  auto& post = down(layer);
  int const b = plan_.bundle_of(layer), me = comm_.rank();
  bool const complete = post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer), down_id(layer, step_), length);
  if (plan_.bundle(b).owner != me) return;
  counts_[static_cast<std::size_t>(layer)].down += (packet_header_bytes + length) * static_cast<std::uint64_t>(plan_.workers());
  if (!complete || plan_.topology() == Topology::replicated) return;
  sealer_->complete();
  for (int r = 1; r < plan_.ranks(); ++r) deliver(post, (me + r) % plan_.ranks(), down_tag(b), &ByteCount::wire_down);
}

bool Exchange::owes_down(int bundle, std::uint64_t step) const {
  auto const& post = down_[static_cast<std::size_t>(bundle)];
  return post.inbox >= 0 && post.down == Post::Down::awaited && post.step < step;
}

bool Exchange::down_arrived(int bundle) const { return mail_.arrived(down_[static_cast<std::size_t>(bundle)].inbox); }

std::span<unsigned char const> Exchange::take_down(int layer) {
  auto& post = down(layer);
  return read(post, place(layer), [&](Place const& p, std::size_t) { return down_id(p.layer, post.step); });
}

void Exchange::close_down(int bundle) { down_[static_cast<std::size_t>(bundle)].down = Post::Down::taken; }

void Exchange::release_down(int bundle) {
  auto& post = down_[static_cast<std::size_t>(bundle)];
  post.down = Post::Down::idle;
  if (post.step < step_) await_down(post);
}

std::string Exchange::missing_sum(int bundle) const {
  for (auto const& post : sums_[static_cast<std::size_t>(bundle)])
    if (!mail_.arrived(post.inbox)) return mail_.name(post.inbox);
  return what("partial gradients", bundle, -1);
}

std::string Exchange::missing_up(int bundle) const {
  for (int j = 0; j < plan_.workers(); ++j) {
    auto const& post =
        up_[static_cast<std::size_t>(bundle) * static_cast<std::size_t>(plan_.workers()) + static_cast<std::size_t>(j)];
    if (post.inbox >= 0 && !mail_.arrived(post.inbox)) return mail_.name(post.inbox);
  }
  return what("uplink", bundle, -1);
}

std::string Exchange::missing_down(int bundle) const {
  auto const& post = down_[static_cast<std::size_t>(bundle)];
  return "step " + std::to_string(post.step) + ", " + what("downlink", bundle, -1) + ", from rank " +
         std::to_string(plan_.bundle(bundle).owner);
}

ByteCount Exchange::bytes() const {
  ByteCount all;
  for (auto const& c : counts_) all += c;
  return all;
}

}  // namespace kaon
