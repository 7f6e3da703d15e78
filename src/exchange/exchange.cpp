#include <kaon/exchange/exchange.hpp>

#include <kaon/core/error.hpp>
#include <kaon/exchange/device_sealer.hpp>

#include <algorithm>
#include <functional>
#include <limits>

namespace kaon {

void check_tags(std::int64_t bundles, std::int64_t workers, std::int64_t top, int stages) {
  if (stages * bundles * (workers + 2) <= top) return;
  throw UsageError("this MPI has too few message tags (" + std::to_string(top) + ") for " + std::to_string(bundles) +
                   " bundles of layers and " + std::to_string(workers) + " workers" +
                   (stages > 1 ? ", with a method of two stages" : "") + "; a larger exchange.bundle makes fewer bundles");
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

Exchange::Exchange(Communicator const& comm, Plan const& plan, std::vector<LayerFlows> flows, MessageMemory memory,
                   Kokkos::DefaultExecutionSpace const& exec)
    : Exchange(comm, plan, std::move(flows), memory, exec, 0) {
  auto second = second_flows();
  if (std::none_of(second.begin(), second.end(), [](LayerFlows const& f) { return f.up_bound > 0; })) return;
  check_tags(static_cast<std::int64_t>(plan.bundles().size()), plan.workers(), top_tag(comm), 2);
  next_.reset(new Exchange(comm, plan, std::move(second), memory, exec, 1));
}

Exchange::Exchange(Communicator const& comm, Plan const& plan, std::vector<LayerFlows> flows, MessageMemory memory,
                   Kokkos::DefaultExecutionSpace const& exec, std::uint8_t stage)
    : comm_(comm),
      plan_(plan),
      stage_(stage),
      flows_(std::move(flows)),
      exec_(exec),
      mail_(comm, memory),
      up_(plan.bundles().size()),
      down_(plan.bundles().size()),
      sum_out_(plan.bundles().size()),
      sums_(plan.bundles().size()),
      counts_(static_cast<std::size_t>(plan.layers())) {
  require(static_cast<int>(flows_.size()) == plan.layers(), "Exchange: one LayerFlows per layer");
  require(comm.size() == plan.ranks(), "Exchange: the plan is for another number of ranks");
  int const bundles = static_cast<int>(plan.bundles().size());
  check_tags(bundles, plan.workers(), top_tag(comm));
  place_.resize(flows_.size());
  for (auto const& c : flows_) names_.push_back(c.layer_name);
  if (stage == 0) make_sums();
  std::size_t longest = 1;
  for (int b = 0; b < bundles; ++b) {
    auto const& layers = plan.bundle(b).layers;
    routes_.push_back(routes_of(plan, flow(layers.front()), summing(layers.front()), b, comm.rank()));
    for (std::size_t p = 0; p < layers.size(); ++p) place_[static_cast<std::size_t>(layers[p])] = p;
    for (int const i : layers)
      require(flow(i).up == flow(layers.front()).up && flow(i).second.there() == flow(layers.front()).second.there(),
              "Exchange: a bundle has one kind of uplink");
    require(!flow(layers.front()).second.there() || !ordered(b),
            "Exchange: a second stage comes after one packet of each worker");
    if (!used(b)) continue;
    if (!ordered(b)) {
      up_letter(b, true);  // refused here, and not when the first step makes it
      add_up(b);
    }
    add_down(b);
    add_sums(b);
    longest = std::max(longest, layers.size() * most_blocks());
  }
  if (memory == MessageMemory::host)
    sealer_ = std::make_unique<HostSealer>();
  else
    make_sealer(false);
  ids_.reserve(longest);
  mail_.ready();
}

// What the first stage adds up on the way: nothing is, in a second one.
void Exchange::make_sums() {
  group_ = sums_in_group(plan_, comm_.rank());
  all_ = sums_over_all(plan_, comm_.rank());
}

std::vector<LayerFlows> Exchange::second_flows() const {
  std::vector<LayerFlows> flows;
  for (auto const& f : flows_) {
    LayerFlows s;
    s.layer_name = f.layer_name;
    s.up_encoding = s.dense_encoding = f.second.up_encoding;
    s.down_encoding = f.second.down_encoding;
    s.up_bound = f.second.up_bound;
    s.down_bound = f.second.down_bound;
    flows.push_back(std::move(s));
  }
  return flows;
}

std::size_t Exchange::up_bound(int layer, bool dense) const {
  auto const& c = flow(layer);
  return dense ? std::max(c.up_bound, c.dense_bound) : c.up_bound;
}

Letter Exchange::up_letter(int bundle, bool dense) const {
  return letter_for(plan_.bundle(bundle).layers, names_, whole, [&](int i) { return up_bound(i, dense); });
}

// In device memory, with room for the largest packet that may have to be moved: one that others precede in its message.
void Exchange::make_sealer(bool dense) {
  std::size_t longest = 1, movable = 0;
  for (auto const& bundle : plan_.bundles()) {
    longest = std::max(longest, bundle.layers.size() * most_blocks());
    for (int const i : bundle.layers) {
      if (bundle.layers.size() > 1) movable = std::max({movable, up_bound(i, dense), flow(i).down_bound});
      if (bundle.layers.size() * my_blocks(i).size() > 1) movable = std::max(movable, flow(i).sum_bytes);
    }
  }
  sealer_.reset();
  sealer_ = std::make_unique<DeviceSealer>(exec_, longest, packet_header_bytes + movable);
}

// The most partial sums of a layer that one rank sends.
std::size_t Exchange::most_blocks() const {
  std::size_t most = std::max(group_.blocks.size(), all_.blocks.size());
  for (auto const* s : {&group_, &all_})
    for (auto const& sender : s->senders) most = std::max(most, sender.blocks.size());
  return std::max<std::size_t>(most, 1);
}

// Makes room for the uncompressed start, and gives it back.
void Exchange::fit(bool dense) {
  for (std::size_t b = 0; b < up_.size(); ++b)
    for (auto& post : up_[b].posts) {
      if (post.inbox < 0 && post.outbox < 0) continue;
      post.letter = up_letter(static_cast<int>(b), dense);
      if (post.inbox >= 0)
        mail_.resize_inbox(post.inbox, post.letter.bound());
      else
        mail_.resize_outbox(post.outbox, post.letter.bound());
    }
  if (memory() == MessageMemory::device) make_sealer(dense);
}

void Exchange::add_up(int b) {
  auto const& route = routes_[static_cast<std::size_t>(b)];
  auto& up = up_[static_cast<std::size_t>(b)];
  up.first = route.uplinks.first;
  for (int j = route.uplinks.first; j < route.uplinks.end(); ++j) {
    Post post;
    post.letter = up_letter(b, false);
    if (int const from = route.up_from[static_cast<std::size_t>(j - route.uplinks.first)]; from >= 0)
      post.inbox = mail_.add_inbox(from, up_tag(b, j), post.letter.bound(), what("uplink", b, j));
    else
      post.outbox =
          mail_.add_outbox(post.letter.bound(), std::max(1, static_cast<int>(route.up_to.size())), what("uplink", b, j));
    up.posts.push_back(std::move(post));
  }
}

void Exchange::add_down(int b) {
  auto const& route = routes_[static_cast<std::size_t>(b)];
  auto& post = down_[static_cast<std::size_t>(b)];
  post.letter = letter_for(plan_.bundle(b).layers, names_, whole, [&](int i) { return flow(i).down_bound; });
  post.to = route.down_to;
  if (route.down_from >= 0) {
    post.inbox = mail_.add_inbox(route.down_from, down_tag(b), post.letter.bound(), what("downlink", b, -1));
    mail_.pass_on(post.inbox, post.to, down_tag(b));
  } else if (sends_down()) {
    post.outbox = mail_.add_outbox(post.letter.bound(), static_cast<int>(post.to.size()), what("downlink", b, -1));
  }
}

void Exchange::add_sums(int b) {
  auto const& bundle = plan_.bundle(b);
  auto const& route = routes_[static_cast<std::size_t>(b)];
  int const layer = bundle.layers.front();
  auto const& s = summing(layer);
  std::string const text =
      ordered(b) ? what("partial gradients", b, -1) : what("partial gradients", b, plan_.workers_at(comm_.rank()).first);
  auto const bound = [&](int i) { return flow(i).sum_bytes; };
  auto& out = sum_out_[static_cast<std::size_t>(b)];
  out.to = route.sums_to;
  if (!out.to.empty()) {
    out.letter = letter_for(bundle.layers, names_, s.blocks, bound);
    out.outbox = mail_.add_outbox(out.letter.bound(), static_cast<int>(out.to.size()), text);
  }
  if (!route.receives_sums) return;
  for (auto const& sender : s.senders) {
    Post post;
    post.letter = letter_for(bundle.layers, names_, sender.blocks, bound);
    post.inbox = mail_.add_inbox(sender.rank, sum_tag(b), post.letter.bound(), text);
    sums_[static_cast<std::size_t>(b)].push_back(std::move(post));
  }
}

std::string Exchange::what(char const* kind, int bundle, int worker) const {
  std::string text = (stage_ == 0 ? "" : "stage " + std::to_string(stage_) + " ") + kind;
  if (worker >= 0) text += " of worker " + std::to_string(worker);
  text += ", layer";
  for (int const i : plan_.bundle(bundle).layers) text += " " + names_[static_cast<std::size_t>(i)];
  return text;
}

int Exchange::up_tag(int bundle, int worker) const {
  return (stage_ * static_cast<int>(plan_.bundles().size()) + bundle) * (plan_.workers() + 2) + worker;
}

Exchange::Post& Exchange::up(int layer, int worker) {
  auto& here = up_[bundle_at(layer)];
  require(worker >= here.first && worker < here.first + static_cast<int>(here.posts.size()),
          "Exchange: the worker's packets are neither sent nor received here");
  return here.posts[static_cast<std::size_t>(worker - here.first)];
}

PacketId Exchange::up_id(int layer, int worker) const {
  auto const& c = flow(layer);
  return {Direction::up,
          step_,
          static_cast<std::uint32_t>(layer),
          static_cast<std::uint32_t>(worker),
          dense_ ? c.dense_encoding : c.up_encoding,
          0,
          stage_};
}

PacketId Exchange::down_id(int layer, std::uint64_t step) const {
  return {Direction::down, step, static_cast<std::uint32_t>(layer), 0, flow(layer).down_encoding, 0, stage_};
}

PacketId Exchange::sum_id(int layer, AddBlock const& block) const {
  bool const all = flow(layer).up == Up::ordered_sum;
  int const worker = all ? 0 : plan_.workers_at(comm_.rank()).first;
  return {all ? Direction::up : Direction::sum, step_,
          static_cast<std::uint32_t>(layer),    static_cast<std::uint32_t>(worker),
          flow(layer).dense_encoding,           static_cast<std::uint32_t>(block.first)};
}

void Exchange::begin_step(std::uint64_t step, bool dense, bool sums_alone) {
  step_ = step;
  sums_alone_ = sums_alone;
  mail_.set_step(step);
  for (auto& bundle : sums_)
    for (auto& post : bundle) {
      post.opened = false;
      mail_.open(post.inbox);
    }
  for (auto& post : sum_out_) post.letter.begin();
  if (sums_alone) return;
  if (dense != dense_) fit(dense);
  dense_ = dense;
  if (next_) next_->begin_step(step, false);
  for (auto& up : up_)
    for (auto& post : up.posts) {
      post.letter.begin();
      post.opened = false;
      if (post.inbox >= 0) mail_.open(post.inbox);
    }
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
    for (std::size_t p = 0; p < post.letter.places().size(); ++p) {
      auto& counted = count(post.letter.places()[p].layer);
      counted.wire_received += post.letter.packet_bytes(p);
      counted.wire_down += post.to.size() * post.letter.packet_bytes(p);  // what has gone on, now that its packets are known
    }
  }
  return post.letter.payload(message, place);
}

// The one place where the exchange sends: what is counted here is what travels.
void Exchange::deliver(Post const& post, int to, int tag, std::uint64_t ByteCount::*wire) {
  mail_.send(post.outbox, post.letter.size(), to, tag);
  for (std::size_t p = 0; p < post.letter.places().size(); ++p)
    count(post.letter.places()[p].layer).*wire += post.letter.packet_bytes(p);
}

std::span<unsigned char> Exchange::sum_payload(int layer, std::size_t block) {
  return room(sum_out_[bundle_at(layer)], place(layer) * my_blocks(layer).size() + block);
}

void Exchange::post_sum(int layer, std::size_t block) {
  auto& post = sum_out_[bundle_at(layer)];
  auto const& blocks = my_blocks(layer);
  if (!post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer) * blocks.size() + block, sum_id(layer, blocks[block]),
                        flow(layer).sum_bytes))
    return;
  sealer_->complete();
  for (int const to : post.to)
    deliver(post, to, sum_tag(plan_.bundle_of(layer)),
            flow(layer).up == Up::ordered_sum ? &ByteCount::wire_up : &ByteCount::wire_sum);
}

