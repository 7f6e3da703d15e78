#include <kaon/codec/pack.hpp>
#include <kaon/compress/block_bits.hpp>
#include <kaon/compress/block_quantizer.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/core/instantiate.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace block_bits {
namespace {

/// γ from the sums of t·q and of q² (2 bits: of high levels) over a block, as sent.
template <int B>
KOKKOS_INLINE_FUNCTION std::uint16_t scale_of(Quantizer<B> const& quantizer, double inner, double square, int count) {
  if constexpr (B == 1) square = count;
  if constexpr (B == 2) {
    double const high = static_cast<double>(lloyd_high), low = static_cast<double>(lloyd_low);
    square = square * high * high + (count - square) * low * low;
  }
  double const scale = inner / (square * static_cast<double>(quantizer.per_unit)), most = static_cast<double>(float_max);
  return to_bf16(static_cast<float>(scale < most ? scale : most));
}

/// A host's form: a block for each call, in strips of 64 values. Sums go through 64 lanes of float for 16 strips at a time, the
/// rest in double: relative error below 2⁻¹⁸, and an order of its own that vectorises.
template <int B, class T>
struct EncodeInStrips {
  static constexpr int chunk = 16 * strip;
  T const* x;
  std::int64_t n, blocks;
  int block;
  std::uint16_t* scales;
  std::uint64_t* words;

  static float const* load(float* buffer, T const* values, int here) {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (here >= strip) return values;
    }
    for (int j = 0; j < strip; ++j) buffer[j] = j < here ? block_value(values[j]) : 0.0F;
    return buffer;
  }
  /// The sums of two times 64 lanes, pairwise.
  static void add_sums(double* sums, float const* first, float const* second) {
    float pairs[strip], fours[strip / 2];
    for (int j = 0; j < strip / 2; ++j) pairs[j] = first[j] + first[j + strip / 2];
    for (int j = 0; j < strip / 2; ++j) pairs[j + strip / 2] = second[j] + second[j + strip / 2];
    for (int j = 0; j < strip / 2; ++j) fours[j] = pairs[2 * j] + pairs[2 * j + 1];
    for (int which = 0; which < 2; ++which) {
      float const* const f = fours + which * strip / 4;
      sums[which] += static_cast<double>(((f[0] + f[1]) + (f[2] + f[3])) + ((f[4] + f[5]) + (f[6] + f[7]))) +
                     static_cast<double>(((f[8] + f[9]) + (f[10] + f[11])) + ((f[12] + f[13]) + (f[14] + f[15])));
    }
  }

  static std::uint64_t sign_word(float const* v) {
    std::uint32_t side[2] = {0, 0};
    for (int j = 0; j < 32; ++j) side[0] |= v[j] < 0 ? 1U << j : 0U;
    for (int j = 0; j < 32; ++j) side[1] |= v[32 + j] < 0 ? 1U << j : 0U;
    return side[0] | static_cast<std::uint64_t>(side[1]) << 32;
  }

  void operator()(std::int64_t index) const {
    std::int64_t const begin = index * block;
    int const count = static_cast<int>(n - begin < block ? n - begin : block);
    T const* const values = x + begin;
    std::uint64_t* const out = words + begin * B / 64;
    int const used = (count * B + 63) / 64;
    if (index + 1 == blocks)
      for (std::int64_t pad = blocks; pad % 4 != 0; ++pad) scales[pad] = 0;

    std::uint32_t top = 0;
    for (int j = 0; j < count; ++j) {
      std::uint32_t const u = magnitude_bits(block_value(values[j]));
      top = u > top ? u : top;
    }
    if (top == 0 || top >= not_finite) {
      scales[index] = top == 0 ? 0 : 0x7fc0;
      for (int w = 0; w < used; ++w) out[w] = 0;
      return;
    }
    Quantizer<B> quantizer(top);
    if constexpr (B == 2) quantizer.set_mean_square(sum_squares(quantizer, values, count) / count);
    scales[index] = codes(quantizer, values, count, out);
  }

  static double sum_squares(Quantizer<B> const& quantizer, T const* values, int count) {
    double sums[2] = {0, 0};
    float buffer[strip];
    for (int begin = 0; begin < count; begin += chunk) {
      float lanes[strip] = {}, none[strip] = {};
      for (int i = begin; i < count && i < begin + chunk; i += strip) {
        float const* const v = load(buffer, values + i, count - i);
        for (int j = 0; j < strip; ++j) {
          float const t = quantizer.in_units(v[j]);
          lanes[j] += t * t;
        }
      }
      add_sums(sums, lanes, none);
    }
    return sums[0];
  }

