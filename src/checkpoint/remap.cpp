#include <kaon/checkpoint/remap.hpp>

#include <kaon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kaon::remap {

std::vector<Source> sources_of(std::uint64_t i, std::uint64_t before, std::uint64_t now) {
  require(before >= 1 && i < now, "remap: no such worker");
  auto const common = std::gcd(before, now);
  std::uint64_t const width = before / common, old_width = now / common;  // of the parts, in units of 1/lcm
  std::uint64_t const begin = i * width, end = begin + width;
  std::vector<Source> found;
  for (std::uint64_t j = begin / old_width; j * old_width < end; ++j)
    found.push_back({j, std::min(end, (j + 1) * old_width) - std::max(begin, j * old_width)});
  return found;
}

std::uint64_t closest_to(std::uint64_t i, std::uint64_t before, std::uint64_t now) {
  auto const sources = sources_of(i, before, now);
  return std::max_element(sources.begin(), sources.end(), [](auto const& a, auto const& b) { return a.weight < b.weight; })
      ->worker;
}

template <class T>
std::vector<T> weighted(std::vector<T> const& slabs, std::uint64_t before, std::uint64_t now) {
  require(before >= 1 && now >= 1 && slabs.size() % before == 0, "remap: the slabs are not those of so many workers");
  std::size_t const size = slabs.size() / before;
  std::vector<T> out(size * now);
  std::vector<double> sum(size);
  auto const all_weights = static_cast<double>(before / std::gcd(before, now));
  for (std::uint64_t i = 0; i < now; ++i) {
    auto const sources = sources_of(i, before, now);
    T* const to = out.data() + i * size;
    if (sources.size() == 1) {  // its weight is 1
      std::copy_n(slabs.data() + sources[0].worker * size, size, to);
      continue;
    }
    for (std::size_t s = 0; s < sources.size(); ++s) {
      T const* const from = slabs.data() + sources[s].worker * size;
      auto const weight = static_cast<double>(sources[s].weight);
      // The first term is not added to 0: a negative zero stays one.
      for (std::size_t e = 0; e < size; ++e) sum[e] = s == 0 ? weight * from[e] : sum[e] + weight * from[e];
    }
    for (std::size_t e = 0; e < size; ++e) to[e] = static_cast<T>(sum[e] / all_weights);
  }
  return out;
}

std::vector<unsigned char> copied(std::vector<unsigned char> const& slabs, std::uint64_t before, std::uint64_t now) {
  require(before >= 1 && slabs.size() % before == 0, "remap: the slabs are not those of so many workers");
  std::size_t const size = slabs.size() / before;
  std::vector<unsigned char> out(size * now);
  for (std::uint64_t i = 0; i < now; ++i)
    std::copy_n(slabs.data() + closest_to(i, before, now) * size, size, out.data() + i * size);
  return out;
}

template <class T>
double distance_from_mean(std::vector<T> const& G, std::vector<T> const& slabs, std::uint64_t workers) {
  auto const m = mean(slabs, workers);
  require(m.size() == G.size(), "remap: G has another size than the slabs");
  double scale = 0, off = 0;
  for (std::uint64_t j = 0; j < workers; ++j) {
    double square = 0;
    for (std::size_t e = 0; e < m.size(); ++e) square += double(slabs[j * m.size() + e]) * double(slabs[j * m.size() + e]);
    scale = std::max(scale, std::sqrt(square));
  }
  for (std::size_t e = 0; e < m.size(); ++e) off += (double(G[e]) - double(m[e])) * (double(G[e]) - double(m[e]));
  return scale > 0 ? std::sqrt(off) / scale : std::sqrt(off);
}

template std::vector<float> weighted(std::vector<float> const&, std::uint64_t, std::uint64_t);
template std::vector<double> weighted(std::vector<double> const&, std::uint64_t, std::uint64_t);
template double distance_from_mean(std::vector<float> const&, std::vector<float> const&, std::uint64_t);
template double distance_from_mean(std::vector<double> const&, std::vector<double> const&, std::uint64_t);

}  // namespace kaon::remap
