#include <kaon/cost/cost_model.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace kaon {

namespace {

// Bundles of the plan, or several of them as one where there would be too many messages to simulate.
struct Piece {
  std::vector<int> layers;  // the last first
  int owner = 0;
  double up = 0, down = 0;                                                // bytes
  double aggregate = 0, serve = 0, compress = 0, follow = 0, weight = 0;  // seconds; share of the gradient
  SecondRound second;
  double second_up = 0, second_down = 0;
  bool two() const { return second_up > 0; }
};

struct Message {
  double ready;
  int from, to, piece, worker;
  double bytes;
};

class Simulation {
 public:
  Simulation(Plan const& plan, LinkSpeed const& link, StepCost const& cost) : plan_(plan), link_(link), cost_(cost) {
    cut();
    auto const ranks = static_cast<std::size_t>(plan.ranks());
    cpu_.assign(ranks, 0.0);
    send_.assign(ranks, 0.0);
    receive_.assign(ranks, 0.0);
    busy_.assign(ranks, 0.0);
    serving_.assign(ranks, 0.0);
    up_.assign(ranks, 0.0);
    down_.assign(ranks, 0.0);
    share_cores();
    model_.assign(pieces_.size() * ranks, 0.0);
  }

  StepTime run() {
    constexpr int warm = 3, counted = 4;
    double begin = 0;
    for (int k = 0; k < warm + counted; ++k) {
      if (k == warm) {
        begin = *std::max_element(cpu_.begin(), cpu_.end());
        for (auto* sums : {&busy_, &serving_, &up_, &down_}) std::fill(sums->begin(), sums->end(), 0.0);
      }
      step();
    }
    StepTime t;
    t.seconds = (*std::max_element(cpu_.begin(), cpu_.end()) - begin) / counted;
    auto const longest = [](std::vector<double> const& by_rank) {
      return *std::max_element(by_rank.begin(), by_rank.end()) / counted;
    };
    t.compute = longest(busy_);
    t.server = longest(serving_);
    t.uplink = longest(up_);
    t.downlink = longest(down_);
    std::transform(up_.begin(), up_.end(), down_.begin(), up_.begin(), std::plus<>());
    t.link = longest(up_);
    return t;
  }

 private:
  std::size_t at(std::size_t piece, int rank) const {
    return piece * static_cast<std::size_t>(plan_.ranks()) + static_cast<std::size_t>(rank);
  }

  void cut() {
    auto const n = static_cast<double>(plan_.workers()), ranks = static_cast<double>(plan_.ranks());
    double const copies = plan_.topology() == Topology::replicated ? std::max(1.0, ranks - 1) : 1;
    auto const bundles = plan_.bundles().size();
    constexpr double most = 2e6;  // messages a step
    auto const wanted =
        static_cast<std::size_t>(std::clamp(most / (n * copies), 1.0, static_cast<double>(std::max<std::size_t>(1, bundles))));
    std::size_t const together = plan_.topology() == Topology::replicated ? (bundles + wanted - 1) / wanted : 1;
    double const total =
        std::accumulate(cost_.layers.begin(), cost_.layers.end(), 0.0, [](double s, LayerCost const& l) { return s + l.weight; });
    for (std::size_t b = 0; b < bundles; ++b) {
      if (b % together == 0) pieces_.emplace_back();
      auto& p = pieces_.back();
      auto const& bundle = plan_.bundle(static_cast<int>(b));
      p.owner = bundle.owner;
      for (int const i : bundle.layers) {
        auto const& c = cost_.layers[static_cast<std::size_t>(i)];
        p.layers.push_back(i);
        p.up += static_cast<double>(c.up_bytes);
        p.down += static_cast<double>(c.down_bytes);
        p.aggregate += c.aggregate;
        p.serve += c.lmo + c.compress_down;
        p.compress += c.compress_up;
        p.follow += c.follow;
        auto& s = p.second;
        s.answer += c.second.answer, s.aggregate += c.second.aggregate, s.serve += c.second.serve;
        s.follow += c.second.follow, s.keep += c.second.keep;
        p.second_up += static_cast<double>(c.second.up_bytes);
        p.second_down += static_cast<double>(c.second.down_bytes);
        p.weight += total > 0 ? c.weight / total : 0;
      }
    }
  }

