#include <kaon/codec/bit_stream.hpp>
#include <kaon/codec/exponent_code.hpp>
#include <kaon/codec/huffman.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

using detail::CanonicalCode;
using detail::decode_entries;
using detail::HuffmanTree;
using detail::longest_code;
using detail::symbols;

inline constexpr int count_chunk = 65536;  // bytes that a team counts
inline constexpr int header_bytes = 8 + symbols / 2;
/// Blocks that a host's thread codes side by side.
template <class Exec>
inline constexpr int lanes = runs_on_host<Exec> ? 3 : 1;

struct Plain {
  unsigned char const* exponents;
  std::uint64_t const* signs;
  std::uint64_t n;
  KOKKOS_INLINE_FUNCTION Plain(unsigned char const* bytes, std::uint64_t count)
      : exponents(bytes), signs(reinterpret_cast<std::uint64_t const*>(bytes) + (count + 7) / 8), n(count) {}
  KOKKOS_INLINE_FUNCTION int block_size(std::int64_t b) const {
    std::uint64_t const left = n - static_cast<std::uint64_t>(b) * exponent_block;
    return static_cast<int>(left < exponent_block ? left : exponent_block);
  }
};

template <class Exec>
struct CountSymbols {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  static constexpr int tables = runs_on_host<Exec> ? 4 : 1;  // a host's increments wait for each other in one table
  Plain plain;
  Vector<std::uint32_t, Exec> counts;
  static constexpr KOKKOS_FUNCTION int scratch_bytes() { return tables * symbols * static_cast<int>(sizeof(std::uint32_t)); }
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    auto* const table = static_cast<std::uint32_t*>(team.team_shmem().get_shmem(static_cast<std::size_t>(scratch_bytes())));
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, tables * symbols), [&](int const i) { table[i] = 0; });
    team.team_barrier();
    std::uint64_t const begin = static_cast<std::uint64_t>(team.league_rank()) * count_chunk;
    int const size = static_cast<int>(plain.n - begin < count_chunk ? plain.n - begin : count_chunk);
    unsigned char const* const e = plain.exponents + begin;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, size), [&](int const i) {
      if constexpr (runs_on_host<Exec>)
        ++table[(i % tables) * symbols + e[i]];
      else
        Kokkos::atomic_fetch_add(&table[e[i]], 1U);
    });
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, symbols), [&](int const s) {
      std::uint32_t sum = 0;
      for (int t = 0; t < tables; ++t) sum += table[t * symbols + s];
      if (sum > 0) Kokkos::atomic_fetch_add(&counts(s), sum);
    });
  }
};

/// The code of one message, and its header but for the kind.
template <class Exec>
struct BuildCode {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  struct Room {
    HuffmanTree tree;
    CanonicalCode canonical;
    std::uint8_t length[symbols];
  };
  Vector<std::uint32_t, Exec> counts, codes;
  Vector<unsigned char, Exec> header;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    auto& room = *static_cast<Room*>(team.team_shmem().get_shmem(sizeof(Room)));
    Kokkos::single(Kokkos::PerTeam(team), [&]() {
      detail::huffman_lengths(room.length, counts.data(), room.tree);
      room.canonical.build(room.length);
      int lowest = symbols, highest = 0;
      for (int s = 0; s < symbols; ++s)
        if (counts(s) > 0) {
          if (lowest == symbols) lowest = s;
          highest = s;
        }
      header(1) = static_cast<unsigned char>(lowest);
      header(2) = static_cast<unsigned char>(highest);
    });
    team.team_barrier();
    int const lowest = header(1), highest = header(2);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, symbols / 2), [&](int const i) {
      int const s = lowest + 2 * i;
      unsigned const low = s <= highest ? room.length[s] : 0U, high = s + 1 <= highest ? room.length[s + 1] : 0U;
      header(8 + i) = static_cast<unsigned char>(low | high << 4);
    });
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, symbols), [&](int const i) {
      counts(i) = 0;
      codes(i) = 0;
    });
    team.team_barrier();
    CanonicalCode const& c = room.canonical;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, static_cast<int>(c.offset[longest_code + 1])), [&](int const i) {
      int const s = c.sorted[i], bits = room.length[s];
      codes(s) = detail::reversed(c.first[bits] + static_cast<std::uint32_t>(i) - c.offset[bits], bits) |
                 static_cast<std::uint32_t>(bits) << 16;
    });
  }
};

