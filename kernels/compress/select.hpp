#ifndef KAON_COMPRESS_SELECT_HPP
#define KAON_COMPRESS_SELECT_HPP

#include <kaon/core/types.hpp>

namespace kaon {

namespace detail {
/// The threshold's bits lie in [lo, lo + span], and it is the need-th largest of the entries whose bits do.
struct Bracket {
  std::uint64_t lo, span, need;
};
/// What one pass over x found: entries at or above lo, those of them within the bracket, and whether it missed.
struct Found {
  std::uint64_t candidates, near, missed;
};
/// One chunk's candidates, and the copies of those within the bracket: where they begin, and how many.
struct Segment {
  std::uint32_t begin, count, near_begin, near_count;
};
}  // namespace detail

/// The k entries of largest magnitude among n, exactly. Equal magnitudes: the lowest index wins. NaN counts as larger than
/// infinity. Only integers are summed: the result depends on nothing but x and k.
///
/// A stratified sample of up to 32,768 entries brackets the threshold to within 5 standard deviations; one pass over x packs the
/// candidates at or above the bracket's lower end; radix selection on the bits of |x| (11 at a time, at most 3 passes for float,
/// 6 for double) reads those within the bracket alone, the final packing the candidates. Where the bracket misses, or its entries
/// outgrow their memory (1.25 k + n/32 and n/16), the same kernels go over x instead: decided on the device, exact in either
/// case. Cost: one read of x, twice the candidates' bytes (6 each for float, 10 for double). Owns its workspace: one call at a
/// time. Floyd and Rivest, "Expected time bounds for selection", CACM 18 (1975), is the idea of the bracket.
template <class T, class Exec>
class TopSelector {
 public:
  /// Throws std::invalid_argument unless 1 ≤ k ≤ n < 2³¹.
  TopSelector(std::int64_t n, std::int64_t k);

  /// indices (k) ← the selected indices, increasing; values (k) ← x at them. Asynchronous; no allocation.
  void operator()(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices, Out<Vector<T, Exec>> const& values,
                  In<ConstVector<T, Exec>> const& x) const;

 private:
  std::int64_t n_, k_, chunks_, capacity_, near_capacity_;
  std::uint32_t sample_, rank_lo_, rank_hi_;
  Scalar<detail::Found, Exec> found_;
  Vector<detail::Bracket, Exec> brackets_;                                        // before each pass, and the threshold
  Vector<T, Exec> drawn_;                                                         // the sample
  Vector<T, Exec> candidate_, near_;                                              // chunk by chunk, in no order of chunks
  Vector<std::uint16_t, Exec> place_;                                             // of each candidate in its chunk
  Vector<detail::Segment, Exec> segment_;                                         // of each chunk
  Vector<std::uint64_t, Exec> weight_, before_;                                   // entries above and at the threshold
  Kokkos::View<std::uint32_t**, Kokkos::LayoutRight, DeviceOf<Exec>> histogram_;  // a row for each team
};

}  // namespace kaon

#endif
