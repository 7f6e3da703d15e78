#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/natural.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

/// Exponent code of v, rounded up where the fraction |v|/2^e − 1, in units of 2⁻³², exceeds `threshold`: the carry of an integer
/// addition to the fraction's 23 bits.
KOKKOS_INLINE_FUNCTION std::uint32_t exponent_code(float v, std::uint32_t threshold) {
  std::uint32_t const u = magnitude_bits(v);
  std::uint32_t const code = (u + (~threshold >> 9)) >> 23;
  return u >= 0x7f800000U ? 255U : (code < 254U ? code : 254U);
}
KOKKOS_INLINE_FUNCTION std::uint32_t exponent_code(double v, std::uint32_t threshold) {
  std::uint64_t const u = magnitude_bits(v);
  if (u >= 0x7ff0000000000000U) return 255;
  std::int32_t code = static_cast<std::int32_t>(u >> 52) - 896;
  std::uint32_t fraction = static_cast<std::uint32_t>(u >> 20);
  if (code < 1) {  // |v| < 2⁻¹²⁶ in units of 2⁻¹⁵⁸
    code = 0;
    fraction = static_cast<std::uint32_t>(math::fabs(v) * 3.65375409332725729550921208179e47);
  }
  code += fraction > threshold ? 1 : 0;
  return static_cast<std::uint32_t>(code < 254 ? code : 254);
}

/// Whether v < 0, as an integer comparison: −0 and NaN are not.
KOKKOS_INLINE_FUNCTION bool is_negative(float v) { return to_bits(v) - 0x80000001U <= 0x7f7fffffU; }
KOKKOS_INLINE_FUNCTION bool is_negative(double v) { return to_bits(v) - 0x8000000000000001U <= 0x7fefffffffffffffU; }

KOKKOS_INLINE_FUNCTION float power(std::uint32_t sign, std::uint32_t code) { return from_bits(sign << 31 | code << 23); }

inline constexpr std::uint32_t half_way = 0x7fffffffU;  // fraction ≥ 1/2 goes up
/// Values of one task. A host's are a word of signs, in loops that vectorise; a device's a word of exponents and a byte of signs.
template <class Exec>
inline constexpr int strip = runs_on_host<Exec> ? 64 : 8;

/// thresholds[j] ← word first + j of the stream, j < N: N/4 Philox blocks side by side.
template <int N>
KOKKOS_INLINE_FUNCTION void draw(std::uint32_t* thresholds, StreamKey const& key, std::uint64_t first) {
  auto const block = static_cast<std::uint32_t>(first / 4);
  for (int b = 0; b < N / 4; ++b) {
    Words const w = random_words(key, block + static_cast<std::uint32_t>(b));
    for (int j = 0; j < 4; ++j) thresholds[4 * b + j] = w.v[j];
  }
}

template <class T, class Exec, bool Stochastic>
struct Encode {
  static constexpr int N = strip<Exec>;
  T const* x;
  std::uint64_t count;
  unsigned char* exponents;
  unsigned char* signs;
  StreamKey key;

  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    auto const first = static_cast<std::uint64_t>(task) * N;
    unsigned char* const e = exponents + first;
    unsigned char* const s = signs + first / 8;
    if (count - first >= N) {
      values(x + first, e, s, first);
      if (count - first > N) return;
    } else {
      T padded[N] = {};
      unsigned char codes[N];
      int const here = static_cast<int>(count - first);
      for (int j = 0; j < here; ++j) padded[j] = x[first + static_cast<std::uint64_t>(j)];
      values(padded, codes, s, first);
      for (int j = 0; j < (here + 7) / 8 * 8; ++j) e[j] = j < here ? codes[j] : static_cast<unsigned char>(0);
    }
    std::uint64_t const end = (count + 63) / 64 * 8;
    for (std::uint64_t pad = (first + N) / 8; pad < end; ++pad) signs[pad] = 0;
  }

  KOKKOS_INLINE_FUNCTION void values(T const* from, unsigned char* e, unsigned char* s, std::uint64_t first) const {
    if constexpr (Stochastic) {
      std::uint32_t thresholds[N];
      draw<N>(thresholds, key, first);
      for (int j = 0; j < N; ++j) e[j] = static_cast<unsigned char>(exponent_code(from[j], thresholds[j]));
    } else {
      for (int j = 0; j < N; ++j) e[j] = static_cast<unsigned char>(exponent_code(from[j], half_way));
    }
    constexpr int width = N < 32 ? N : 32;
    for (int half = 0; half < N; half += width) {
      std::uint32_t word = 0;
      for (int j = 0; j < width; ++j) word |= is_negative(from[half + j]) ? 1U << j : 0U;
      for (int b = 0; b < width / 8; ++b) s[half / 8 + b] = static_cast<unsigned char>(word >> (8 * b));
    }
  }
};

template <class T, class Exec>
struct AddPowers {
  static constexpr int N = runs_on_host<Exec> ? 64 : 1;
  T* y;
  std::uint64_t count;
  unsigned char const* exponents;
  std::uint64_t const* signs;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    auto const first = static_cast<std::uint64_t>(task) * N;
    std::uint64_t const word = signs[first >> 6] >> (first & 63);
    T* const out = y + first;
    unsigned char const* const e = exponents + first;
    int const here = static_cast<int>(count - first < N ? count - first : N);
    if (here == N && N >= 32) {
      for (int half = 0; half < N; half += 32) {
        auto const bits = static_cast<std::uint32_t>(word >> half);
        for (int j = 0; j < 32 && j < N; ++j) out[half + j] += static_cast<T>(power(bits >> j & 1U, e[half + j]));
      }
    } else {
      for (int j = 0; j < here; ++j) out[j] += static_cast<T>(power(static_cast<std::uint32_t>(word >> j) & 1U, e[j]));
    }
  }
};

template <bool Stochastic, class T, class Exec>
void encode(Exec const& exec, T const* x, std::uint64_t n, unsigned char* payload, StreamKey const& key) {
  constexpr std::uint64_t N = strip<Exec>;
  Kokkos::parallel_for("kaon::compress::natural", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>((n + N - 1) / N)),
                       Encode<T, Exec, Stochastic>{x, n, payload, payload + packed_bytes(n, 8), key});
}

}  // namespace

template <class T, class Exec>
std::size_t Natural<T, Exec>::bytes_bound() const {
  auto const n = static_cast<std::uint64_t>(this->entries());
  return packed_bytes(n, 8) + packed_bytes(n, 1);
}

template <class T, class Exec>
void Natural<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  auto const n = static_cast<std::uint64_t>(this->entries());
  if (stochastic_)
    encode<true>(exec, x.data(), n, payload.data(), key);
  else
    encode<false>(exec, x.data(), n, payload.data(), key);
  detail::set_length(exec, length, this->bytes_bound());
}

template <class T, class Exec>
void Natural<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                      std::size_t length) {
  this->check_decompress(y, payload, length);
  auto const n = static_cast<std::uint64_t>(this->entries());
  auto const* const words = as_words<Exec>(payload, length);
  using Add = AddPowers<T, Exec>;
  Kokkos::parallel_for("kaon::compress::natural_add", Kokkos::RangePolicy<Exec>(exec, 0, (this->entries() + Add::N - 1) / Add::N),
                       Add{y.data(), n, payload.data(), words + packed_words(n, 8)});
}

#define KAON_KERNEL(T, Exec) template class Natural<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
