#include <kaon/codec/bits.hpp>
#include <kaon/compress/mask.hpp>
#include <kaon/compress/select.hpp>
#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace {

using detail::Bracket;
using detail::flag_width;
using detail::Found;
using detail::KeyOf;
using detail::Segment;

inline constexpr int chunk = 4096;  // entries that a team packs; below 2^16
inline constexpr int digit = 11, bins = 1 << digit;
inline constexpr std::int64_t most_sampled = 32768;
inline constexpr int run = 8;  // neighbours that are sampled together

/// Bits of |x|, and the passes that find them all.
template <class T>
inline constexpr int key_bits = static_cast<int>(8 * sizeof(T)) - 1;
template <class T>
inline constexpr int passes = (key_bits<T> + digit - 1) / digit;
template <class T>
inline constexpr KeyOf<T> largest_key = (KeyOf<T>{1} << key_bits<T>)-1;

template <class Exec>
using Histogram = Kokkos::View<std::uint32_t**, Kokkos::LayoutRight, DeviceOf<Exec>>;

template <class Exec>
KOKKOS_INLINE_FUNCTION void increment(std::uint32_t* counter) {
  if constexpr (runs_on_host<Exec>) {
    ++*counter;  // one thread is the team
  } else {
    Kokkos::atomic_fetch_add(counter, 1U);
  }
}

/// Brackets the threshold by the first 22 bits of two order statistics of the sample; empties the count of candidates.
template <class T, class Exec>
struct Sample {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  T const* x;
  std::uint64_t n;
  std::uint32_t size, rank_lo, rank_hi;
  Vector<T, Exec> drawn;
  Vector<Bracket, Exec> brackets;
  Scalar<Found, Exec> found;

  KOKKOS_FUNCTION static std::size_t scratch_bytes() { return (bins + 4) * sizeof(std::uint32_t); }

  KOKKOS_FUNCTION KeyOf<T> key(std::uint32_t i) const { return magnitude_bits(drawn(i)); }
  /// One run of neighbours from each of size/run strata, at a hashed place, so that no period of x is favoured.
  KOKKOS_FUNCTION void draw(Member const& team) const {
    std::uint64_t const strata = size / run, width = strata > 0 ? n / strata : n;  // fewer than a run are drawn one and all
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size), [&](std::uint32_t const i) {
      std::uint64_t const stratum = i / run;
      std::uint64_t const jitter = (((stratum * 0x9e3779b97f4a7c15ULL) >> 32) * (width - run + 1)) >> 32;
      drawn(i) = x[size == n ? i : stratum * width + jitter + i % run];
    });
  }
  KOKKOS_FUNCTION void clear(Member const& team, std::uint32_t* counts) const {
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, bins), [&](int const b) { counts[b] = 0; });
    team.team_barrier();
  }
  /// digits[0] ← the bin of the rank-th largest, digits[1] ← its rank there.
  KOKKOS_FUNCTION void find(Member const& team, std::uint32_t const* counts, std::uint32_t rank, std::uint32_t* digits) const {
    team.team_barrier();
    Kokkos::parallel_scan(Kokkos::TeamThreadRange(team, bins), [&](int const i, std::uint32_t& above, bool const final) {
      std::uint32_t const here = counts[bins - 1 - i];
      if (final && above < rank && rank <= above + here) {
        digits[0] = static_cast<std::uint32_t>(bins - 1 - i);
        digits[1] = rank - above;
      }
      above += here;
    });
    team.team_barrier();
  }
  KOKKOS_FUNCTION KeyOf<T> refine(Member const& team, std::uint32_t* counts, std::uint32_t const* first, std::uint32_t* second,
                                  int shift) const {
    clear(team, counts);
    std::uint32_t const wanted = first[0], rank = first[1];
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size), [&](std::uint32_t const i) {
      KeyOf<T> const k = key(i) >> shift;
      if ((k >> digit) == wanted) increment<Exec>(&counts[k & (bins - 1)]);
    });
    find(team, counts, rank, second);
    return ((static_cast<KeyOf<T>>(wanted) << digit) | second[0]) << shift;
  }
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    auto* const counts = static_cast<std::uint32_t*>(team.team_shmem().get_shmem(scratch_bytes()));
    std::uint32_t *const at = counts + bins, *const below = at + 2;
    constexpr int shift = key_bits<T> - 2 * digit;
    KeyOf<T> lo = 0, hi = largest_key<T>;
    draw(team);
    for (int end = 0; end < 2; ++end) {
      std::uint32_t const rank = end == 0 ? rank_lo : rank_hi;
      if (rank < 1 || rank > size) continue;
      clear(team, counts);
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size),
                           [&](std::uint32_t const i) { increment<Exec>(&counts[key(i) >> (shift + digit)]); });
      find(team, counts, rank, at);
      KeyOf<T> const floor = refine(team, counts, at, below, shift);
      if (end == 0)
        lo = floor;
      else
        hi = floor | ((KeyOf<T>{1} << shift) - 1);
    }
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      brackets(0) = {lo, hi - lo, 0};
      found() = {0, 0, 0};
    });
  }
};