template <class Exec>
struct CountBlock {
  Plain plain;
  Vector<std::uint32_t, Exec> codes, words;
  KOKKOS_FUNCTION void operator()(std::int64_t b) const {
    unsigned char const* const e = plain.exponents + b * static_cast<std::int64_t>(exponent_block);
    int const size = plain.block_size(b);
    std::uint32_t bits = 0;
    for (int i = 0; i < size; ++i) bits += (codes(e[i]) >> 16) + (e[i] != 0 ? 1U : 0U);
    words(b) = (bits + 31) / 32;
  }
};

KOKKOS_INLINE_FUNCTION std::uint64_t length_words(int lowest, int highest) {
  return 2 * ((static_cast<std::uint64_t>(highest - lowest) + 16) / 16);  // of 32 bits
}

template <class Exec>
struct Decide {
  using value_type = std::uint64_t;
  Vector<std::uint32_t, Exec> words;
  Vector<unsigned char, Exec> header;
  Scalar<std::uint64_t, Exec> length;
  std::int64_t blocks;
  std::uint64_t plain_bytes;
  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& offset, bool final) const {
    std::uint64_t const here = words(b);
    if (final) {
      words(b) = static_cast<std::uint32_t>(offset);
      if (b + 1 == blocks) {
        std::uint64_t const total =
            2 + length_words(header(1), header(2)) + static_cast<std::uint64_t>(blocks + 1) / 2 + offset + here;
        std::uint64_t const coded = 8 * ((total + 1) / 2);
        bool const pays = coded < 8 + plain_bytes;
        header(0) = pays ? 1 : 0;
        words(blocks) = static_cast<std::uint32_t>(offset + here);
        length() = pays ? coded : 8 + plain_bytes;
      }
    }
    offset += here;
  }
};

template <class Exec>
struct WriteCoded {
  Plain plain;
  Vector<std::uint32_t, Exec> codes, words;
  Vector<unsigned char, Exec> header;
  unsigned char* out;
  std::int64_t blocks;

  template <int L>
  KOKKOS_INLINE_FUNCTION void blocks_from(std::uint32_t* code_words, std::int64_t b, int size) const {
    BitWriter writer[L];
    for (int l = 0; l < L; ++l) writer[l].out = code_words + words(b + l);
    auto const first = static_cast<std::uint64_t>(b) * exponent_block;
    for (int w = 0; w < size; w += 64) {
      std::uint64_t sign[L];
      for (int l = 0; l < L; ++l)
        sign[l] = plain.signs[(first + static_cast<std::uint64_t>(l) * exponent_block) / 64 + static_cast<std::uint64_t>(w) / 64];
      int const end = size - w < 64 ? size - w : 64;
      for (int j = 0; j < end; ++j)
        for (int l = 0; l < L; ++l) {
          std::uint32_t const symbol =
              plain.exponents[first + static_cast<std::uint64_t>(l) * exponent_block + static_cast<std::uint64_t>(w + j)];
          std::uint32_t const code = codes(symbol), bits = code >> 16, has_sign = symbol != 0 ? 1U : 0U;
          auto const negative = static_cast<std::uint32_t>((sign[l] >> j) & 1U) & has_sign;
          writer[l].put((code & 0xffffU) | negative << bits, static_cast<int>(bits + has_sign));
        }
    }
    for (int l = 0; l < L; ++l) writer[l].finish();
  }
  KOKKOS_FUNCTION void operator()(std::int64_t group) const {
    if (header(0) == 0) return;
    std::uint64_t const lengths = length_words(header(1), header(2));
    auto* const sizes = reinterpret_cast<std::uint16_t*>(out + 8 + 4 * lengths);
    auto* const code_words = reinterpret_cast<std::uint32_t*>(out + 8 + 4 * lengths) + (blocks + 1) / 2;
    std::int64_t const begin = group * lanes<Exec>, end = begin + lanes<Exec> < blocks ? begin + lanes<Exec> : blocks;
    if (group == 0)
      for (std::uint64_t i = 0; i < 8 + 4 * lengths; ++i) out[i] = header(i);
    for (std::int64_t b = begin; b < end; ++b) sizes[b] = static_cast<std::uint16_t>(words(b + 1) - words(b));
    if (end == blocks) {
      if (blocks % 2 == 1) sizes[blocks] = 0;
      std::uint64_t const total = 2 + lengths + static_cast<std::uint64_t>(blocks + 1) / 2 + words(blocks);
      if (total % 2 == 1) code_words[words(blocks)] = 0;
    }
    if (words(begin) == words(end)) return;  // one symbol only, without a sign: nothing to write
    if (end - begin == lanes<Exec> && plain.block_size(end - 1) == static_cast<int>(exponent_block))
      blocks_from<lanes<Exec>>(code_words, begin, static_cast<int>(exponent_block));
    else
      for (std::int64_t b = begin; b < end; ++b) blocks_from<1>(code_words, b, plain.block_size(b));
  }
};

