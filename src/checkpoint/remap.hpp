#ifndef KAON_CHECKPOINT_REMAP_HPP
#define KAON_CHECKPOINT_REMAP_HPP

#include <kaon/state/registry.hpp>

#include <cstdint>
#include <vector>

/// From n workers to N. Worker j of n owns [j/n, (j+1)/n) of the unit interval, and what a new worker has comes from the old
/// ones whose parts it overlaps: G'_i = N · Σ_j |overlap(i, j)| · G_j keeps the mean.
namespace kaon::remap {

/// An old worker that a new one takes from; the weight is |overlap| in units of 1/lcm(n, N): a new worker's weights add to
/// n/gcd(n, N).
struct Source {
  std::uint64_t worker = 0;
  std::uint64_t weight = 0;
  bool operator==(Source const&) const = default;
};

/// Sources of new worker i of `now`, by ascending old worker of `before`.
std::vector<Source> sources_of(std::uint64_t i, std::uint64_t before, std::uint64_t now);

/// The source with the largest weight; of equals the lowest.
std::uint64_t closest_to(std::uint64_t i, std::uint64_t before, std::uint64_t now);

/// Slabs of `before` workers, one behind the other, become slabs of `now`: sums in double, in worker order, rounded once. What
/// comes from one worker alone, or from workers with equal values, keeps its bits (double: where the sum is exact).
template <class T>
std::vector<T> weighted(std::vector<T> const& slabs, std::uint64_t before, std::uint64_t now);

/// The mean over workers: weighted() to one.
template <class T>
std::vector<T> mean(std::vector<T> const& slabs, std::uint64_t workers) {
  return weighted(slabs, workers, 1);
}

/// Every new worker has the slab of the old one closest to it.
std::vector<unsigned char> copied(std::vector<unsigned char> const& slabs, std::uint64_t before, std::uint64_t now);

/// ‖G − mean G_j‖ / max ‖G_j‖ (Frobenius), what a restart asserts; without the division where all G_j are zero.
template <class T>
double distance_from_mean(std::vector<T> const& G, std::vector<T> const& slabs, std::uint64_t workers);

/// How far that may be; a run refuses more at its restart.
constexpr double tolerance(ElementType type) { return type == ElementType::f32 ? 1e-4 : 1e-12; }

}  // namespace kaon::remap

#endif