  static std::uint16_t codes(Quantizer<B> const& quantizer, T const* values, int count, std::uint64_t* out) {
    double sums[2] = {0, 0};  // of t·q and of q²
    float buffer[strip];
    unsigned char code[chunk];
    for (int begin = 0; begin < count; begin += chunk) {
      int const here = count - begin < chunk ? count - begin : chunk;
      float inner_lanes[strip] = {}, square_lanes[strip] = {};
      for (int i = 0; i < here; i += strip) {
        float const* const v = load(buffer, values + begin + i, here - i);
        if constexpr (B == 1) {
          out[(begin + i) / strip] = sign_word(v);
          for (int j = 0; j < strip; ++j) inner_lanes[j] += quantizer.in_units(v[j]);
        } else {
          for (int j = 0; j < strip; ++j) {
            float const t = quantizer.in_units(v[j]);
            int const c = quantizer.magnitude(t);
            float const q = quantizer.level(c);
            inner_lanes[j] += t * q;
            square_lanes[j] += B == 2 ? static_cast<float>(c) : q * q;
            code[i + j] = static_cast<unsigned char>(c | (v[j] < 0 ? 1 << (B - 1) : 0));
          }
        }
      }
      if constexpr (B > 1) {
        auto* const packed = reinterpret_cast<unsigned char*>(out) + begin * B / 8;
        pack_bytes<B>(packed, code, (here * B + 63) / 64 * 8);
      }
      add_sums(sums, inner_lanes, square_lanes);
    }
    // The zeros that fill the last strip have the level ½ with 4 and 8 bits.
    if constexpr (B > 2) sums[1] -= 0.25 * ((count + strip - 1) / strip * strip - count);
    return scale_of<B>(quantizer, sums[0], sums[1], count);
  }
};

template <int B, class T>
struct AddInChunks {
  static constexpr int chunk = 512;
  T* y;
  std::int64_t n;
  int block;
  std::uint16_t const* scales;
  std::uint64_t const* words;

  void operator()(std::int64_t index) const {
    std::int64_t const first = index * block;
    int const count = static_cast<int>(n - first < block ? n - first : block);
    Dequantizer<B> const dequantizer(scales[index]);
    unsigned char code[chunk];
    for (int begin = 0; begin < count; begin += chunk) {
      int const here = count - begin < chunk ? count - begin : chunk;
      T* const out = y + first + begin;
      std::uint64_t const* const packed = words + (first + begin) / 64 * B;
      if (!dequantizer.finite) {
        for (int j = 0; j < here; ++j) out[j] += static_cast<T>(from_bits(0x7fc00000U));
      } else if constexpr (B == 1) {
        int i = 0;
        for (; i + strip <= here; i += strip)
          for (int side = 0; side < 2; ++side) {
            auto const bits = static_cast<std::uint32_t>(packed[i / strip] >> (32 * side));
            T* const to = out + i + 32 * side;
            for (int j = 0; j < 32; ++j) to[j] += static_cast<T>(dequantizer.value(bits >> j & 1U));
          }
        for (; i < here; ++i)
          out[i] += static_cast<T>(dequantizer.value(static_cast<std::uint32_t>(packed[i / strip] >> (i % strip)) & 1U));
      } else {
        unpack_bytes<B>(code, reinterpret_cast<unsigned char const*>(packed), (here * B + 7) / 8);
        for (int j = 0; j < here; ++j) out[j] += static_cast<T>(dequantizer.value(code[j]));
      }
    }
  }
};

/// A device's form: a team for each block.
template <int B, class T, class Exec>
struct EncodeByTeam {
  T const* x;
  std::int64_t n, blocks;
  int block;
  std::uint16_t* scales;
  std::uint64_t* words;
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;

  struct Code {
    T const* values;
    Quantizer<B> quantizer;
    bool coded;
    KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint64_t j) const {
      return coded ? quantizer.code(block_value(values[j])) : 0U;
    }
  };

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const index = team.league_rank();
    std::int64_t const begin = index * block;
    int const count = static_cast<int>(n - begin < block ? n - begin : block);
    T const* const values = x + begin;
    std::uint32_t top = 0;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, count),
        [&](int const j, std::uint32_t& most) {
          std::uint32_t const u = magnitude_bits(block_value(values[j]));
          if (u > most) most = u;
        },
        Kokkos::Max<std::uint32_t>(top));
    bool const coded = top != 0 && top < not_finite;
    Quantizer<B> quantizer(coded ? top : 0x3f800000U);
    double inner = 0, square = 0;
    if (coded) {
      if constexpr (B == 2) {
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, count),
            [&](int const j, double& s) {
              double const t = static_cast<double>(quantizer.in_units(block_value(values[j])));
              s += t * t;
            },
            square);
        quantizer.set_mean_square(square / count);
      }
      Kokkos::parallel_reduce(
          Kokkos::TeamThreadRange(team, count),
          [&](int const j, double& s) {
            float const t = quantizer.in_units(block_value(values[j]));
            s += static_cast<double>(t) * static_cast<double>(quantizer.level(quantizer.magnitude(t)));
          },
          inner);
      Kokkos::parallel_reduce(
          Kokkos::TeamThreadRange(team, count),
          [&](int const j, double& s) {
            int const c = quantizer.magnitude(quantizer.in_units(block_value(values[j])));
            double const q = static_cast<double>(quantizer.level(c));
            s += B == 2 ? static_cast<double>(c) : q * q;
          },
          square);
    }
    if (team.team_rank() == 0) {
      scales[index] = coded ? scale_of<B>(quantizer, inner, square, count) : static_cast<std::uint16_t>(top == 0 ? 0 : 0x7fc0);
      if (index + 1 == blocks)
        for (std::int64_t pad = blocks; pad % 4 != 0; ++pad) scales[pad] = 0;
    }
    Code const code{values, quantizer, coded};
    std::uint64_t* const out = words + begin * B / 64;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, (count * B + 63) / 64), [&](int const w) {
      out[w] = packed_word<B>(static_cast<std::uint64_t>(w), static_cast<std::uint64_t>(count), code);
    });
  }
};

