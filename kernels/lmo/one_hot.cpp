// The norms whose oracle names one entry of a line: entry ℓ1 (all of the matrix), 1→1 (each column), ∞→∞ (each row).
#include <kaon/core/instantiate.hpp>
#include <kaon/core/number_bits.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/lmo/norms.hpp>

#include <cstdint>

namespace kaon {
namespace one_hot_norm {

/// Entries of a row (or rows of a column) that one team or task looks through.
constexpr std::int64_t chunk = 4096;
constexpr std::int64_t column_chunk = 256;

/// Orders as |x| does, with every NaN above infinity.
template <class T>
KOKKOS_INLINE_FUNCTION std::uint64_t order(T x) {
  return magnitude_bits(x);
}

/// best(line·chunks + c) ← place within the line (length `length`, contiguous) of the first largest entry of its chunk c.
template <class T, class Exec>
struct ScanRows {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Vector<std::int64_t, Exec> best;
  T const* g;
  std::int64_t length, chunks;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const line = team.league_rank() / chunks;
    std::int64_t const begin = team.league_rank() % chunks * chunk;
    int const count = static_cast<int>(length - begin < chunk ? length - begin : chunk);
    T const* const at = g + line * length + begin;
    std::uint64_t top = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const i, std::uint64_t& t) {
          std::uint64_t const x = order(at[i]);
          t = x > t ? x : t;
        },
        Kokkos::Max<std::uint64_t>(top));
    int first = count;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count), [&](int const i, int& f) { f = order(at[i]) == top && i < f ? i : f; },
        Kokkos::Min<int>(first));
    Kokkos::single(Kokkos::PerTeam(team), [&]() { best(team.league_rank()) = begin + first; });
  }
};

/// best(c·n + j) ← row of the first largest entry of column j in its chunk c of rows.
template <class T, class Exec>
struct ScanColumns {
  Vector<std::int64_t, Exec> best;
  ConstMatrix<T, Exec> G;
  static constexpr int width = runs_on_host<Exec> ? 64 : 1;

  KOKKOS_FUNCTION void operator()(std::int64_t const task) const {
    auto const m = static_cast<std::int64_t>(G.extent(0)), n = static_cast<std::int64_t>(G.extent(1));
    std::int64_t const strips = (n + width - 1) / width;
    std::int64_t const block = task / strips, left = task % strips * width;
    int const count = static_cast<int>(n - left < width ? n - left : width);
    std::int64_t const begin = block * column_chunk;
    std::int64_t const end = m - begin < column_chunk ? m : begin + column_chunk;
    std::uint64_t top[width];
    std::int64_t at[width];
    for (int c = 0; c < count; ++c) top[c] = order(G(begin, left + c)), at[c] = begin;
    for (std::int64_t i = begin + 1; i < end; ++i) {
      T const* const row = &G(i, left);
      for (int c = 0; c < count; ++c) {
        std::uint64_t const x = order(row[c]);
        bool const larger = x > top[c];
        top[c] = larger ? x : top[c];
        at[c] = larger ? i : at[c];
      }
    }
    for (int c = 0; c < count; ++c) best(block * n + left + c) = at[c];
  }
};

/// place(line) ← the first largest entry's place among the candidates of the line's chunks, which follow one another.
template <class T, class Exec>
struct Settle {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  Vector<std::int64_t, Exec> place;
  ConstVector<std::int64_t, Exec> best;
  T const* g;
  std::int64_t line_step, entry_step;      // of G: from line to line, and within a line
  std::int64_t best_line_step, best_step;  // of best: from line to line, and from chunk to chunk
  int chunks;

  KOKKOS_FUNCTION std::uint64_t value(std::int64_t line, int c) const {
    return order(g[line * line_step + best(line * best_line_step + c * best_step) * entry_step]);
  }

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const line = team.league_rank();
    std::uint64_t top = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, chunks),
        [&](int const c, std::uint64_t& t) {
          std::uint64_t const x = value(line, c);
          t = x > t ? x : t;
        },
        Kokkos::Max<std::uint64_t>(top));
    int first = chunks;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, chunks), [&](int const c, int& f) { f = value(line, c) == top && c < f ? c : f; },
        Kokkos::Min<int>(first));
    Kokkos::single(Kokkos::PerTeam(team), [&]() { place(line) = best(line * best_line_step + first * best_step); });
  }
};