/// Flags the entries of a list that lie in a range and lists their places in team memory, in order.
template <class T, class Exec>
struct Packer {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  static constexpr int width = flag_width<Exec>;
  static constexpr int words = chunk / width;
  std::uint64_t* flags;
  std::uint16_t* places;

  KOKKOS_FUNCTION static std::size_t scratch_bytes() {
    return words * sizeof(std::uint64_t) + (chunk + detail::position_slack) * sizeof(std::uint16_t);
  }
  KOKKOS_FUNCTION explicit Packer(Member const& team)
      : flags(static_cast<std::uint64_t*>(team.team_shmem().get_shmem(scratch_bytes()))),
        places(reinterpret_cast<std::uint16_t*>(flags + words)) {}

  KOKKOS_FUNCTION static int words_of(int count) { return (count + width - 1) / width; }
  KOKKOS_FUNCTION static int here(int count, int word) { return count - word * width < width ? count - word * width : width; }

  KOKKOS_FUNCTION void flag(Member const& team, T const* v, int count, KeyOf<T> lo, KeyOf<T> span) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, words_of(count)),
                         [&](int const w) { flags[w] = detail::flag_within<width>(v + w * width, here(count, w), lo, span); });
    team.team_barrier();
  }
  /// places ← where the flags are set; returns how many.
  KOKKOS_FUNCTION int list(Member const& team, int count) const {
    int total = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, words_of(count)), [&](int const w, int& sum) { sum += count_ones(flags[w]); }, total);
    Kokkos::parallel_scan(Kokkos::TeamThreadRange(team, words_of(count)), [&](int const w, int& n, bool const final) {
      if (final) detail::write_positions<Exec>(places + n, flags[w], w * width);
      n += count_ones(flags[w]);
    });
    team.team_barrier();
    return total;
  }
  /// Both in one; a host's only thread need not come back to the flags.
  KOKKOS_FUNCTION int flag_and_list(Member const& team, T const* v, int count, KeyOf<T> lo, KeyOf<T> span) const {
    if constexpr (runs_on_host<Exec>) {
      int n = 0;
      for (int w = 0; w < words_of(count); ++w) {
        auto const found = detail::flag_within<width>(v + w * width, here(count, w), lo, span);
        detail::write_positions<Exec>(places + n, found, w * width);
        n += count_ones(found);
      }
      return n;
    } else {
      flag(team, v, count, lo, span);
      return list(team, count);
    }
  }
};