template <int B, class T>
struct AddWord {
  T* y;
  std::int64_t n;
  int block;
  std::uint16_t const* scales;
  std::uint64_t const* words;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    constexpr int per_word = 64 / B;
    std::int64_t const begin = w * per_word;
    int const here = static_cast<int>(n - begin < per_word ? n - begin : per_word);
    Dequantizer<B> const dequantizer(scales[begin / block]);
    std::uint64_t const word = words[w];
    T* const out = y + begin;
    for (int j = 0; j < here; ++j) {
      std::uint32_t const code = static_cast<std::uint32_t>(word >> (j * B)) & ((1U << B) - 1);
      out[j] += static_cast<T>(dequantizer.finite ? dequantizer.value(code) : from_bits(0x7fc00000U));
    }
  }
};

template <int B, class T, class Exec>
void encode(Exec const& exec, Bytes<Exec> const& payload, ConstMatrix<T, Exec> const& x, std::int64_t n, int block) {
  std::int64_t const blocks = (n + block - 1) / block;
  auto* const words = reinterpret_cast<std::uint64_t*>(payload.data() + detail::scale_bytes(n, block));
  auto* const scales = reinterpret_cast<std::uint16_t*>(payload.data());
  if constexpr (runs_on_host<Exec>)
    Kokkos::parallel_for("kaon::compress::bits", Kokkos::RangePolicy<Exec>(exec, 0, blocks),
                         EncodeInStrips<B, T>{x.data(), n, blocks, block, scales, words});
  else
    Kokkos::parallel_for("kaon::compress::bits", Kokkos::TeamPolicy<Exec>(exec, static_cast<int>(blocks), fixed_team_size<Exec>),
                         EncodeByTeam<B, T, Exec>{x.data(), n, blocks, block, scales, words});
}

template <int B, class T, class Exec>
void decode(Exec const& exec, Matrix<T, Exec> const& y, ConstBytes<Exec> const& payload, std::int64_t n, int block) {
  auto const* const words = reinterpret_cast<std::uint64_t const*>(payload.data() + detail::scale_bytes(n, block));
  auto const* const scales = reinterpret_cast<std::uint16_t const*>(payload.data());
  if constexpr (runs_on_host<Exec>) {
    Kokkos::parallel_for("kaon::compress::bits_add", Kokkos::RangePolicy<Exec>(exec, 0, (n + block - 1) / block),
                         AddInChunks<B, T>{y.data(), n, block, scales, words});
  } else {
    auto const count = static_cast<std::int64_t>(packed_words(static_cast<std::uint64_t>(n), B));
    Kokkos::parallel_for("kaon::compress::bits_add", Kokkos::RangePolicy<Exec>(exec, 0, count),
                         AddWord<B, T>{y.data(), n, block, scales, words});
  }
}

}  // namespace
}  // namespace block_bits

double block_bits_alpha(int bits, std::int64_t count) {
  double const b = static_cast<double>(count), margin = 1 - std::ldexp(1.0, -16) - 1e-6;
  if (bits == 1) return margin / b;
  if (bits == 2) {
    double const h = static_cast<double>(block_bits::lloyd_high * block_bits::lloyd_high);
    double const l = static_cast<double>(block_bits::lloyd_low * block_bits::lloyd_low);
    double const threshold = static_cast<double>(block_bits::lloyd_threshold);
    return margin * (count < 16 ? l / (h * b) : h / ((h - l) * std::sqrt(b) / threshold + l * b));
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
  return detail::scale_bytes(n, block_) + packed_bytes(static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(bits_));
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
  if (bits_ == 1) block_bits::encode<1>(exec, payload, x, this->entries(), block_);
  if (bits_ == 2) block_bits::encode<2>(exec, payload, x, this->entries(), block_);
  if (bits_ == 4) block_bits::encode<4>(exec, payload, x, this->entries(), block_);
  if (bits_ == 8) block_bits::encode<8>(exec, payload, x, this->entries(), block_);
  detail::set_length(exec, length, this->bytes_bound());
}

template <class T, class Exec>
void BlockBits<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                        std::size_t length) {
  this->check_decompress(y, payload, length);
  if (bits_ == 1) block_bits::decode<1>(exec, y, payload, this->entries(), block_);
  if (bits_ == 2) block_bits::decode<2>(exec, y, payload, this->entries(), block_);
  if (bits_ == 4) block_bits::decode<4>(exec, y, payload, this->entries(), block_);
  if (bits_ == 8) block_bits::decode<8>(exec, y, payload, this->entries(), block_);
}

#define KAON_KERNEL(T, Exec) template class BlockBits<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