/// Z ← 0 but for −s·sign(g) at each line's place. Entry e of G is in line (e / outer) or (e % inner), at the other one.
template <class T, class Exec>
void one_hots(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G,
              In<ConstVector<std::int64_t, Exec>> const& place, std::int64_t length, bool columns, double scale) {
  T const s = static_cast<T>(scale);
  T* z = Z.data();
  T const* g = G.data();
  std::int64_t const n = columns ? static_cast<std::int64_t>(G.extent(1)) : length;
  Kokkos::parallel_for(
      "kaon::lmo_one_hot",
      Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, static_cast<std::int64_t>(Z.size())),
      KOKKOS_LAMBDA(std::int64_t const e) {
        std::int64_t const i = e / n, j = e % n;
        T const x = g[e];
        bool const here = columns ? place(j) == i : place(i) == j;
        int const down = static_cast<int>(x > T(0)) - static_cast<int>(x < T(0));
        T const none = x - x;  // but for a NaN or an infinity
        z[e] = none == T(0) ? (here ? s * static_cast<T>(-down) : T(0)) : none;
      });
}

template <class T, class Exec>
void dual(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
          In<ConstMatrix<T, Exec>> const& G, In<ConstVector<std::int64_t, Exec>> const& place, std::int64_t line_step,
          std::int64_t entry_step, double scale) {
  T const* g = G.data();
  reduce_sum(
      exec, "kaon::lmo_one_hot_dual", result, partials, static_cast<std::int64_t>(place.extent(0)),
      KOKKOS_LAMBDA(std::int64_t const line) {
        return scale * math::fabs(static_cast<double>(g[line * line_step + place(line) * entry_step]));
      });
}

template <class T, class Exec>
class OneHotLmo final : public Lmo<T, Exec> {
 public:
  OneHotLmo(Lines lines, int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        columns_(lines == Lines::columns),
        lines_(lines == Lines::columns ? cols
               : lines == Lines::rows  ? rows
                                       : 1),
        length_(std::int64_t{rows} * cols / lines_),
        chunks_((length_ + (columns_ ? column_chunk : chunk) - 1) / (columns_ ? column_chunk : chunk)),
        best_("kaon::lmo_one_hot::best", static_cast<std::size_t>(lines_ * chunks_)),
        place_("kaon::lmo_one_hot::place", static_cast<std::size_t>(lines_)),
        partials_("kaon::lmo_one_hot::partials", static_cast<std::size_t>(reduce_blocks(lines_))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    find(exec, G);
    one_hots<T>(exec, Z, G, place_, length_, columns_, this->scale());
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    find(exec, G);
    dual<T>(exec, result, partials_, G, place_, columns_ ? 1 : length_, columns_ ? lines_ : 1, this->scale());
  }

 private:
  void find(Exec const& exec, ConstMatrix<T, Exec> const& G) {
    using Teams = Kokkos::TeamPolicy<Exec>;
    if (columns_) {
      ScanColumns<T, Exec> const scan{best_, G};
      std::int64_t const strips = (lines_ + scan.width - 1) / scan.width;
      using Tasks = Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>;
      Kokkos::parallel_for("kaon::lmo_one_hot_columns", Tasks(exec, 0, chunks_ * strips), scan);
    } else {
      ScanRows<T, Exec> const scan{best_, G.data(), length_, chunks_};
      Kokkos::parallel_for("kaon::lmo_one_hot_rows", Teams(exec, static_cast<int>(lines_ * chunks_), fixed_team_size<Exec>),
                           scan);
    }
    Settle<T, Exec> const settle{place_,
                                 best_,
                                 G.data(),
                                 columns_ ? 1 : length_,
                                 columns_ ? lines_ : 1,
                                 columns_ ? 1 : chunks_,
                                 columns_ ? lines_ : 1,
                                 static_cast<int>(chunks_)};
    Kokkos::parallel_for("kaon::lmo_one_hot_settle", Teams(exec, static_cast<int>(lines_), fixed_team_size<Exec>), settle);
  }

  bool columns_;
  std::int64_t lines_, length_, chunks_;
  Vector<std::int64_t, Exec> best_, place_;
  Vector<double, Exec> partials_;
};

}  // namespace one_hot_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_one_hot_lmo(Lines lines, int rows, int cols, double scale) {
  return std::make_unique<one_hot_norm::OneHotLmo<T, Exec>>(lines, rows, cols, scale);
}

// The stack of blocks has the rows of its blocks, but not their columns.
NormTraits one_hot_norm_traits(Lines lines) {
  bool const rows = lines == Lines::rows;
  return {rows                      ? "inf-to-inf"
          : lines == Lines::columns ? "one-to-one"
                                    : "l1",
          {"none", "input"},
          nullptr,
          nullptr,
          entrywise_cost,
          rows ? always : never,
          never};
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_one_hot_lmo<T, Exec>(Lines, int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
