#include <kaon/exchange/routes.hpp>

namespace kaon {

Summing sums_in_group(Plan const& plan, int rank) {
  Summing s;
  s.mine = plan.micros_at(rank);
  auto const here = plan.workers_at(rank);
  if (here.count != 1 || plan.group_of(here.first).size() == 1) return s;
  s.blocks = blocks_of(s.mine);
  for (int const other : plan.group_of(here.first))
    if (other != rank) s.senders.push_back({other, blocks_of(plan.micros_at(other))});
  return s;
}

Summing sums_over_all(Plan const& plan, int rank) {
  Summing s;
  s.mine = plan.terms_at(rank);
  s.blocks = blocks_of(s.mine);
  for (int const other : plan.computing())
    if (other != rank) s.senders.push_back({other, blocks_of(plan.terms_at(other))});
  return s;
}

std::size_t Routes::receives(Summing const& sums) const {
  std::size_t n = down_from >= 0 ? 1 : 0;
  if (serves)
    for (int const from : up_from) n += from >= 0 ? 1 : 0;
  return n + (receives_sums ? sums.senders.size() : 0);
}

std::size_t Routes::sends() const {
  std::size_t made = 0;
  for (int const from : up_from) made += from < 0 ? 1 : 0;
  return made * up_to.size() + down_to.size() + sums_to.size();
}

Routes routes_of(Plan const& plan, LayerFlows const& flow, Summing const& sums, int bundle, int rank) {
  Routes r;
  int const layer = plan.bundle(bundle).layers.front(), owner = plan.bundle(bundle).owner;
  bool const replicated = plan.topology() == Topology::replicated, ordered = flow.up == Up::ordered_sum;
  auto const others = [&] {  // begins behind this rank, so that not all begin with the same one
    std::vector<int> all;
    for (int k = 1; k < plan.ranks(); ++k) all.push_back((rank + k) % plan.ranks());
    return all;
  };
  auto const here = plan.workers_at(rank);
  r.serves = plan.serves(rank, layer);
  if (ordered)
    r.joins_sums = r.serves;
  else
    r.joins_sums = here.count > 0 && (flow.shared_sums || plan.home_of(layer, here.first) == rank);

  if (!ordered) {
    r.uplinks = r.serves ? Range{0, plan.workers()} : plan.homes_at(rank, layer);
    for (int j = r.uplinks.first; j < r.uplinks.end(); ++j) {
      int const home = plan.home_of(layer, j);
      r.up_from.push_back(home == rank ? -1 : home);
    }
    if (replicated)
      r.up_to = others();
    else if (!r.serves)
      r.up_to = {owner};
  }

  if (!replicated && plan.ranks() > 1) {
    r.down_to = plan.down_children(owner, rank);
    if (!r.serves) r.down_from = plan.down_parent(owner, rank);
  }

  if (!ordered && sums.senders.empty()) return r;
  r.receives_sums = r.joins_sums;
  if (sums.mine.count == 0) return r;
  if (!ordered && flow.shared_sums) {
    for (auto const& sender : sums.senders) r.sums_to.push_back(sender.rank);
  } else if (!ordered) {
    if (!r.joins_sums) r.sums_to = {plan.home_of(layer, here.first)};
  } else if (replicated) {
    r.sums_to = others();
  } else if (owner != rank) {
    r.sums_to = {owner};
  }
  return r;
}

}  // namespace kaon
