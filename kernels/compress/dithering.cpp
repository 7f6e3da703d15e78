#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/dithering.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace {

template <class T>
using BitsOf = decltype(magnitude_bits(T(0)));
KOKKOS_INLINE_FUNCTION double magnitude_of(std::uint32_t bits) { return static_cast<double>(from_bits(bits)); }
KOKKOS_INLINE_FUNCTION double magnitude_of(std::uint64_t bits) {
  double v;
  memcpy(&v, &bits, sizeof v);
  return v;
}
KOKKOS_INLINE_FUNCTION bool is_number(std::uint32_t magnitude) { return magnitude < 0x7f800000U; }
KOKKOS_INLINE_FUNCTION bool is_number(std::uint64_t magnitude) { return magnitude < 0x7ff0000000000000U; }

/// Codes the block that starts at entry `begin`, itself at the start of a word; `unit` is s/M, 0 for codes that are all 0.
template <int B, class T>
struct DitherWord {
  static constexpr int levels = (1 << (B - 1)) - 1, per_word = 64 / B;
  T const* x;
  std::int64_t begin;
  int count;
  double unit;
  StreamKey key;
  std::uint64_t* words;

  /// Writes word w of the block; returns Σ |x|c over it.
  KOKKOS_INLINE_FUNCTION double operator()(int w) const {
    int const first = w * per_word, end = first + per_word < count ? first + per_word : count;
    double sums[4] = {0, 0, 0, 0};
    std::uint64_t word = 0;
    for (int quad = first; quad < end && unit > 0; quad += 4) {
      Words const random = random_words(key, static_cast<std::uint32_t>((begin + quad) >> 2));
      for (int j = 0; j < 4; ++j) {
        if (quad + j >= end) continue;
        T const v = x[begin + quad + j];
        double const a = static_cast<double>(v < T(0) ? -v : v), t = a * unit;
        int c = static_cast<int>(t < levels ? t : levels);
        double const fraction = t - c, coin = (static_cast<double>(random.v[j]) + 0.5) * (1.0 / 4294967296.0);
        c += coin < fraction && c < levels ? 1 : 0;
        sums[j] += a * c;
        std::uint64_t const code = static_cast<std::uint64_t>(c) | (v < T(0) ? std::uint64_t{1} << (B - 1) : 0);
        word |= code << ((quad + j - first) * B);
      }
    }
    words[w] = word;
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
  }
  /// Σ c² over word w.
  KOKKOS_INLINE_FUNCTION double square(int w) const {
    std::uint64_t const word = words[w];
    int sum = 0;
    for (int j = 0; j < per_word; ++j) {
      int const c = static_cast<int>(word >> (j * B)) & levels;
      sum += c * c;
    }
    return sum;
  }
};

template <int B, class T, class Exec>
struct DitherBlock {
  T const* x;
  std::int64_t n, blocks;
  int block;
  StreamKey key;
  std::uint16_t* scales;
  std::uint64_t* words;
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const index = team.league_rank(), begin = index * block;
    int const count = static_cast<int>(n - begin < block ? n - begin : block);
    T const* const values = x + begin;
    BitsOf<T> top = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const j, BitsOf<T>& m) {
          BitsOf<T> const u = magnitude_bits(values[j]);
          m = u > m ? u : m;
        },
        Kokkos::Max<BitsOf<T>>(top));
    double const largest = is_number(top) ? magnitude_of(top) : 0;
    double const unit = largest >= 1.4e-45 ? DitherWord<B, T>::levels / largest : 0;  // 2⁻¹⁴⁹
    DitherWord<B, T> const code{x, begin, count, unit, key, words + begin * B / 64};
    int const here = (count * B + 63) / 64;
    double inner = 0, square = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, here), [&](int const w, double& s) { s += code(w); }, inner);
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, here), [&](int const w, double& s) { s += code.square(w); }, square);
    if (team.team_rank() == 0) {
      double const gamma = square > 0 ? inner / square : 0;
      float const scale = static_cast<float>(gamma < static_cast<double>(float_max) ? gamma : static_cast<double>(float_max));
      scales[index] = is_number(top) ? to_bf16(scale) : static_cast<std::uint16_t>(0x7fc0U);
      if (index + 1 == blocks)
        for (std::int64_t pad = blocks; pad % 4 != 0; ++pad) scales[pad] = 0;
    }
  }
};

