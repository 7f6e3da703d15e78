// What the compressors share. Not part of the public interface.
#ifndef KAON_COMPRESS_DETAIL_HPP
#define KAON_COMPRESS_DETAIL_HPP

#include <kaon/compress/compressor.hpp>

#include <charconv>

namespace kaon::detail {

template <class Exec>
struct SetLength {
  Scalar<std::uint64_t, Exec> length;
  std::uint64_t value;
  KOKKOS_FUNCTION void operator()(std::int64_t) const { length() = value; }
};

template <class Exec>
void set_length(Exec const& exec, Scalar<std::uint64_t, Exec> const& length, std::uint64_t value) {
  Kokkos::parallel_for("kaon::compress::length", Kokkos::RangePolicy<Exec>(exec, 0, 1), SetLength<Exec>{length, value});
}

template <class V>
V bytes_from(V const& buffer, std::size_t begin, std::size_t count) {
  return Kokkos::subview(buffer, std::make_pair(begin, begin + count));
}

/// Bytes of one 16-bit scale for each block of n values, padded to 8.
inline std::size_t scale_bytes(std::int64_t n, int block) {
  auto const blocks = static_cast<std::size_t>((n + block - 1) / block);
  return (2 * blocks + 7) / 8 * 8;
}

/// The stream of a second purpose inside one compress call.
inline StreamKey second_stream(StreamKey key, std::uint64_t which) {
  key.seed ^= 0x9e3779b97f4a7c15ULL * which;
  return key;
}

/// ⌊F·n⌋ of the decimal fraction that F stands for: 0.29 · 100 is 29 although the double 0.29 lies below it.
inline std::int64_t floor_fraction(double fraction, double n) { return static_cast<std::int64_t>(fraction * n * (1 + 1e-14)); }

/// Shortest text that reads back as the same double.
inline std::string shortest(double v) {
  char text[32];
  auto const r = std::to_chars(text, text + sizeof text, v);
  return std::string(text, r.ptr);
}

}  // namespace kaon::detail

#endif
