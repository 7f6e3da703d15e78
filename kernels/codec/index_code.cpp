#include <kaon/codec/index_code.hpp>

#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

struct Range {
  std::uint64_t begin, end;
};
KOKKOS_INLINE_FUNCTION Range block_range(IndexCode const& code, std::uint64_t block) {
  std::uint64_t const begin = block * index_block;
  return {begin, begin + index_block < code.k ? begin + index_block : code.k};
}

/// Appends bits to words that belong to one block; 32-bit words as the unit so that blocks waste little.
struct BitWriter {
  std::uint32_t* out;
  std::uint64_t buffer = 0;
  int fill = 0;
  KOKKOS_INLINE_FUNCTION explicit BitWriter(std::uint32_t* o) : out(o) {}
  KOKKOS_INLINE_FUNCTION void put(std::uint32_t value, int bits) {
    buffer |= static_cast<std::uint64_t>(value) << fill;
    fill += bits;
    if (fill >= 32) {
      *out++ = static_cast<std::uint32_t>(buffer);
      buffer >>= 32;
      fill -= 32;
    }
  }
  KOKKOS_INLINE_FUNCTION void finish() {
    if (fill > 0) *out = static_cast<std::uint32_t>(buffer);
  }
};

/// Reads bits up to `end`; beyond it there are zeros, which decode to the gap 0 and so end every loop.
struct BitReader {
  std::uint32_t const* next;
  std::uint32_t const* end;
  std::uint64_t buffer = 0;
  int fill = 0;
  KOKKOS_INLINE_FUNCTION BitReader(std::uint32_t const* b, std::uint32_t const* e) : next(b), end(e) {}
  KOKKOS_INLINE_FUNCTION void refill() {
    if (fill > 32) return;
    std::uint64_t const word = next < end ? *next++ : 0U;
    buffer |= word << fill;
    fill += 32;
  }
  KOKKOS_INLINE_FUNCTION void drop(int bits) {
    buffer >>= bits;
    fill -= bits;
  }
  KOKKOS_INLINE_FUNCTION std::uint64_t unary() {
    std::uint64_t q = 0;
    for (;;) {
      refill();
      int const ones = trailing_ones(buffer);
      if (ones < 32) {
        drop(ones + 1);
        return q + static_cast<std::uint64_t>(ones);
      }
      q += 32;
      drop(32);
    }
  }
  KOKKOS_INLINE_FUNCTION std::uint32_t remainder(IndexCode const& code) {
    if (code.bits == 0) return 0;
    refill();
    int const low = static_cast<int>(code.bits) - 1;
    std::uint32_t const r = static_cast<std::uint32_t>(buffer & ((std::uint64_t{1} << low) - 1));
    drop(low);
    if (r < code.cut) return r;
    std::uint32_t const bit = static_cast<std::uint32_t>(buffer & 1U);
    drop(1);
    return 2 * r + bit - code.cut;
  }
};

template <class Exec>
struct CountWords {
  IndexCode code;
  ConstVector<std::uint32_t, Exec> indices;
  Vector<std::uint32_t, Exec> words;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    Range const range = block_range(code, static_cast<std::uint64_t>(b));
    std::uint64_t bits = 0;
    for (std::uint64_t i = range.begin + 1; i < range.end; ++i) {
      std::uint32_t const gap = indices(i) - indices(i - 1) - 1;
      std::uint32_t const q = gap / code.m;
      bits += 1 + q + code.bits - (gap - q * code.m < code.cut ? 1 : 0);
    }
    words(b) = static_cast<std::uint32_t>((bits + 31) / 32);
  }
};

template <class Exec>
struct WriteDirectory {
  using value_type = std::uint64_t;
  IndexCode code;
  ConstVector<std::uint32_t, Exec> indices;
  Vector<std::uint32_t, Exec> words;
  std::uint32_t* directory;
  Scalar<std::uint64_t, Exec> length;
  std::uint64_t base, blocks;
  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& offset, bool final) const {
    auto const block = static_cast<std::uint64_t>(b);
    if (final) {
      directory[2 * block] = indices(block * index_block);
      directory[2 * block + 1] = static_cast<std::uint32_t>(offset);
    }
    offset += words(block);
    if (final && block + 1 == blocks) {
      if (offset % 2 == 1) directory[2 * blocks + offset] = 0;
      length() = base + 8 * blocks + 8 * ((offset + 1) / 2);
    }
  }
};

