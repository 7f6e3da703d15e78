#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/block_bits.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/core/instantiate.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace {

inline constexpr float float_max = 3.40282346638528859811704183485e38F;
inline constexpr float lloyd_low = 0.4528F, lloyd_high = 1.510F, lloyd_threshold = 0.9816F;

KOKKOS_INLINE_FUNCTION float block_value(float v) { return magnitude_bits(v) < 0x7f800000U ? v : from_bits(0x7fc00000U); }
KOKKOS_INLINE_FUNCTION float block_value(double v) {
  if (magnitude_bits(v) >= 0x7ff0000000000000U) return from_bits(0x7fc00000U);
  double const top = static_cast<double>(float_max);
  return static_cast<float>(v > top ? top : v < -top ? -top : v);
}

/// |code| of |v| and level of |code|; `reference` is made from the block's statistic: rms for 2 bits, max|v| for 4 and 8.
template <int B>
struct Quantizer {
  static constexpr int half = 1 << (B - 1);
  double reference;
  KOKKOS_INLINE_FUNCTION explicit Quantizer(double statistic) {
    if constexpr (B == 2) reference = static_cast<double>(lloyd_threshold) * statistic;
    if constexpr (B > 2) reference = statistic > 0 ? half / statistic : 0;
    if constexpr (B == 1) reference = 0;
  }
  KOKKOS_INLINE_FUNCTION int magnitude(float v) const {
    double const a = static_cast<double>(v < 0 ? -v : v);
    if constexpr (B == 1) return 0;
    if constexpr (B == 2) return a > reference ? 1 : 0;
    double const c = a * reference;
    return c < half - 1 ? static_cast<int>(c) : half - 1;  // NaN goes to the last level
  }
  KOKKOS_INLINE_FUNCTION static float level(int magnitude) {
    if constexpr (B == 1) return 1;
    if constexpr (B == 2) return magnitude == 1 ? lloyd_high : lloyd_low;
    return static_cast<float>(magnitude) + 0.5F;
  }
};

template <int B, class T>
struct BlockCodes {
  T const* x;
  Quantizer<B> quantizer;
  KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint64_t j) const {
    float const v = block_value(x[j]);
    return static_cast<std::uint32_t>(quantizer.magnitude(v)) | (v < 0 ? 1U << (B - 1) : 0U);
  }
};

/// f(j) and reductions of it over a block. On hosts in eight lanes, so that sums vectorise in an order of their own.
template <class T>
struct SquareOf {
  T const* x;
  KOKKOS_INLINE_FUNCTION double operator()(int j) const {
    double const v = static_cast<double>(block_value(x[j]));
    return v * v;
  }
};
template <int B, class T>
struct InnerProduct {
  T const* x;
  Quantizer<B> quantizer;
  KOKKOS_INLINE_FUNCTION double operator()(int j) const {
    float const v = block_value(x[j]);
    return static_cast<double>(v < 0 ? -v : v) * static_cast<double>(quantizer.level(quantizer.magnitude(v)));
  }
};
template <int B, class T>
struct CodeSquare {
  T const* x;
  Quantizer<B> quantizer;
  KOKKOS_INLINE_FUNCTION double operator()(int j) const {
    double const q = static_cast<double>(quantizer.level(quantizer.magnitude(block_value(x[j]))));
    return q * q;
  }
};

template <class Exec, class Member, class F>
KOKKOS_INLINE_FUNCTION double team_sum(Member const& team, int count, F const& f) {
  double sum = 0;
  if constexpr (runs_on_host<Exec>) {
    double lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    int j = 0;
    for (; j + 8 <= count; j += 8)
      for (int l = 0; l < 8; ++l) lane[l] += f(j + l);
    for (; j < count; ++j) lane[j & 7] += f(j);
    sum = ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
  } else {
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count), [&](int const j, double& s) { s += f(j); }, sum);
  }
  return sum;
}