template <class Exec>
struct WritePlain {
  std::uint64_t* out;
  std::uint64_t const* plain;
  Vector<unsigned char, Exec> header;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    if (header(0) == 0) out[w] = w == 0 ? 0 : plain[w - 1];
  }
};

/// What arbitrary bytes claim to be, checked against their number.
struct Claim {
  bool plain = false, coded = false;
  std::uint64_t lengths = 0, code_begin = 0, code_words = 0;  // in 32-bit words
  KOKKOS_INLINE_FUNCTION Claim(unsigned char const* bytes, std::uint64_t length, std::uint64_t plain_bytes, std::int64_t blocks) {
    if (bytes[0] == 0) plain = length >= 8 + plain_bytes;
    if (bytes[0] != 1 || bytes[1] > bytes[2]) return;
    lengths = length_words(bytes[1], bytes[2]);
    code_begin = 2 + lengths + static_cast<std::uint64_t>(blocks + 1) / 2;
    if (4 * code_begin > length) return;
    coded = true;
    code_words = length / 4 - code_begin;
  }
};

template <class Exec>
struct BuildDecoder {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  struct Room {
    CanonicalCode canonical;
    std::uint8_t length[symbols];
    std::uint32_t used;
  };
  unsigned char const* bytes;
  std::uint64_t length, plain_bytes;
  std::int64_t blocks;
  Vector<std::uint16_t, Exec> table;
  KOKKOS_FUNCTION void operator()(Member const& team) const {
    Claim const claim(bytes, length, plain_bytes, blocks);
    if (!claim.coded) return;
    auto& room = *static_cast<Room*>(team.team_shmem().get_shmem(sizeof(Room)));
    int const lowest = bytes[1], highest = bytes[2];
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, symbols), [&](int const s) {
      int const at = s - lowest;
      room.length[s] = static_cast<std::uint8_t>(s < lowest || s > highest ? 0U : (bytes[8 + at / 2] >> (4 * (at % 2))) & 15U);
    });
    team.team_barrier();
    Kokkos::single(Kokkos::PerTeam(team), [&]() { room.used = room.canonical.build(room.length); });
    team.team_barrier();
    CanonicalCode const& c = room.canonical;
    bool const prefix = room.used <= decode_entries;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, static_cast<int>(decode_entries)), [&](int const i) {
      std::uint32_t entry = room.used == 0 ? static_cast<std::uint32_t>(lowest) : 0;
      std::uint32_t code = 0;
      for (int bits = 1; bits <= longest_code && prefix; ++bits) {
        code = code << 1 | ((static_cast<std::uint32_t>(i) >> (bits - 1)) & 1U);
        if (code >= c.first[bits] && code - c.first[bits] < c.offset[bits + 1] - c.offset[bits]) {
          entry = c.sorted[c.offset[bits] + code - c.first[bits]] | static_cast<std::uint32_t>(bits) << 8;
          break;
        }
      }
      table(i) = static_cast<std::uint16_t>(entry);
    });
  }
};

template <class Exec>
struct ReadSizes {
  using value_type = std::uint64_t;
  unsigned char const* bytes;
  std::uint64_t length, plain_bytes;
  std::int64_t blocks;
  Vector<std::uint32_t, Exec> words;
  KOKKOS_FUNCTION void operator()(std::int64_t b, std::uint64_t& offset, bool final) const {
    Claim const claim(bytes, length, plain_bytes, blocks);
    if (!claim.coded) return;
    if (final) words(b) = static_cast<std::uint32_t>(offset < claim.code_words ? offset : claim.code_words);
    offset += reinterpret_cast<std::uint16_t const*>(bytes + 8 + 4 * claim.lengths)[b];
  }
};