template <int B, class T>
struct AddDithered {
  T* y;
  std::int64_t n;
  int block;
  std::uint16_t const* scales;
  std::uint64_t const* words;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    constexpr int per_word = 64 / B, levels = (1 << (B - 1)) - 1;
    std::int64_t const begin = w * per_word;
    int const here = static_cast<int>(n - begin < per_word ? n - begin : per_word);
    double const scale = static_cast<double>(from_bf16(scales[begin / block]));
    std::uint64_t const word = words[w];
    for (int j = 0; j < here; ++j) {
      int const code = static_cast<int>(word >> (j * B)) & ((1 << B) - 1);
      double const q = scale * (code & levels), limit = static_cast<double>(float_max);
      double const v = q > limit ? limit : q < -limit ? -limit : q;
      y[begin + j] += static_cast<T>((code >> (B - 1)) != 0 ? -v : v);
    }
  }
};

template <int B, class T, class Exec>
void encode(Exec const& exec, Bytes<Exec> const& payload, ConstMatrix<T, Exec> const& x, int block, StreamKey const& key) {
  auto const n = static_cast<std::int64_t>(x.size()), blocks = (n + block - 1) / block;
  auto* const words = reinterpret_cast<std::uint64_t*>(payload.data() + detail::scale_bytes(n, block));
  auto* const scales = reinterpret_cast<std::uint16_t*>(payload.data());
  Kokkos::parallel_for("kaon::compress::dither", Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(blocks), fixed_team_size<Exec>),
                       DitherBlock<B, T, Exec>{x.data(), n, blocks, block, key, scales, words});
}

template <int B, class T, class Exec>
void decode(Exec const& exec, Matrix<T, Exec> const& y, ConstBytes<Exec> const& payload, int block) {
  auto const n = static_cast<std::int64_t>(y.size());
  auto const* const words = reinterpret_cast<std::uint64_t const*>(payload.data() + detail::scale_bytes(n, block));
  auto const* const scales = reinterpret_cast<std::uint16_t const*>(payload.data());
  auto const count = static_cast<std::int64_t>(packed_words(static_cast<std::uint64_t>(n), B));
  Kokkos::parallel_for("kaon::compress::dither_add", Kokkos::RangePolicy<Exec>(exec, 0, count),
                       AddDithered<B, T>{y.data(), n, block, scales, words});
}

}  // namespace

double dithering_alpha(int bits, std::int64_t count) {
  double const s = std::ldexp(1.0, bits - 1) - 1;
  double const omega = (std::sqrt(1 + static_cast<double>(count - 1) / (s * s)) - 1) / 2;
  return (1 - 0x1p-16 - 1e-6) / (1 + omega);
}

template <class T, class Exec>
Dithering<T, Exec>::Dithering(int rows, int cols, int bits, int block)
    : Compressor<T, Exec>(rows, cols), bits_(bits), block_(block) {
  if (bits != 2 && bits != 4 && bits != 8) throw UsageError("dither:" + std::to_string(bits) + ": not 2, 4 or 8 bits");
  if (block < 64 || block > 65536 || block % 64 != 0)
    throw UsageError("block=" + std::to_string(block) + ": not a multiple of 64 between 64 and 65536");
}

template <class T, class Exec>
std::string Dithering<T, Exec>::spec() const {
  return "dither:" + std::to_string(bits_) + ":block=" + std::to_string(block_);
}

template <class T, class Exec>
std::size_t Dithering<T, Exec>::bytes_bound() const {
  auto const n = this->entries();
  return detail::scale_bytes(n, block_) + packed_bytes(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(bits_));
}

template <class T, class Exec>
double Dithering<T, Exec>::guaranteed_alpha() const {
  return dithering_alpha(bits_, std::min<std::int64_t>(block_, this->entries()));
}

template <class T, class Exec>
void Dithering<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload,
                                  Out<Scalar<std::uint64_t, Exec>> const& length, In<ConstMatrix<T, Exec>> const& x,
                                  Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  if (bits_ == 2) encode<2>(exec, payload, x, block_, key);
  if (bits_ == 4) encode<4>(exec, payload, x, block_, key);
  if (bits_ == 8) encode<8>(exec, payload, x, block_, key);
  detail::set_length(exec, length, bytes_bound());
}

template <class T, class Exec>
void Dithering<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                        std::size_t length) {
  this->check_decompress(y, payload, length);
  if (bits_ == 2) decode<2>(exec, y, payload, block_);
  if (bits_ == 4) decode<4>(exec, y, payload, block_);
  if (bits_ == 8) decode<8>(exec, y, payload, block_);
}

#define KAON_KERNEL(T, Exec) template class Dithering<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