template <class Exec, class Member, class T>
KOKKOS_INLINE_FUNCTION double team_max(Member const& team, int count, T const* x) {
  float top = 0;
  if constexpr (runs_on_host<Exec>) {
    float lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    int j = 0;
    for (; j + 8 <= count; j += 8)
      for (int l = 0; l < 8; ++l) {
        float const v = block_value(x[j + l]), a = v < 0 ? -v : v;
        lane[l] = a > lane[l] ? a : lane[l];
      }
    for (; j < count; ++j) {
      float const v = block_value(x[j]), a = v < 0 ? -v : v;
      lane[0] = a > lane[0] ? a : lane[0];
    }
    for (int l = 0; l < 8; ++l) top = lane[l] > top ? lane[l] : top;
  } else {
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const j, float& m) {
          float const v = block_value(x[j]), a = v < 0 ? -v : v;
          if (a > m) m = a;
        },
        Kokkos::Max<float>(top));
  }
  return static_cast<double>(top);
}

template <int B, class T, class Exec>
struct EncodeBlock {
  T const* x;
  std::int64_t n, blocks;
  int block;
  std::uint16_t* scales;
  std::uint64_t* words;
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const index = team.league_rank();
    std::int64_t const begin = index * block;
    int const count = static_cast<int>(n - begin < block ? n - begin : block);
    T const* const values = x + begin;
    double statistic = 0;
    if constexpr (B == 2) statistic = math::sqrt(team_sum<Exec>(team, count, SquareOf<T>{values}) / count);
    if constexpr (B > 2) statistic = team_max<Exec>(team, count, values);
    Quantizer<B> const quantizer(statistic);
    double const inner = team_sum<Exec>(team, count, InnerProduct<B, T>{values, quantizer});
    double square = count;
    if constexpr (B > 1) square = team_sum<Exec>(team, count, CodeSquare<B, T>{values, quantizer});
    if (team.team_rank() == 0) {
      scales[index] = to_bf16(static_cast<float>(inner / square));
      if (index + 1 == blocks)
        for (std::int64_t pad = blocks; pad % 4 != 0; ++pad) scales[pad] = 0;
    }
    BlockCodes<B, T> const codes{values, quantizer};
    std::uint64_t* const out = words + begin * B / 64;
    int const here = (count * B + 63) / 64;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, here), [&](int const w) {
      out[w] = packed_word<B>(static_cast<std::uint64_t>(w), static_cast<std::uint64_t>(count), codes);
    });
  }
};

template <int B, class T>
struct AddBlocks {
  T* y;
  std::int64_t n;
  int block;
  std::uint16_t const* scales;
  std::uint64_t const* words;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    constexpr int per_word = 64 / B;
    std::int64_t const begin = w * per_word;
    int const here = static_cast<int>(n - begin < per_word ? n - begin : per_word);
    float const scale = from_bf16(scales[begin / block]);
    std::uint64_t const word = words[w];
    T* const out = y + begin;
    for (int j = 0; j < here; ++j) {
      std::uint32_t const code = static_cast<std::uint32_t>(word >> (j * B)) & ((1U << B) - 1);
      float const q = scale * Quantizer<B>::level(static_cast<int>(code & ((1U << (B - 1)) - 1)));
      float const v = q > float_max ? float_max : q < -float_max ? -float_max : q;
      out[j] += static_cast<T>((code >> (B - 1)) != 0 ? -v : v);
    }
  }
};

std::size_t scale_bytes(std::int64_t n, int block) {
  auto const blocks = static_cast<std::size_t>((n + block - 1) / block);
  return (2 * blocks + 7) / 8 * 8;
}

template <int B, class T, class Exec>
void encode(Exec const& exec, Bytes<Exec> const& payload, ConstMatrix<T, Exec> const& x, std::int64_t n, int block) {
  std::int64_t const blocks = (n + block - 1) / block;
  auto* const words = reinterpret_cast<std::uint64_t*>(payload.data() + scale_bytes(n, block));
  auto* const scales = reinterpret_cast<std::uint16_t*>(payload.data());
  Kokkos::parallel_for("kaon::compress::bits", Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(blocks), fixed_team_size<Exec>),
                       EncodeBlock<B, T, Exec>{x.data(), n, blocks, block, scales, words});
}