template <class Exec>
struct ReadCoded {
  unsigned char const* bytes;
  std::uint64_t length, plain_bytes;
  std::int64_t blocks;
  Vector<std::uint32_t, Exec> words;
  Vector<std::uint16_t, Exec> table;
  unsigned char* plain;
  std::uint64_t n;

  template <int L>
  KOKKOS_INLINE_FUNCTION void blocks_from(Claim const& claim, std::int64_t b, int size) const {
    Plain const to(plain, n);
    auto const first = static_cast<std::uint64_t>(b) * exponent_block;
    auto const* const code_words = reinterpret_cast<std::uint32_t const*>(bytes) + claim.code_begin;
    std::uint16_t const* const entries = table.data();
    BitReader reader[L];
    for (int l = 0; l < L; ++l) reader[l] = BitReader(code_words, claim.code_words, words(b + l));
    for (int w = 0; w < size; w += 64) {
      std::uint64_t sign[L] = {};
      int const end = size - w < 64 ? size - w : 64;
      for (int j = 0; j < end; ++j)
        for (int l = 0; l < L; ++l) {
          std::uint64_t const window = reader[l].peek();
          std::uint32_t const entry = entries[window & (decode_entries - 1)], symbol = entry & 255U, bits = entry >> 8;
          std::uint32_t const has_sign = symbol != 0 ? 1U : 0U;
          sign[l] |= ((window >> bits) & has_sign) << j;
          reader[l].skip(static_cast<int>(bits + has_sign));
          plain[first + static_cast<std::uint64_t>(l) * exponent_block + static_cast<std::uint64_t>(w + j)] =
              static_cast<unsigned char>(symbol);
        }
      for (int l = 0; l < L; ++l)
        const_cast<std::uint64_t*>(
            to.signs)[(first + static_cast<std::uint64_t>(l) * exponent_block) / 64 + static_cast<std::uint64_t>(w) / 64] =
            sign[l];
    }
  }
  KOKKOS_FUNCTION void operator()(std::int64_t group) const {
    Claim const claim(bytes, length, plain_bytes, blocks);
    if (claim.plain) return;
    Plain const to(plain, n);
    std::int64_t b = group * lanes<Exec>;
    std::int64_t const end = b + lanes<Exec> < blocks ? b + lanes<Exec> : blocks;
    if (end == blocks)
      for (std::uint64_t pad = n; pad < (n + 7) / 8 * 8; ++pad) plain[pad] = 0;
    if (!claim.coded) {
      for (; b < end; ++b) {
        auto const first = static_cast<std::uint64_t>(b) * exponent_block;
        auto const size = static_cast<std::uint64_t>(to.block_size(b));
        for (std::uint64_t i = 0; i < size; ++i) plain[first + i] = 0;
        for (std::uint64_t w = 0; w < (size + 63) / 64; ++w) const_cast<std::uint64_t*>(to.signs)[first / 64 + w] = 0;
      }
    } else if (end - b == lanes<Exec> && to.block_size(end - 1) == static_cast<int>(exponent_block)) {
      blocks_from<lanes<Exec>>(claim, b, static_cast<int>(exponent_block));
    } else {
      for (; b < end; ++b) blocks_from<1>(claim, b, to.block_size(b));
    }
  }
};

template <class Exec>
struct ReadPlain {
  unsigned char const* bytes;
  std::uint64_t length, plain_bytes;
  std::int64_t blocks;
  std::uint64_t* plain;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    if (Claim(bytes, length, plain_bytes, blocks).plain) plain[w] = reinterpret_cast<std::uint64_t const*>(bytes)[w + 1];
  }
};

}  // namespace

template <class Exec>
ExponentCodec<Exec>::ExponentCodec(std::uint64_t n)
    : n_(n),
      blocks_((n + exponent_block - 1) / exponent_block),
      counts_("kaon::codec::exponent_counts", symbols),
      codes_("kaon::codec::exponent_codes", symbols),
      header_("kaon::codec::exponent_header", header_bytes),
      words_("kaon::codec::exponent_words", blocks_ + 1),
      decode_("kaon::codec::exponent_decode", decode_entries) {
  require(n >= 1 && n < (std::uint64_t{1} << 31), "exponent code: needs 1 <= n < 2^31");
}