/// Packs the candidates of one chunk of x. Where they go depends on which team came first; what is made of them does not.
template <class T, class Exec>
struct Collect {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  T const* x;
  std::int64_t n, capacity, near_capacity;
  Vector<Bracket, Exec> brackets;
  Scalar<Found, Exec> found;
  Vector<T, Exec> candidate, near;
  Vector<std::uint16_t, Exec> place;
  Vector<Segment, Exec> segment;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    Packer<T, Exec> const packer(team);
    int const c = team.league_rank();
    std::int64_t const first = static_cast<std::int64_t>(c) * chunk;
    int const here = static_cast<int>(n - first < chunk ? n - first : chunk);
    T const* const v = x + first;
    auto const lo = static_cast<KeyOf<T>>(brackets(0).lo), span = static_cast<KeyOf<T>>(brackets(0).span);
    int const kept = packer.flag_and_list(team, v, here, lo, largest_key<T> - lo);
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      segment(c).begin =
          static_cast<std::uint32_t>(Kokkos::atomic_fetch_add(&found().candidates, static_cast<std::uint64_t>(kept)));
      segment(c).count = static_cast<std::uint32_t>(kept);
    });
    team.team_barrier();
    std::int64_t const to = segment(c).begin;
    if (to + kept > capacity) return;
    T* const values = candidate.data() + to;
    std::uint16_t* const places = place.data() + to;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, kept), [&](int const i) { values[i] = v[packer.places[i]]; });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, kept), [&](int const i) { places[i] = packer.places[i]; });
    team.team_barrier();
    int const close = packer.flag_and_list(team, values, kept, lo, span);
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      segment(c).near_begin =
          static_cast<std::uint32_t>(Kokkos::atomic_fetch_add(&found().near, static_cast<std::uint64_t>(close)));
      segment(c).near_count = static_cast<std::uint32_t>(close);
    });
    team.team_barrier();
    std::int64_t const near_to = segment(c).near_begin;
    if (near_to + close > near_capacity) return;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, close),
                         [&](int const i) { near(near_to + i) = values[packer.places[i]]; });
  }
};

/// If the bracket holds the k-th entry, what is left to find in it; else everything.
template <class T, class Exec>
struct Judge {
  std::uint64_t k, capacity, near_capacity;
  Vector<Bracket, Exec> brackets;
  Scalar<Found, Exec> found;
  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    Found const f = found();
    bool const fits = f.candidates <= capacity && f.near <= near_capacity;
    found().missed = fits && k <= f.candidates && f.candidates - f.near < k ? 0 : 1;
    if (found().missed)
      brackets(0) = {0, largest_key<T>, k};
    else
      brackets(0).need = k - (f.candidates - f.near);
  }
};

KOKKOS_INLINE_FUNCTION int digit_shift(std::uint64_t span) { return bit_length(span) > digit ? bit_length(span) - digit : 0; }

/// The digits of the entries within the bracket: of those packed, or after a miss of x.
template <class T, class Exec>
struct CountDigit {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  static constexpr int width = runs_on_host<Exec> ? flag_width<Exec> : 1;
  T const* x;
  std::int64_t n;
  Vector<T, Exec> near;
  Scalar<Found, Exec> found;
  Vector<Bracket, Exec> brackets;
  Histogram<Exec> histogram;
  int pass;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    Bracket const b = brackets(pass);
    if (b.span == 0) return;
    auto const lo = static_cast<KeyOf<T>>(b.lo), span = static_cast<KeyOf<T>>(b.span);
    int const shift = digit_shift(b.span);
    std::int64_t const row = team.league_rank(), rows = team.league_size();
    std::uint32_t* const counts = &histogram(row, 0);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, bins), [&](int const i) { counts[i] = 0; });
    team.team_barrier();
    T const* const all = found().missed ? x : near.data();
    std::int64_t const size = found().missed ? n : static_cast<std::int64_t>(found().near);
    std::int64_t const begin = row * size / rows, end = (row + 1) * size / rows;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, static_cast<int>((end - begin + width - 1) / width)), [&](int const w) {
      std::int64_t const first = begin + static_cast<std::int64_t>(w) * width;
      T const* const part = all + first;
      auto flags = detail::flag_within<width>(part, static_cast<int>(end - first < width ? end - first : width), lo, span);
      for (; flags != 0; flags &= flags - 1)
        increment<Exec>(&counts[(magnitude_bits(part[trailing_zeros(flags)]) - lo) >> shift]);
    });
  }
};

