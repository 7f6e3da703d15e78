#include <kaon/codec/bits.hpp>
#include <kaon/compress/select.hpp>
#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <algorithm>

namespace kaon {
namespace {

inline constexpr int max_bins = 2048;
inline constexpr std::int64_t max_chunks = 512;

/// Widths of the digits of |x|'s bits, leading digit first.
template <class T>
struct Digits;
template <>
struct Digits<float> {
  static constexpr int passes = 3;
  static constexpr int width[passes] = {11, 10, 10};
};
template <>
struct Digits<double> {
  static constexpr int passes = 6;
  static constexpr int width[passes] = {11, 11, 11, 10, 10, 10};
};

template <class Exec>
using Histogram = Kokkos::View<std::uint32_t**, Kokkos::LayoutRight, DeviceOf<Exec>>;

template <class T, class Exec>
struct CountDigit {
  T const* x;
  std::int64_t n, chunk;
  Histogram<Exec> histogram;
  Vector<std::uint64_t, Exec> prefix;
  int pass, shift, width;
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    using Key = decltype(magnitude_bits(T()));
    int const row = team.league_rank();
    std::int64_t const begin = row * chunk;
    int const count = static_cast<int>(n - begin < chunk ? n - begin : chunk);
    std::uint32_t* const bins = &histogram(row, 0);
    Key const wanted = static_cast<Key>(prefix(pass));
    Key const mask = (Key{1} << width) - 1;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, 1 << width), [&](int const b) { bins[b] = 0; });
    team.team_barrier();
    T const* const values = x + begin;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, count), [&](int const i) {
      Key const key = magnitude_bits(values[i]) >> shift;
      if ((key >> width) == wanted) {
        if constexpr (runs_on_host<Exec>) {
          ++bins[key & mask];  // one thread is the team
        } else {
          Kokkos::atomic_fetch_add(&bins[key & mask], 1U);
        }
      }
    });
  }
};

/// Finds the bin that holds the entry looked for, counting from the largest digit.
template <class Exec>
struct PickDigit {
  using value_type = std::uint64_t;
  Histogram<Exec> histogram;
  Vector<std::uint64_t, Exec> prefix, remaining;
  int pass, width;
  KOKKOS_FUNCTION void operator()(std::int64_t i, std::uint64_t& above, bool final) const {
    std::uint64_t const digit = (std::uint64_t{1} << width) - 1 - static_cast<std::uint64_t>(i);
    std::uint64_t const here = histogram(0, digit);
    if (final && above < remaining(pass) && remaining(pass) <= above + here) {
      prefix(pass + 1) = (prefix(pass) << width) | digit;
      remaining(pass + 1) = remaining(pass) - above;
    }
    above += here;
  }
};

template <class Exec>
struct AddRows {
  Histogram<Exec> histogram;
  std::int64_t chunks;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    std::uint32_t sum = 0;
    for (std::int64_t row = 0; row < chunks; ++row) sum += histogram(row, b);
    histogram(0, b) = sum;
  }
};

/// Low half of the running value: entries above the threshold; high half: entries equal to it.
template <class T, class Exec>
struct Compact {
  using value_type = std::uint64_t;
  T const* x;
  Vector<std::uint64_t, Exec> prefix, remaining;
  Vector<std::uint32_t, Exec> indices;
  Vector<T, Exec> values;
  int passes;
  KOKKOS_FUNCTION void operator()(std::int64_t i, std::uint64_t& before, bool final) const {
    std::uint64_t const threshold = prefix(passes);
    std::uint64_t const key = magnitude_bits(x[i]);
    if (key < threshold) return;
    if (final) {
      std::uint64_t const ties = remaining(passes);
      std::uint64_t const above = before & 0xffffffffU, equal = before >> 32;
      if (key > threshold || equal < ties) {
        std::uint64_t const position = above + (equal < ties ? equal : ties);
        indices(position) = static_cast<std::uint32_t>(i);
        values(position) = x[i];
      }
    }
    before += key > threshold ? std::uint64_t{1} : std::uint64_t{1} << 32;
  }
};

}  // namespace

template <class T, class Exec>
TopSelector<T, Exec>::TopSelector(std::int64_t n, std::int64_t k)
    : n_(n),
      k_(k),
      prefix_("kaon::compress::prefix", Digits<T>::passes + 1),
      remaining_("kaon::compress::remaining", Digits<T>::passes + 1) {
  require(1 <= k && k <= n && n < (std::int64_t{1} << 31), "top: needs 1 <= k <= n < 2^31");
  std::int64_t const least = runs_on_host<Exec> ? 65536 : 8192;  // entries worth a histogram of their own
  chunk_ = std::max(least, (n + max_chunks - 1) / max_chunks);
  histogram_ = Histogram<Exec>("kaon::compress::histogram", static_cast<std::size_t>((n + chunk_ - 1) / chunk_), max_bins);
  Kokkos::deep_copy(remaining_, static_cast<std::uint64_t>(k));  // prefix_ begins as zeros
}

template <class T, class Exec>
void TopSelector<T, Exec>::operator()(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices,
                                      Out<Vector<T, Exec>> const& values, In<ConstVector<T, Exec>> const& x) const {
  require(static_cast<std::int64_t>(x.extent(0)) == n_ && static_cast<std::int64_t>(indices.extent(0)) == k_ &&
              static_cast<std::int64_t>(values.extent(0)) == k_,
          "top: shapes do not fit");
  auto const chunks = static_cast<std::int64_t>(histogram_.extent(0));
  int shift = static_cast<int>(8 * sizeof(T)) - 1;
  for (int pass = 0; pass < Digits<T>::passes; ++pass) {
    int const width = Digits<T>::width[pass];
    shift -= width;
    Kokkos::RangePolicy<Exec> const bins(exec, 0, std::int64_t{1} << width);
    Kokkos::parallel_for("kaon::compress::top_count",
                         Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(chunks), fixed_team_size<Exec>),
                         CountDigit<T, Exec>{x.data(), n_, chunk_, histogram_, prefix_, pass, shift, width});
    if (chunks > 1) Kokkos::parallel_for("kaon::compress::top_add", bins, AddRows<Exec>{histogram_, chunks});
    Kokkos::parallel_scan("kaon::compress::top_pick", bins, PickDigit<Exec>{histogram_, prefix_, remaining_, pass, width});
  }
  Kokkos::parallel_scan("kaon::compress::top_compact", Kokkos::RangePolicy<Exec>(exec, 0, n_),
                        Compact<T, Exec>{x.data(), prefix_, remaining_, indices, values, Digits<T>::passes});
}

#define KAON_KERNEL(T, Exec) template class TopSelector<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