  // How much longer things take while so many ranks do them at once.
  double slowdown(std::ptrdiff_t ranks) const { return std::max(1.0, cost_.load * static_cast<double>(ranks) / plan_.ranks()); }

  void share_cores() {
    std::vector<std::ptrdiff_t> computing;  // ranks that compute a first worker, a second …
    for (int r = 0; r < plan_.ranks(); ++r)
      for (int k = 0; k < plan_.workers_at(r).count; ++k) {
        if (k >= static_cast<int>(computing.size())) computing.push_back(0);
        ++computing[static_cast<std::size_t>(k)];
      }
    for (auto const ranks : computing) gradient_slowdown_.push_back(slowdown(ranks));
    std::vector<bool> owns(static_cast<std::size_t>(plan_.ranks()), plan_.topology() == Topology::replicated);
    for (auto const& p : pieces_) owns[static_cast<std::size_t>(p.owner)] = true;
    server_slowdown_ = slowdown(std::count(owns.begin(), owns.end(), true));
    answer_slowdown_ = computing.empty() ? 1 : slowdown(computing.front());
  }

  void work(int rank, double seconds) {
    auto const r = static_cast<std::size_t>(rank);
    cpu_[r] += seconds;
    busy_[r] += seconds;
  }
  void wait(int rank, double until) {
    auto& t = cpu_[static_cast<std::size_t>(rank)];
    t = std::max(t, until);
  }

  bool serves(Piece const& p, int rank) const { return plan_.topology() == Topology::replicated || p.owner == rank; }

  // Every link sends in the order in which messages became ready and takes in what arrives in the order of its sending, one
  // message at a time at either end. Calls arrived(message, time).
  template <class Arrived>
  void deliver(std::vector<Message>& messages, bool up, Arrived&& arrived) {
    auto const takes = [&](Message const& m) { return link_.bandwidth > 0 ? m.bytes / link_.bandwidth : 0; };
    auto const by_time = [](auto const& a, auto const& b) { return a.ready < b.ready; };
    std::stable_sort(messages.begin(), messages.end(), by_time);
    for (auto& m : messages) {
      auto& s = send_[static_cast<std::size_t>(m.from)];
      s = std::max(s, m.ready) + takes(m);
      (up ? up_ : down_)[static_cast<std::size_t>(m.from)] += takes(m);
      m.ready = s;
    }
    std::stable_sort(messages.begin(), messages.end(), by_time);
    for (auto const& m : messages) {
      auto& r = receive_[static_cast<std::size_t>(m.to)];
      r = std::max(m.ready, r + takes(m));
      arrived(m, r + link_.latency);
    }
    messages.clear();
  }

  void compute(int rank) {
    auto const here = plan_.workers_at(rank);
    double const part = static_cast<double>(plan_.micros_at(rank).count) / plan_.micro_batches();
    if (here.count == 0)
      for (std::size_t b = 0; b < pieces_.size(); ++b) wait(rank, model_[at(b, rank)]);
    for (int j = here.first; j < here.end(); ++j) {
      double const slow = gradient_slowdown_[static_cast<std::size_t>(j - here.first)];
      for (std::size_t b = pieces_.size(); b-- > 0;) {
        auto const& p = pieces_[b];
        wait(rank, model_[at(b, rank)]);
        if (j == here.first && !serves(p, rank))
          work(rank, slow * (p.two() ? p.second.follow + homes(p, rank) * p.second.keep : p.follow));
        work(rank, slow * cost_.forward * part * p.weight);
      }
      for (std::size_t b = 0; b < pieces_.size(); ++b) {
        auto const& p = pieces_[b];
        bool const home = plan_.home_of(p.layers.front(), j) == rank;
        work(rank, slow * (cost_.backward * part * p.weight + (home ? p.compress : 0)));
        if (!home) continue;
        double const ready = cpu_[static_cast<std::size_t>(rank)];
        if (serves(p, rank)) there_[at(b, rank)] = std::max(there_[at(b, rank)], ready);
        to_servers(messages_, b, rank, j, ready, p.up);
      }
    }
  }

