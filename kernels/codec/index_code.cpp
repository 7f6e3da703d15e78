#include <kaon/codec/bit_stream.hpp>
#include <kaon/codec/index_code.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

KOKKOS_INLINE_FUNCTION int block_size(IndexCode const& code, std::uint64_t block) {
  std::uint64_t const left = code.k - block * index_block;
  return static_cast<int>(left < index_block ? left : index_block);
}

/// Where the parts of the code lie; decoders get nothing if they would not fit.
struct Layout {
  std::uint32_t const* firsts;
  std::uint16_t const* words;
  std::uint32_t const* codes;
  KOKKOS_INLINE_FUNCTION Layout(unsigned char const* bytes, std::uint64_t blocks)
      : firsts(reinterpret_cast<std::uint32_t const*>(bytes)),
        words(reinterpret_cast<std::uint16_t const*>(firsts + blocks)),
        codes(firsts + (3 * blocks + 1) / 2) {}
};

struct Division {
  std::uint32_t q, r;
};
KOKKOS_INLINE_FUNCTION Division divide(IndexCode const& code, std::uint32_t gap) {
  auto const q = static_cast<std::uint32_t>((static_cast<std::uint64_t>(gap) * code.inverse) >> (31 + code.bits));
  return {q, gap - q * code.m};
}

template <class Exec>
struct CountWords {
  IndexCode code;
  std::uint32_t const* indices;
  Vector<std::uint32_t, Exec> words;
  Scalar<std::uint64_t, Exec> start, length;
  bool behind;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    if (b == 0) start() = behind ? length() : 0;
    std::uint32_t const* const index = indices + b * static_cast<std::int64_t>(index_block);
    int const size = block_size(code, static_cast<std::uint64_t>(b));
    std::uint32_t const m = code.m, cut = code.cut, escape = code.escape, plain = 1 + code.low, escaped = escape + 32;
    std::uint64_t const inverse = code.inverse;
    std::uint32_t const shift = 31 + code.bits;
    std::uint32_t bits = 0;
    for (int i = 1; i < size; ++i) {  // in this form the host's compiler makes vectors of it
      std::uint32_t const gap = index[i] - index[i - 1] - 1;
      auto const q = static_cast<std::uint32_t>((gap * inverse) >> shift);
      std::uint32_t const normal = q + plain + (gap - q * m >= cut ? 1U : 0U);
      bits += q < escape ? normal : escaped;
    }
    words(b) = (bits + 31) / 32;
  }
};

template <class Exec>
struct WriteDirectory {
  using value_type = std::uint64_t;
  IndexCode code;
  std::uint32_t const* indices;
  Vector<std::uint32_t, Exec> words;
  unsigned char* out;
  Scalar<std::uint64_t, Exec> start, length;
  std::uint64_t base, blocks;
  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& offset, bool final) const {
    auto const block = static_cast<std::uint64_t>(b);
    std::uint64_t const here = words(b);
    if (final) {
      Layout const layout(out + start(), blocks);
      const_cast<std::uint32_t*>(layout.firsts)[b] = indices[block * index_block];
      auto* const sizes = const_cast<std::uint16_t*>(layout.words);
      sizes[b] = static_cast<std::uint16_t>(here);
      words(b) = static_cast<std::uint32_t>(offset);
      if (block + 1 == blocks) {
        if (blocks % 2 == 1) sizes[blocks] = 0;
        std::uint64_t const end = (3 * blocks + 1) / 2 + offset + here;
        if (end % 2 == 1) const_cast<std::uint32_t*>(layout.firsts)[end] = 0;
        length() = base + start() + 8 * ((end + 1) / 2);
      }
    }
    offset += here;
  }
};

/// Codes L blocks side by side, so that a core has L chains of work; L is 1 where threads are many.
template <class Exec>
struct WriteCodes {
  static constexpr int lanes = runs_on_host<Exec> ? 3 : 1;
  IndexCode code;
  std::uint32_t const* indices;
  Vector<std::uint32_t, Exec> words;
  unsigned char* out;
  Scalar<std::uint64_t, Exec> start;
  std::int64_t blocks;