void Exchange::count_summed(int layer) { count_up(layer, packet_header_bytes + flow(layer).up_bound); }

void Exchange::count_up(int layer, std::size_t bytes) {
  count(layer).up += bytes;
  count(layer).received += bytes * flow(layer).up_receivers;
}

bool Exchange::sums_arrived(int bundle) const {
  auto const& posts = sums_[static_cast<std::size_t>(bundle)];
  return std::all_of(posts.begin(), posts.end(), [&](Post const& post) { return mail_.arrived(post.inbox); });
}

std::span<unsigned char const> Exchange::take_sum(int layer, std::size_t sender, std::size_t block) {
  auto const& blocks = senders(layer)[sender].blocks;
  return read(sums_[bundle_at(layer)][sender], place(layer) * blocks.size() + block,
              [&](Place const& p, std::size_t at) { return sum_id(p.layer, blocks[at % blocks.size()]); });
}

std::span<unsigned char> Exchange::up_payload(int layer, int worker) { return room(up(layer, worker), place(layer)); }

void Exchange::post_up(int layer, int worker, std::size_t length) {
  auto& post = up(layer, worker);
  bool const complete = post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer), up_id(layer, worker), length);
  count_up(layer, packet_header_bytes + length);
  if (!complete) return;
  int const b = plan_.bundle_of(layer);
  auto const& to = routes_[static_cast<std::size_t>(b)].up_to;
  if (!to.empty()) sealer_->complete();
  for (int const r : to) deliver(post, r, up_tag(b, worker), &ByteCount::wire_up);
}