template <class Exec>
struct AddRows {
  Histogram<Exec> histogram;
  Vector<Bracket, Exec> brackets;
  int pass;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    if (brackets(pass).span == 0) return;
    std::uint32_t sum = 0;
    for (std::size_t row = 0; row < histogram.extent(0); ++row) sum += histogram(row, b);
    histogram(0, b) = sum;
  }
};

/// Narrows the bracket to the bin that holds the entry looked for, counting from the largest.
template <class Exec>
struct PickDigit {
  using value_type = std::uint64_t;
  Histogram<Exec> histogram;
  Vector<Bracket, Exec> brackets;
  int pass;
  KOKKOS_FUNCTION void operator()(std::int64_t i, std::uint64_t& above, bool final) const {
    Bracket const b = brackets(pass);
    if (b.span == 0) {
      if (final && i == 0) brackets(pass + 1) = b;
      return;
    }
    auto const bin = static_cast<std::uint64_t>(bins - 1 - i);
    std::uint64_t const here = histogram(0, bin);
    if (final && above < b.need && b.need <= above + here) {
      int const shift = digit_shift(b.span);
      std::uint64_t const offset = bin << shift, width = (std::uint64_t{1} << shift) - 1;
      brackets(pass + 1) = {b.lo + offset, b.span - offset < width ? b.span - offset : width, b.need - above};
    }
    above += here;
  }
};

/// weight: entries of a chunk above the threshold in the low half, at it in the high half.
template <class T, class Exec>
struct Weigh {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  static constexpr int width = flag_width<Exec>;
  T const* x;
  std::int64_t n;
  Vector<T, Exec> near;
  Scalar<Found, Exec> found;
  Vector<Segment, Exec> segment;
  Vector<Bracket, Exec> brackets;
  Vector<std::uint64_t, Exec> weight;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const c = team.league_rank();
    auto const threshold = static_cast<KeyOf<T>>(brackets(passes<T>).lo);
    bool const missed = found().missed != 0;
    Segment const s = segment(c);
    T const* const v = missed ? x + c * chunk : near.data() + s.near_begin;
    int const size = missed ? static_cast<int>(n - c * chunk < chunk ? n - c * chunk : chunk) : static_cast<int>(s.near_count);
    std::uint64_t sum = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, (size + width - 1) / width),
        [&](int const w, std::uint64_t& part) {
          int const end = (w + 1) * width < size ? (w + 1) * width : size;
          std::uint32_t above = 0, equal = 0;
          for (int i = w * width; i < end; ++i) {
            above += magnitude_bits(v[i]) > threshold ? 1U : 0U;
            equal += magnitude_bits(v[i]) == threshold ? 1U : 0U;
          }
          part += above | static_cast<std::uint64_t>(equal) << 32;
        },
        sum);
    Kokkos::single(Kokkos::PerTeam(team), [&]() { weight(c) = sum + (missed ? 0U : s.count - s.near_count); });
  }
};

template <class Exec>
struct SumBefore {
  using value_type = std::uint64_t;
  Vector<std::uint64_t, Exec> before, weight;
  KOKKOS_FUNCTION void operator()(std::int64_t c, std::uint64_t& sum, bool final) const {
    if (final) before(c) = sum;
    sum += weight(c);
  }
};

template <class T, class Exec>
struct Write {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  T const* x;
  std::int64_t n;
  Vector<T, Exec> candidate;
  Vector<std::uint16_t, Exec> place;
  Scalar<Found, Exec> found;
  Vector<Segment, Exec> segment;
  Vector<Bracket, Exec> brackets;
  Vector<std::uint64_t, Exec> before, weight;
  std::uint32_t* indices;
  T* values;