template <class Exec>
struct WriteCodes {
  IndexCode code;
  ConstVector<std::uint32_t, Exec> indices;
  std::uint32_t* directory;
  std::uint64_t blocks;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    Range const range = block_range(code, static_cast<std::uint64_t>(b));
    BitWriter writer(directory + 2 * blocks + directory[2 * b + 1]);
    for (std::uint64_t i = range.begin + 1; i < range.end; ++i) {
      std::uint32_t const gap = indices(i) - indices(i - 1) - 1;
      std::uint32_t q = gap / code.m;
      std::uint32_t const r = gap - q * code.m;
      for (; q >= 32; q -= 32) writer.put(0xffffffffU, 32);
      writer.put((1U << q) - 1, static_cast<int>(q) + 1);
      if (code.bits == 0) continue;
      if (r < code.cut) {
        writer.put(r, static_cast<int>(code.bits) - 1);
      } else {
        std::uint32_t const v = r + code.cut;  // its upper bits come first: they tell the decoder whether one more follows
        writer.put((v >> 1) | ((v & 1U) << (code.bits - 1)), static_cast<int>(code.bits));
      }
    }
    writer.finish();
  }
};

template <class Exec>
struct ReadCodes {
  IndexCode code;
  Vector<std::uint32_t, Exec> indices;
  std::uint32_t const* directory;
  std::uint64_t blocks, stream_words;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    auto const block = static_cast<std::uint64_t>(b);
    Range const range = block_range(code, block);
    std::uint32_t const* const stream = directory + 2 * blocks;
    std::uint64_t const offset = directory[2 * block + 1];
    BitReader reader(stream + (offset < stream_words ? offset : stream_words), stream + stream_words);
    std::uint64_t const stop = block + 1 < blocks ? directory[2 * block + 2] : code.n;
    std::uint64_t const limit = stop < code.n ? stop : code.n;
    std::uint64_t index = directory[2 * block];
    std::uint64_t i = range.begin;
    while (index < limit) {
      indices(i++) = static_cast<std::uint32_t>(index);
      if (i == range.end) return;
      std::uint64_t const q = reader.unary();
      if (q > code.n) break;
      index += q * code.m + reader.remainder(code) + 1;
    }
    for (; i < range.end; ++i) indices(i) = no_index;
  }
};

}  // namespace

IndexCode index_code(std::uint64_t n, std::uint64_t k) {
  require(k >= 1 && k <= n && n < (std::uint64_t{1} << 31), "index code: needs 1 <= k <= n < 2^31");
  IndexCode code;
  code.n = n;
  code.k = k;
  // Only basic operations, so that every IEEE machine derives the same m.
  double const m = 0.6931471805599453 * (static_cast<double>(n) / static_cast<double>(k) - 0.5) + 0.5;
  code.m = m < 1 ? 1U : static_cast<std::uint32_t>(m);
  while ((std::uint64_t{1} << code.bits) < code.m) ++code.bits;
  code.cut = static_cast<std::uint32_t>((std::uint64_t{1} << code.bits) - code.m);
  if (code.bits == 0) code.cut = 0;
  return code;
}

std::uint64_t index_bytes_bound(std::uint64_t n, std::uint64_t k) {
  IndexCode const code = index_code(n, k);
  std::uint64_t const b = code.blocks();
  std::uint64_t const words = ((k - b) * (1 + code.bits) + (n - k) / code.m + 31 * b) / 32;
  return code.directory_bytes() + 8 * ((words + 1) / 2);
}

template <class Exec>
IndexCodec<Exec>::IndexCodec(std::uint64_t n, std::uint64_t k)
    : code_(index_code(n, k)), words_("kaon::codec::index_words", code_.blocks()) {}

template <class Exec>
void IndexCodec<Exec>::encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
                              std::uint64_t base, In<ConstVector<std::uint32_t, Exec>> const& indices) const {
  require(indices.extent(0) == code_.k, "index code: wrong number of indices");
  auto* const directory = reinterpret_cast<std::uint32_t*>(as_words<Exec>(out, bytes_bound()));
  Kokkos::RangePolicy<Exec> const blocks(exec, 0, static_cast<std::int64_t>(code_.blocks()));
  Kokkos::parallel_for("kaon::codec::index_count", blocks, CountWords<Exec>{code_, indices, words_});
  Kokkos::parallel_scan("kaon::codec::index_directory", blocks,
                        WriteDirectory<Exec>{code_, indices, words_, directory, length, base, code_.blocks()});
  Kokkos::parallel_for("kaon::codec::index_write", blocks, WriteCodes<Exec>{code_, indices, directory, code_.blocks()});
}

template <class Exec>
void IndexCodec<Exec>::decode(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices,
                              In<ConstBytes<Exec>> const& bytes, std::uint64_t length) const {
  require(indices.extent(0) == code_.k, "index code: wrong number of indices");
  require(length >= bytes_least(), "index code: too few bytes");
  auto const* const directory = reinterpret_cast<std::uint32_t const*>(as_words<Exec>(bytes, length));
  Kokkos::parallel_for("kaon::codec::index_read", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(code_.blocks())),
                       ReadCodes<Exec>{code_, indices, directory, code_.blocks(), (length - bytes_least()) / 4});
}

#define KAON_KERNEL(Exec) template class IndexCodec<Exec>;
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