template <class Exec>
std::uint64_t ExponentCodec<Exec>::bytes_least() const {
  std::uint64_t const coded = 8 * ((16 + 4 * ((blocks_ + 1) / 2) + 7) / 8);
  return coded < bytes_bound() ? coded : bytes_bound();
}

template <class Exec>
void ExponentCodec<Exec>::encode(Exec const& exec, Out<Bytes<Exec>> const& out, Out<Scalar<std::uint64_t, Exec>> const& length,
                                 In<ConstBytes<Exec>> const& plain) const {
  auto* const to = as_words<Exec>(out, bytes_bound());
  auto const* const from = as_words<Exec>(plain, plain_bytes());
  Plain const values(plain.data(), n_);
  auto const blocks = static_cast<std::int64_t>(blocks_), groups = (blocks + lanes<Exec> - 1) / lanes<Exec>;
  using Range = Kokkos::RangePolicy<Exec>;
  using Team = Kokkos::TeamPolicy<Exec>;
  Kokkos::parallel_for("kaon::codec::exponent_count",
                       Team(exec, static_cast<int>((n_ + count_chunk - 1) / count_chunk), fixed_team_size<Exec>)
                           .set_scratch_size(0, Kokkos::PerTeam(CountSymbols<Exec>::scratch_bytes() + 64)),
                       CountSymbols<Exec>{values, counts_});
  Kokkos::parallel_for("kaon::codec::exponent_build",
                       Team(exec, 1, fixed_team_size<Exec>)
                           .set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(sizeof(typename BuildCode<Exec>::Room)) + 64)),
                       BuildCode<Exec>{counts_, codes_, header_});
  Kokkos::parallel_for("kaon::codec::exponent_blocks", Range(exec, 0, blocks), CountBlock<Exec>{values, codes_, words_});
  Kokkos::parallel_scan("kaon::codec::exponent_decide", Range(exec, 0, blocks),
                        Decide<Exec>{words_, header_, length, blocks, plain_bytes()});
  Kokkos::parallel_for("kaon::codec::exponent_write", Range(exec, 0, groups),
                       WriteCoded<Exec>{values, codes_, words_, header_, out.data(), blocks});
  Kokkos::parallel_for("kaon::codec::exponent_plain", Range(exec, 0, static_cast<std::int64_t>(bytes_bound() / 8)),
                       WritePlain<Exec>{to, from, header_});
}

template <class Exec>
void ExponentCodec<Exec>::decode(Exec const& exec, Out<Bytes<Exec>> const& plain, In<ConstBytes<Exec>> const& bytes,
                                 std::uint64_t length) const {
  require(length >= bytes_least(), "exponent code: too few bytes");
  as_words<Exec>(bytes, length);
  auto* const to = as_words<Exec>(plain, plain_bytes());
  auto const blocks = static_cast<std::int64_t>(blocks_), groups = (blocks + lanes<Exec> - 1) / lanes<Exec>;
  using Range = Kokkos::RangePolicy<Exec>;
  Kokkos::parallel_for(
      "kaon::codec::exponent_decoder",
      Kokkos::TeamPolicy<Exec>(exec, 1, fixed_team_size<Exec>)
          .set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(sizeof(typename BuildDecoder<Exec>::Room)) + 64)),
      BuildDecoder<Exec>{bytes.data(), length, plain_bytes(), blocks, decode_});
  Kokkos::parallel_scan("kaon::codec::exponent_offsets", Range(exec, 0, blocks),
                        ReadSizes<Exec>{bytes.data(), length, plain_bytes(), blocks, words_});
  Kokkos::parallel_for("kaon::codec::exponent_read", Range(exec, 0, groups),
                       ReadCoded<Exec>{bytes.data(), length, plain_bytes(), blocks, words_, decode_, plain.data(), n_});
  Kokkos::parallel_for("kaon::codec::exponent_copy", Range(exec, 0, static_cast<std::int64_t>(plain_bytes() / 8)),
                       ReadPlain<Exec>{bytes.data(), length, plain_bytes(), blocks, to});
}

#define KAON_KERNEL(Exec) template class ExponentCodec<Exec>;
KAON_FOR_EACH_SPACE(KAON_KERNEL)

}  // namespace kaon