  /// Takes the flags of all entries at the threshold but the first `ties`.
  KOKKOS_FUNCTION void trim(Packer<T, Exec> const& packer, T const* v, int size, KeyOf<T> threshold, std::uint32_t ties) const {
    for (int w = 0; w < packer.words_of(size); ++w) {
      auto equal = detail::flag_within<Packer<T, Exec>::width>(v + w * packer.width, packer.here(size, w), threshold, 0);
      for (; equal != 0 && ties > 0; --ties) equal &= equal - 1;
      packer.flags[w] &= ~equal;
    }
  }
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const c = team.league_rank();
    if (weight(c) == 0) return;
    Packer<T, Exec> const packer(team);
    auto const threshold = static_cast<KeyOf<T>>(brackets(passes<T>).lo);
    auto const ties = static_cast<std::uint32_t>(brackets(passes<T>).need);
    auto const above = static_cast<std::uint32_t>(before(c)), equal = static_cast<std::uint32_t>(before(c) >> 32);
    auto const here = static_cast<std::uint32_t>(weight(c) >> 32);
    bool const missed = found().missed != 0;
    Segment const s = segment(c);
    T const* const v = missed ? x + c * chunk : candidate.data() + s.begin;
    int const size = missed ? static_cast<int>(n - c * chunk < chunk ? n - c * chunk : chunk) : static_cast<int>(s.count);
    std::uint32_t const left = equal < ties ? ties - equal : 0;  // entries at the threshold that this chunk may take
    int kept = 0;
    if (left < here) {
      packer.flag(team, v, size, threshold, largest_key<T> - threshold);
      Kokkos::single(Kokkos::PerTeam(team), [&]() { trim(packer, v, size, threshold, left); });
      team.team_barrier();
      kept = packer.list(team, size);
    } else {
      kept = packer.flag_and_list(team, v, size, threshold, largest_key<T> - threshold);
    }
    std::size_t const to = above + (equal < ties ? equal : ties);
    std::uint32_t* const to_indices = indices + to;
    T* const to_values = values + to;
    auto const base = static_cast<std::uint32_t>(c) * chunk;
    std::uint16_t const* const from = packer.places;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, kept), [&](int const i) { to_values[i] = v[from[i]]; });
    if (missed) {
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, kept), [&](int const i) { to_indices[i] = base + from[i]; });
    } else {
      std::uint16_t const* const places = place.data() + s.begin;
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, kept), [&](int const i) { to_indices[i] = base + places[from[i]]; });
    }
  }
};

}  // namespace

template <class T, class Exec>
TopSelector<T, Exec>::TopSelector(std::int64_t n, std::int64_t k)
    : n_(n), k_(k), found_("kaon::compress::found"), brackets_("kaon::compress::brackets", passes<T> + 1) {
  require(1 <= k && k <= n && n < (std::int64_t{1} << 31), "top: needs 1 <= k <= n < 2^31");
  chunks_ = (n + chunk - 1) / chunk;
  capacity_ = std::min(n, k + k / 4 + n / 32 + 8192);
  near_capacity_ = std::min(n, n / 16 + 8192);
  auto const sample = std::min(n, most_sampled);
  double const f = static_cast<double>(k) / static_cast<double>(n), mean = f * static_cast<double>(sample);
  double const margin = sample == n ? 0 : 2 + 5 * std::sqrt(mean * (1 - f));
  sample_ = static_cast<std::uint32_t>(sample);
  rank_lo_ = static_cast<std::uint32_t>(std::ceil(mean + margin));  // above the sample's size: no lower end
  rank_hi_ = static_cast<std::uint32_t>(std::max(0.0, std::floor(mean - margin)));
  auto const chunks = static_cast<std::size_t>(chunks_), room = static_cast<std::size_t>(capacity_);
  candidate_ = Vector<T, Exec>("kaon::compress::candidate", room);
  place_ = Vector<std::uint16_t, Exec>("kaon::compress::place", room);
  near_ = Vector<T, Exec>("kaon::compress::near", static_cast<std::size_t>(near_capacity_));
  drawn_ = Vector<T, Exec>("kaon::compress::drawn", static_cast<std::size_t>(sample));
  segment_ = Vector<Segment, Exec>("kaon::compress::segment", chunks);
  weight_ = Vector<std::uint64_t, Exec>("kaon::compress::weight", chunks);
  before_ = Vector<std::uint64_t, Exec>("kaon::compress::before", chunks);
  std::size_t const rows = runs_on_host<Exec> ? 32 : 512;
  histogram_ = Histogram<Exec>("kaon::compress::histogram", std::min(chunks, rows), bins);
}

