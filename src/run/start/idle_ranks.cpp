#include <kaon/run/start/idle_ranks.hpp>

#include <fmt/format.h>

#include <vector>

namespace kaon {

std::string idle_ranks_warning(Plan const& plan, std::string const& micro_batches_key) {
  int without_gradient = 0, without_layer = 0;
  bool const server = plan.topology() == Topology::dedicated && plan.ranks() > 1;  // rank 0 is meant to compute none
  for (int r = server ? 1 : 0; r < plan.ranks(); ++r) {
    if (plan.workers_at(r).count > 0) continue;
    ++without_gradient;
    bool serves = false;
    for (int i = 0; i < plan.layers() && !serves; ++i) serves = plan.owner_of(i) == r;
    without_layer += !serves;
  }
  if (without_gradient == 0) return {};
  int const used = plan.ranks() - without_gradient;
  std::string const text =
      fmt::format("{} of {} ranks compute no gradients: {} workers with {} micro-batch{} each are work for {}{}",
                  without_gradient, plan.ranks(), plan.workers(), plan.micro_batches(), plan.micro_batches() == 1 ? "" : "es",
                  used - (server ? 1 : 0), server ? " and the server" : "");
  std::string const cure =
      fmt::format("Cure: {} ranks{}", used, micro_batches_key.empty() ? "" : ", or a larger " + micro_batches_key);
  if (without_layer == 0) return fmt::format("{}; the others only do the server's part of their layers. {}", text, cure);
  return fmt::format("{}; {} of the others own no layer either and only wait. {}", text, without_layer, cure);
}

}  // namespace kaon