bool Exchange::arrived(int bundle) const {
  if (ordered(bundle)) return sums_arrived(bundle);
  auto const& posts = up_[static_cast<std::size_t>(bundle)].posts;
  return std::all_of(posts.begin(), posts.end(),
                     [&](Post const& post) { return post.inbox >= 0 ? mail_.arrived(post.inbox) : post.letter.complete(); });
}

std::span<unsigned char const> Exchange::take_up(int layer, int worker) {
  return read(up(layer, worker), place(layer), [&](Place const& p, std::size_t) { return up_id(p.layer, worker); });
}

std::span<unsigned char> Exchange::down_payload(int layer) { return room(down(layer), place(layer)); }

void Exchange::post_down(int layer, std::size_t length) {
  auto& post = down(layer);
  bool const complete = post.letter.seal(*sealer_, mail_.bytes(post.outbox), place(layer), down_id(layer, step_), length);
  keep_down(layer, length);
  if (!complete) return;
  sealer_->complete();
  for (int const r : post.to) deliver(post, r, down_tag(plan_.bundle_of(layer)), &ByteCount::wire_down);
}

void Exchange::keep_down(int layer, std::size_t length) {
  if (plan_.owner_of(layer) != comm_.rank()) return;
  auto const bytes = (packet_header_bytes + length) * static_cast<std::uint64_t>(plan_.workers());
  count(layer).down += bytes;
  count(layer).received += bytes;
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
  if (post.step < step_ && !sums_alone_) await_down(post);
}