template <int B, class T, class Exec>
void decode(Exec const& exec, Matrix<T, Exec> const& y, ConstBytes<Exec> const& payload, std::int64_t n, int block) {
  auto const* const words = reinterpret_cast<std::uint64_t const*>(payload.data() + scale_bytes(n, block));
  auto const* const scales = reinterpret_cast<std::uint16_t const*>(payload.data());
  auto const count = static_cast<std::int64_t>(packed_words(static_cast<std::uint64_t>(n), B));
  Kokkos::parallel_for("kaon::compress::bits_add", Kokkos::RangePolicy<Exec>(exec, 0, count),
                       AddBlocks<B, T>{y.data(), n, block, scales, words});
}

}  // namespace

double block_bits_alpha(int bits, std::int64_t count) {
  double const b = static_cast<double>(count), margin = 1 - std::ldexp(1.0, -16) - 1e-6;
  if (bits == 1) return margin / b;
  if (bits == 2) {
    double const h = static_cast<double>(lloyd_high * lloyd_high), l = static_cast<double>(lloyd_low * lloyd_low);
    return margin * (count < 16 ? l / (h * b) : h / ((h - l) * std::sqrt(b) / static_cast<double>(lloyd_threshold) + l * b));
  }
  double const half = std::ldexp(1.0, bits - 1), top = (half - 0.5) * (half - 0.5);
  return margin * std::max(1 - b / (4 * half * half), top / (top + (b - 1) / 4) / 3);
}

template <class T, class Exec>
BlockBits<T, Exec>::BlockBits(int rows, int cols, int bits, int block)
    : Compressor<T, Exec>(rows, cols), bits_(bits), block_(block) {
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8)
    throw UsageError("bits:" + std::to_string(bits) + ": not 1, 2, 4 or 8 bits");
  if (block < 64 || block > 65536 || block % 64 != 0)
    throw UsageError("block=" + std::to_string(block) + ": not a multiple of 64 between 64 and 65536");
}

template <class T, class Exec>
std::string BlockBits<T, Exec>::spec() const {
  return "bits:" + std::to_string(bits_) + ":block=" + std::to_string(block_);
}

template <class T, class Exec>
std::size_t BlockBits<T, Exec>::bytes_bound() const {
  auto const n = this->entries();
  return scale_bytes(n, block_) + packed_bytes(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(bits_));
}

template <class T, class Exec>
double BlockBits<T, Exec>::guaranteed_alpha() const {
  std::int64_t const n = this->entries(), rest = n % block_;
  double alpha = 1;
  if (n >= block_) alpha = block_bits_alpha(bits_, block_);
  if (rest > 0) alpha = std::min(alpha, block_bits_alpha(bits_, rest));
  return alpha;
}

template <class T, class Exec>
void BlockBits<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload,
                                  Out<Scalar<std::uint64_t, Exec>> const& length, In<ConstMatrix<T, Exec>> const& x,
                                  Out<Matrix<T, Exec>> const&, StreamKey const&) {
  this->check_compress(payload, x);
  if (bits_ == 1) encode<1>(exec, payload, x, this->entries(), block_);
  if (bits_ == 2) encode<2>(exec, payload, x, this->entries(), block_);
  if (bits_ == 4) encode<4>(exec, payload, x, this->entries(), block_);
  if (bits_ == 8) encode<8>(exec, payload, x, this->entries(), block_);
  detail::set_length(exec, length, this->bytes_bound());
}

template <class T, class Exec>
void BlockBits<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                        std::size_t length) {
  this->check_decompress(y, payload, length);
  if (bits_ == 1) decode<1>(exec, y, payload, this->entries(), block_);
  if (bits_ == 2) decode<2>(exec, y, payload, this->entries(), block_);
  if (bits_ == 4) decode<4>(exec, y, payload, this->entries(), block_);
  if (bits_ == 8) decode<8>(exec, y, payload, this->entries(), block_);
}

#define KAON_KERNEL(T, Exec) template class BlockBits<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