  KOKKOS_INLINE_FUNCTION static void put(BitWriter& writer, IndexCode const& c, std::uint32_t gap) {
    Division const d = divide(c, gap);
    if (d.q >= c.escape) {
      writer.put(static_cast<std::uint32_t>((std::uint64_t{1} << c.escape) - 1), static_cast<int>(c.escape));
      writer.put(gap, 32);
      return;
    }
    std::uint32_t const longer = d.r >= c.cut ? 1U : 0U;
    std::uint32_t const v = d.r + (c.cut & (0U - longer));  // the upper bits come first: they tell whether one more follows
    std::uint32_t const remainder = (v >> longer) | (v & longer) << c.low;
    std::uint64_t const word = ((std::uint64_t{1} << d.q) - 1) | static_cast<std::uint64_t>(remainder) << (d.q + 1);
    writer.put(static_cast<std::uint32_t>(word), static_cast<int>(d.q + 1 + c.low + longer));
  }
  template <int L>
  KOKKOS_INLINE_FUNCTION void blocks_from(std::int64_t b, int size) const {
    IndexCode const c = code;
    std::uint32_t* const codes = const_cast<std::uint32_t*>(Layout(out + start(), static_cast<std::uint64_t>(blocks)).codes);
    std::uint32_t const* const index = indices + b * static_cast<std::int64_t>(index_block);
    BitWriter writer[L];
    for (int l = 0; l < L; ++l) writer[l].out = codes + words(b + l);
    for (int i = 1; i < size; ++i)
      for (int l = 0; l < L; ++l) {
        std::uint32_t const* const at = index + l * static_cast<int>(index_block) + i;
        put(writer[l], c, at[0] - at[-1] - 1);
      }
    for (int l = 0; l < L; ++l) writer[l].finish();
  }
  KOKKOS_FUNCTION void operator()(std::int64_t group) const {
    std::int64_t b = group * lanes;
    std::int64_t const end = b + lanes < blocks ? b + lanes : blocks;
    if (end - b == lanes && block_size(code, static_cast<std::uint64_t>(end - 1)) == static_cast<int>(index_block))
      blocks_from<lanes>(b, static_cast<int>(index_block));
    else
      for (; b < end; ++b) blocks_from<1>(b, block_size(code, static_cast<std::uint64_t>(b)));
  }
};

/// Bytes that may be anything, and where in them a code claims to start.
template <class Exec>
struct Source {
  unsigned char const* bytes;
  std::uint64_t length, least;
  ConstScalar<std::uint64_t, Exec> begin;
  KOKKOS_INLINE_FUNCTION std::uint64_t start() const { return begin.data() ? begin() : 0; }
  KOKKOS_INLINE_FUNCTION bool valid() const { return start() % 8 == 0 && start() <= length && length - start() >= least; }
};

template <class Exec>
struct ReadDirectory {
  using value_type = std::uint64_t;
  Source<Exec> source;
  Vector<std::uint32_t, Exec> words;
  std::uint64_t blocks, code_words;  // most words that the codes can take
  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& offset, bool final) const {
    if (!source.valid()) return;
    if (final) words(b) = static_cast<std::uint32_t>(offset < code_words ? offset : code_words);
    offset += Layout(source.bytes + source.start(), blocks).words[b];
  }
};

template <class Exec>
struct ReadCodes {
  static constexpr int lanes = runs_on_host<Exec> ? 3 : 1;
  IndexCode code;
  std::uint32_t* indices;
  Source<Exec> source;
  Vector<std::uint32_t, Exec> words;
  std::int64_t blocks;

  KOKKOS_INLINE_FUNCTION static std::uint64_t gap(BitReader& reader, IndexCode const& c) {
    std::uint64_t const window = reader.peek();
    auto const q = static_cast<std::uint32_t>(trailing_ones(window));
    if (q >= c.escape) {
      reader.skip(static_cast<int>(c.escape));
      std::uint64_t const g = reader.peek() & 0xffffffffU;
      reader.skip(32);
      return g;
    }
    std::uint64_t const rest = window >> (q + 1);
    auto const r = static_cast<std::uint32_t>(rest & ((std::uint64_t{1} << c.low) - 1));
    std::uint32_t const longer = r >= c.cut ? 1U : 0U;
    std::uint32_t const last = static_cast<std::uint32_t>((rest >> c.low) & 1U) - c.cut;
    reader.skip(static_cast<int>(q + 1 + c.low + longer));
    return static_cast<std::uint64_t>(q) * c.m + static_cast<std::uint32_t>((r << longer) + (last & (0U - longer)));
  }
  template <int L>
  KOKKOS_INLINE_FUNCTION void blocks_from(std::int64_t b, int size) const {
    IndexCode const c = code;
    Layout const layout(source.bytes + source.start(), static_cast<std::uint64_t>(blocks));
    std::uint64_t const stream_words = (source.length - source.start() - c.directory_bytes()) / 4;
    std::uint32_t* const index = indices + b * static_cast<std::int64_t>(index_block);
    BitReader reader[L];
    std::uint64_t at[L], limit[L];
    for (int l = 0; l < L; ++l) {
      reader[l] = BitReader(layout.codes, stream_words, words(b + l));
      at[l] = layout.firsts[b + l];
      std::uint64_t const stop = b + l + 1 < blocks ? layout.firsts[b + l + 1] : c.n;
      limit[l] = stop < c.n ? stop : c.n;
      index[l * static_cast<int>(index_block)] = at[l] < limit[l] ? static_cast<std::uint32_t>(at[l]) : no_index;
    }
    for (int i = 1; i < size; ++i)
      for (int l = 0; l < L; ++l) {
        at[l] += gap(reader[l], c) + 1;
        index[l * static_cast<int>(index_block) + i] = at[l] < limit[l] ? static_cast<std::uint32_t>(at[l]) : no_index;
      }
  }
  KOKKOS_FUNCTION void operator()(std::int64_t group) const {
    std::int64_t b = group * lanes;
    std::int64_t const end = b + lanes < blocks ? b + lanes : blocks;
    if (!source.valid()) {
      for (; b < end; ++b)
        for (int i = 0; i < block_size(code, static_cast<std::uint64_t>(b)); ++i)
          indices[b * static_cast<std::int64_t>(index_block) + i] = no_index;
    } else if (end - b == lanes && block_size(code, static_cast<std::uint64_t>(end - 1)) == static_cast<int>(index_block)) {
      blocks_from<lanes>(b, static_cast<int>(index_block));
    } else {
      for (; b < end; ++b) blocks_from<1>(b, block_size(code, static_cast<std::uint64_t>(b)));
    }
  }
};