std::string Exchange::missing_sum(int bundle) const {
  for (auto const& post : sums_[static_cast<std::size_t>(bundle)])
    if (!mail_.arrived(post.inbox)) return mail_.name(post.inbox);
  return what("partial gradients", bundle, -1);
}

std::string Exchange::missing_up(int bundle) const {
  if (ordered(bundle)) return missing_sum(bundle);
  for (auto const& post : up_[static_cast<std::size_t>(bundle)].posts)
    if (post.inbox >= 0 && !mail_.arrived(post.inbox)) return mail_.name(post.inbox);
  return what("uplink", bundle, -1);
}

std::string Exchange::missing_down(int bundle) const {
  auto const& post = down_[static_cast<std::size_t>(bundle)];
  return "step " + std::to_string(post.step) + ", " + what("downlink", bundle, -1) + ", from rank " +
         std::to_string(routes_[static_cast<std::size_t>(bundle)].down_from);
}

void Exchange::poll() {
  mail_.poll();
  if (next_) next_->poll();
}

void Exchange::flush() {
  mail_.flush();
  if (next_) next_->flush();
}

ByteCount Exchange::bytes(int layer) const {
  auto count = counts_[static_cast<std::size_t>(layer)];
  if (next_) count += next_->bytes(layer);
  return count;
}

ByteCount Exchange::bytes() const {
  ByteCount all;
  for (int i = 0; i < plan_.layers(); ++i) all += bytes(i);
  return all;
}

}  // namespace kaon