template <class T, class Exec>
void TopSelector<T, Exec>::operator()(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices,
                                      Out<Vector<T, Exec>> const& values, In<ConstVector<T, Exec>> const& x) const {
  require(static_cast<std::int64_t>(x.extent(0)) == n_ && static_cast<std::int64_t>(indices.extent(0)) == k_ &&
              static_cast<std::int64_t>(values.extent(0)) == k_,
          "top: shapes do not fit");
  using Team = Kokkos::TeamPolicy<Exec>;
  using Range = Kokkos::RangePolicy<Exec>;
  auto const teams = [&](std::size_t league) { return Team(exec, static_cast<int>(league), fixed_team_size<Exec>); };
  auto const with = [&](std::size_t league, std::size_t bytes) {
    return teams(league).set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(bytes)));
  };
  auto const chunks = static_cast<std::size_t>(chunks_);
  std::size_t const packing = Packer<T, Exec>::scratch_bytes() + 64;  // and its alignment
  Kokkos::parallel_for(
      "kaon::compress::top_sample", with(1, Sample<T, Exec>::scratch_bytes() + 64),
      Sample<T, Exec>{x.data(), static_cast<std::uint64_t>(n_), sample_, rank_lo_, rank_hi_, drawn_, brackets_, found_});
  Kokkos::parallel_for(
      "kaon::compress::top_collect", with(chunks, packing),
      Collect<T, Exec>{x.data(), n_, capacity_, near_capacity_, brackets_, found_, candidate_, near_, place_, segment_});
  Kokkos::parallel_for("kaon::compress::top_judge", Range(exec, 0, 1),
                       Judge<T, Exec>{static_cast<std::uint64_t>(k_), static_cast<std::uint64_t>(capacity_),
                                      static_cast<std::uint64_t>(near_capacity_), brackets_, found_});
  for (int pass = 0; pass < passes<T>; ++pass) {
    Kokkos::parallel_for("kaon::compress::top_count", teams(histogram_.extent(0)),
                         CountDigit<T, Exec>{x.data(), n_, near_, found_, brackets_, histogram_, pass});
    if (histogram_.extent(0) > 1)
      Kokkos::parallel_for("kaon::compress::top_add", Range(exec, 0, bins), AddRows<Exec>{histogram_, brackets_, pass});
    Kokkos::parallel_scan("kaon::compress::top_pick", Range(exec, 0, bins), PickDigit<Exec>{histogram_, brackets_, pass});
  }
  Kokkos::parallel_for("kaon::compress::top_weigh", teams(chunks),
                       Weigh<T, Exec>{x.data(), n_, near_, found_, segment_, brackets_, weight_});
  Kokkos::parallel_scan("kaon::compress::top_before", Range(exec, 0, chunks_), SumBefore<Exec>{before_, weight_});
  Kokkos::parallel_for("kaon::compress::top_write", with(chunks, packing),
                       Write<T, Exec>{x.data(), n_, candidate_, place_, found_, segment_, brackets_, before_, weight_,
                                      indices.data(), values.data()});
}

#define KAON_KERNEL(T, Exec) template class TopSelector<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
