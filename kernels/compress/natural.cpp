#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/natural.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

/// Exponent code of v, rounded up where the fraction |v|/2^e − 1, in units of 2⁻³², exceeds `threshold`.
KOKKOS_INLINE_FUNCTION std::uint32_t round_up(std::int32_t code, std::uint32_t fraction, std::uint32_t threshold) {
  code += fraction > threshold ? 1 : 0;
  return static_cast<std::uint32_t>(code < 254 ? code : 254);
}
KOKKOS_INLINE_FUNCTION std::uint32_t exponent_code(float v, std::uint32_t threshold) {
  std::uint32_t const u = magnitude_bits(v);
  std::uint32_t const code = round_up(static_cast<std::int32_t>(u >> 23), u << 9, threshold);
  return u >= 0x7f800000U ? 255U : code;
}
KOKKOS_INLINE_FUNCTION std::uint32_t exponent_code(double v, std::uint32_t threshold) {
  std::uint64_t const u = magnitude_bits(v);
  if (u >= 0x7ff0000000000000U) return 255;
  std::int32_t const code = static_cast<std::int32_t>(u >> 52) - 896;
  if (code >= 1) return round_up(code, static_cast<std::uint32_t>(u >> 20), threshold);
  // |v| < 2⁻¹²⁶ in units of 2⁻¹⁵⁸
  return round_up(0, static_cast<std::uint32_t>(math::fabs(v) * 3.65375409332725729550921208179e47), threshold);
}

inline constexpr std::uint32_t half_way = 0x7fffffffU;  // fraction ≥ 1/2 goes up

template <class T>
struct Exponents {
  T const* x;
  std::uint64_t count;
  std::uint64_t* words;
  bool stochastic;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    auto const first = static_cast<std::uint64_t>(w) * 8;
    int const here = static_cast<int>(count - first < 8 ? count - first : 8);
    std::uint64_t word = 0;
    for (int quad = 0; quad < 8; quad += 4) {
      Words random{{half_way, half_way, half_way, half_way}};
      if (stochastic) random = random_words(key, static_cast<std::uint32_t>(2 * w + quad / 4));
      for (int j = quad; j < quad + 4 && j < here; ++j)
        word |= static_cast<std::uint64_t>(exponent_code(x[first + static_cast<std::uint64_t>(j)], random.v[j - quad]))
                << (8 * j);
    }
    words[w] = word;
  }
};

template <class T>
struct SignBit {
  T const* x;
  KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint64_t i) const { return x[i] < T(0) ? 1U : 0U; }
};

template <class T>
struct AddPowers {
  T* y;
  unsigned char const* exponents;
  std::uint64_t const* signs;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    auto const j = static_cast<std::uint64_t>(i);
    std::uint32_t const sign = static_cast<std::uint32_t>((signs[j >> 6] >> (j & 63)) & 1U);
    y[i] += static_cast<T>(from_bits(sign << 31 | static_cast<std::uint32_t>(exponents[i]) << 23));
  }
};

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
  Kokkos::parallel_for("kaon::compress::natural",
                       Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(packed_words(n, 8))),
                       Exponents<T>{x.data(), n, as_words<Exec>(payload, packed_bytes(n, 8)), stochastic_, key});
  pack_codes<1>(exec, "kaon::compress::natural_signs", detail::bytes_from(payload, packed_bytes(n, 8), packed_bytes(n, 1)), n,
                SignBit<T>{x.data()});
  detail::set_length(exec, length, this->bytes_bound());
}

template <class T, class Exec>
void Natural<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                      std::size_t length) {
  this->check_decompress(y, payload, length);
  auto const n = static_cast<std::uint64_t>(this->entries());
  auto const* const words = as_words<Exec>(payload, length);
  Kokkos::parallel_for("kaon::compress::natural_add", Kokkos::RangePolicy<Exec>(exec, 0, this->entries()),
                       AddPowers<T>{y.data(), payload.data(), words + packed_words(n, 8)});
}

#define KAON_KERNEL(T, Exec) template class Natural<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