  int homes(Piece const& p, int rank) const { return plan_.homes_at(rank, p.layers.front()).count; }

  void to_servers(std::vector<Message>& messages, std::size_t b, int rank, int worker, double ready, double bytes) {
    for (int k = 1; k < plan_.ranks(); ++k)
      if (int const r = (rank + k) % plan_.ranks(); serves(pieces_[b], r))
        messages.push_back({ready, rank, r, static_cast<int>(b), worker, bytes});
  }

  void to_all(std::size_t b, int rank, double ready, double bytes) {
    if (plan_.topology() == Topology::replicated) return;
    for (int const to : plan_.down_children(rank, rank)) messages_.push_back({ready, rank, to, static_cast<int>(b), 0, bytes});
  }

  // A level of the trees after the other.
  template <class Take>
  void pass_down(Take&& take) {
    while (!messages_.empty()) {
      deliver(messages_, false, [&](Message const& m, double time) {
        take(m, time);
        for (int const to : plan_.down_children(pieces_[static_cast<std::size_t>(m.piece)].owner, m.to))
          on_.push_back({time, m.to, to, m.piece, 0, m.bytes});
      });
      std::swap(messages_, on_);
    }
  }

  // One worker after the other, each when its packets of the first round are known here.
  void answer(std::size_t b, int rank) {
    auto const& p = pieces_[b];
    auto const here = plan_.homes_at(rank, p.layers.front());
    for (int j = here.first; j < here.end(); ++j) {
      work(rank, answer_slowdown_ * p.second.answer);
      double const ready = cpu_[static_cast<std::size_t>(rank)];
      if (serves(p, rank)) answered_[at(b, rank)] = std::max(answered_[at(b, rank)], ready);
      to_servers(answers_, b, rank, j, ready, p.second_up);
    }
  }

  void serve(int rank) {
    std::vector<std::size_t> left;
    for (std::size_t b = pieces_.size(); b-- > 0;)
      if (serves(pieces_[b], rank)) left.push_back(b);  // as forward needs them
    while (!left.empty()) {
      auto const now = cpu_[static_cast<std::size_t>(rank)];
      auto next = std::find_if(left.begin(), left.end(), [&](std::size_t b) { return there_[at(b, rank)] <= now; });
      if (next == left.end())
        next = std::min_element(left.begin(), left.end(),
                                [&](std::size_t a, std::size_t b) { return there_[at(a, rank)] < there_[at(b, rank)]; });
      std::size_t const b = *next;
      left.erase(next);
      auto const& p = pieces_[b];
      wait(rank, there_[at(b, rank)]);
      double const takes = server_slowdown_ * (plan_.workers() * p.aggregate + p.serve);
      work(rank, takes);
      serving_[static_cast<std::size_t>(rank)] += takes;
      model_[at(b, rank)] = cpu_[static_cast<std::size_t>(rank)];
      to_all(b, rank, model_[at(b, rank)], p.down);
      if (p.two()) answer(b, rank);
    }
  }

  // Of pieces with a second round: what others have served, in the order of its arrival.
  void hear(int rank) {
    std::vector<std::size_t> left;
    for (std::size_t b = 0; b < pieces_.size(); ++b)
      if (pieces_[b].two() && !serves(pieces_[b], rank)) left.push_back(b);
    std::stable_sort(left.begin(), left.end(), [&](auto a, auto b) { return model_[at(a, rank)] < model_[at(b, rank)]; });
    for (auto const b : left) {
      wait(rank, model_[at(b, rank)]);
      work(rank, answer_slowdown_ * pieces_[b].follow);
      answer(b, rank);
    }
  }