template <class Functor>
std::int64_t groups(std::int64_t blocks) {
  return (blocks + Functor::lanes - 1) / Functor::lanes;
}

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
  if (code.bits > 0) {
    code.cut = static_cast<std::uint32_t>((std::uint64_t{1} << code.bits) - code.m);
    code.low = code.bits - 1;
  }
  code.escape = 32 - code.bits;
  code.inverse = static_cast<std::uint32_t>(((std::uint64_t{1} << (31 + code.bits)) + code.m - 1) / code.m);
  return code;
}

std::uint64_t index_bytes_bound(std::uint64_t n, std::uint64_t k) {
  IndexCode const code = index_code(n, k);
  std::uint64_t const b = code.blocks(), q = (n - k) / code.m, escapes = q / code.escape < k - b ? q / code.escape : k - b;
  std::uint64_t const words = ((k - b) * (1 + code.bits) + q + 31 * escapes + 31 * b) / 32;
  return 8 * ((code.directory_bytes() + 4 * words + 7) / 8);
}

template <class Exec>
IndexCodec<Exec>::IndexCodec(std::uint64_t n, std::uint64_t k)
    : code_(index_code(n, k)), words_("kaon::codec::index_words", code_.blocks()), start_("kaon::codec::index_start") {}

template <class Exec>
void IndexCodec<Exec>::write(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
                             bool behind, std::uint64_t base, In<ConstVector<std::uint32_t, Exec>> const& indices) const {
  require(indices.extent(0) == code_.k, "index code: wrong number of indices");
  as_words<Exec>(out, bytes_bound());
  auto const blocks = static_cast<std::int64_t>(code_.blocks());
  using Range = Kokkos::RangePolicy<Exec>;
  Kokkos::parallel_for("kaon::codec::index_count", Range(exec, 0, blocks),
                       CountWords<Exec>{code_, indices.data(), words_, start_, length, behind});
  Kokkos::parallel_scan("kaon::codec::index_directory", Range(exec, 0, blocks),
                        WriteDirectory<Exec>{code_, indices.data(), words_, out.data(), start_, length, base, code_.blocks()});
  Kokkos::parallel_for("kaon::codec::index_write", Range(exec, 0, groups<WriteCodes<Exec>>(blocks)),
                       WriteCodes<Exec>{code_, indices.data(), words_, out.data(), start_, blocks});
}

template <class Exec>
void IndexCodec<Exec>::encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
                              std::uint64_t base, In<ConstVector<std::uint32_t, Exec>> const& indices) const {
  write(exec, out, length, false, base, indices);
}

template <class Exec>
void IndexCodec<Exec>::append(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
                              In<ConstVector<std::uint32_t, Exec>> const& indices) const {
  write(exec, out, length, true, 0, indices);
}

template <class Exec>
void IndexCodec<Exec>::decode(Exec const& exec, Out<Vector<std::uint32_t, Exec>> const& indices,
                              In<ConstBytes<Exec>> const& bytes, std::uint64_t length,
                              ConstScalar<std::uint64_t, Exec> const& begin) const {
  require(indices.extent(0) == code_.k, "index code: wrong number of indices");
  require(length >= bytes_least(), "index code: too few bytes");
  as_words<Exec>(bytes, length);
  auto const blocks = static_cast<std::int64_t>(code_.blocks());
  Source<Exec> const source{bytes.data(), length, bytes_least(), begin};
  using Range = Kokkos::RangePolicy<Exec>;
  Kokkos::parallel_scan("kaon::codec::index_offsets", Range(exec, 0, blocks),
                        ReadDirectory<Exec>{source, words_, code_.blocks(), length / 4});
  Kokkos::parallel_for("kaon::codec::index_read", Range(exec, 0, groups<ReadCodes<Exec>>(blocks)),
                       ReadCodes<Exec>{code_, indices.data(), source, words_, blocks});
}

#define KAON_KERNEL(Exec) template class IndexCodec<Exec>;
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
