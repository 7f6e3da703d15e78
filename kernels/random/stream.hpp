#ifndef KAON_RANDOM_STREAM_HPP
#define KAON_RANDOM_STREAM_HPP

#include <kaon/core/types.hpp>

// Random123 marks its functions for nvcc alone, and there for the device alone; its SSE part, which Philox does not use, cannot
// be marked so.
#define R123_CUDA_DEVICE KOKKOS_FUNCTION
#define R123_USE_SSE 0
#include <Random123/philox.h>

namespace kaon {

/// What a random number is for. The numbers are part of the arithmetic: never renumber.
enum class Purpose : std::uint32_t {
  initialise = 1,
  batch = 2,
  compress_up = 3,
  compress_down = 4,
  gradient_noise = 5,
  first_factor = 6,  ///< of low-rank methods, before the first step
  test = 255
};

/// Names one stream of random numbers. Counter-based (Philox4x32-10, Salmon et al., SC 2011): the i-th number of a stream is
/// a function of the key and i alone, so nothing is saved in a checkpoint and nothing depends on the rank.
struct StreamKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::test;
  std::uint32_t step = 0;
  std::uint32_t layer = 0;  ///< below 2^24
  std::uint32_t worker = 0;
};

/// Four 32-bit random words at position `block` of the stream.
struct Words {
  std::uint32_t v[4];
};
KOKKOS_INLINE_FUNCTION Words random_words(StreamKey const& key, std::uint32_t block) {
  r123::Philox4x32 const philox;
  r123::Philox4x32::ctr_type c;
  r123::Philox4x32::key_type k;
  c[0] = block;
  c[1] = key.step;
  c[2] = key.layer | (static_cast<std::uint32_t>(key.purpose) << 24);
  c[3] = key.worker;
  k[0] = static_cast<std::uint32_t>(key.seed);
  k[1] = static_cast<std::uint32_t>(key.seed >> 32);
  auto const r = philox(c, k);
  return {{r[0], r[1], r[2], r[3]}};
}

/// The i-th 32-bit word of the stream.
KOKKOS_INLINE_FUNCTION std::uint32_t random_word(StreamKey const& key, std::uint64_t i) {
  return random_words(key, static_cast<std::uint32_t>(i >> 2)).v[i & 3];
}

/// The i-th uniform number in (0, 1), never 0 or 1.
KOKKOS_INLINE_FUNCTION double random_uniform(StreamKey const& key, std::uint64_t i) {
  return (static_cast<double>(random_word(key, i)) + 0.5) * (1.0 / 4294967296.0);
}

/// The i-th standard normal number (Box and Muller, 1958).
KOKKOS_INLINE_FUNCTION double random_normal(StreamKey const& key, std::uint64_t i) {
  Words const w = random_words(key, static_cast<std::uint32_t>(i >> 1));
  std::uint32_t const a = (i & 1) ? w.v[2] : w.v[0];
  std::uint32_t const b = (i & 1) ? w.v[3] : w.v[1];
  double const u = (static_cast<double>(a) + 0.5) * (1.0 / 4294967296.0);
  double const v = (static_cast<double>(b) + 0.5) * (1.0 / 4294967296.0);
  return math::sqrt(-2.0 * math::log(u)) * math::cos(6.283185307179586 * v);
}

}  // namespace kaon

#endif