  void conclude(int rank) {
    std::vector<std::size_t> left;
    for (std::size_t b = pieces_.size(); b-- > 0;)
      if (pieces_[b].two() && serves(pieces_[b], rank)) left.push_back(b);
    std::stable_sort(left.begin(), left.end(), [&](auto a, auto b) { return answered_[at(a, rank)] < answered_[at(b, rank)]; });
    for (auto const b : left) {
      auto const& p = pieces_[b];
      wait(rank, answered_[at(b, rank)]);
      double const takes =
          server_slowdown_ * (plan_.workers() * p.second.aggregate + p.second.serve + homes(p, rank) * p.second.keep);
      work(rank, takes);
      serving_[static_cast<std::size_t>(rank)] += takes;
      model_[at(b, rank)] = cpu_[static_cast<std::size_t>(rank)];
      to_all(b, rank, model_[at(b, rank)], p.second_down);
    }
  }

  void step() {
    there_.assign(pieces_.size() * static_cast<std::size_t>(plan_.ranks()), 0.0);
    answered_.assign(there_.size(), 0.0);
    for (int r = 0; r < plan_.ranks(); ++r) compute(r);
    auto const computed = cpu_;
    deliver(messages_, true, [&](Message const& m, double time) {
      auto& t = there_[at(static_cast<std::size_t>(m.piece), m.to)];
      t = std::max(t, time);
    });
    double agreed = 0;  // the losses travel behind what was sent before them
    for (int r = 0; r < plan_.ranks(); ++r)
      agreed = std::max(agreed, std::max(computed[static_cast<std::size_t>(r)], send_[static_cast<std::size_t>(r)]));
    agreed += link_.latency * std::ceil(std::log2(static_cast<double>(plan_.ranks())));
    for (int r = 0; r < plan_.ranks(); ++r) serve(r);
    auto const take = [&](Message const& m, double time) { model_[at(static_cast<std::size_t>(m.piece), m.to)] = time; };
    pass_down(take);
    if (std::any_of(pieces_.begin(), pieces_.end(), [](Piece const& p) { return p.two(); })) {
      for (int r = 0; r < plan_.ranks(); ++r) hear(r);
      deliver(answers_, true, [&](Message const& m, double time) {
        auto& t = answered_[at(static_cast<std::size_t>(m.piece), m.to)];
        t = std::max(t, time);
      });
      for (int r = 0; r < plan_.ranks(); ++r) conclude(r);
      pass_down(take);
    }
    for (int r = 0; r < plan_.ranks(); ++r) wait(r, agreed);
  }

  Plan const& plan_;
  LinkSpeed link_;
  StepCost const& cost_;
  std::vector<Piece> pieces_;
  std::vector<double> gradient_slowdown_;  // of a rank's first worker, its second …
  double server_slowdown_ = 1, answer_slowdown_ = 1;
  std::vector<double> cpu_, send_, receive_;        // by rank: until when each is taken
  std::vector<double> busy_, serving_, up_, down_;  // by rank: seconds of work, and of sending
  std::vector<double> model_;                       // piece, rank: when its newest W is there
  std::vector<double> there_, answered_;            // piece, rank: when all of its uplinks are, of the first round and the second
  std::vector<Message> messages_, on_, answers_;
};

}  // namespace

StepTime predict_step(Plan const& plan, LinkSpeed const& link, StepCost const& cost) {
  require(static_cast<int>(cost.layers.size()) == plan.layers(), "predict_step: one LayerCost per layer");
  require(link.latency >= 0 && link.bandwidth >= 0 && cost.load >= 0, "predict_step: a negative speed");
  return Simulation(plan, link, cost).run();
}

}  // namespace kaon
