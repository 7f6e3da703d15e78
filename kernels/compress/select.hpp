#ifndef KAON_COMPRESS_SELECT_HPP
#define KAON_COMPRESS_SELECT_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// The k entries of largest magnitude among n, exactly: radix selection on the bits of |x| (histograms of 10 to 11 bits, 3 passes
/// over x for float, 6 for double), then one scan that compacts. Equal magnitudes: the lowest index wins. NaN counts as larger
/// than infinity. Only integers are summed: the result does not depend on the back end. Owns its workspace: one call at a time.
template <class T, class Exec>
class TopSelector {
 public:
  /// Throws std::invalid_argument unless 1 ≤ k ≤ n < 2³¹.
  TopSelector(std::int64_t n, std::int64_t k);

  /// indices (k) ← the selected indices, increasing; values (k) ← x at them. Asynchronous; no allocation.
  void operator()(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices, Out<Vector<T, Exec>> const& values,
                  In<ConstVector<T, Exec>> const& x) const;

 private:
  std::int64_t n_, k_, chunk_;
  Kokkos::View<std::uint32_t**, Kokkos::LayoutRight, DeviceOf<Exec>> histogram_;  // one row for each chunk of x
  Vector<std::uint64_t, Exec> prefix_, remaining_;                                // after p passes: leading bits, entries to find
};

}  // namespace kaon

#endif
