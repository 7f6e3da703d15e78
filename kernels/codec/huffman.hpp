// Length-limited Huffman codes over bytes, by one thread or one team on the device. Not part of the public interface.
#ifndef KAON_CODEC_HUFFMAN_HPP
#define KAON_CODEC_HUFFMAN_HPP

#include <kaon/core/types.hpp>

namespace kaon::detail {

inline constexpr int symbols = 256;
inline constexpr int longest_code = 12;
inline constexpr std::uint32_t decode_entries = 1U << longest_code;

/// Room for huffman_lengths.
struct HuffmanTree {
  std::uint32_t weight[2 * symbols];
  std::uint16_t parent[2 * symbols];  // then depths
  std::uint16_t order[symbols];       // symbols that occur, rarest first
};

/// length[s] ← bits of a prefix code for symbols that occur count[s] times (Σ count < 2³²): Huffman's (Proc. IRE 40, 1952), cut
/// at longest_code and then mended until Σ 2^(−length) ≤ 1, rarest symbols first. 0 for symbols that do not occur, and if only
/// one does. Ties by symbol. One thread; about 256²/4 steps at worst, n log n of the occurring symbols for peaked counts.
KOKKOS_INLINE_FUNCTION void huffman_lengths(std::uint8_t* length, std::uint32_t const* count, HuffmanTree& tree) {
  int n = 0;
  for (int s = 0; s < symbols; ++s) {
    length[s] = 0;
    if (count[s] == 0) continue;
    int at = n++;
    for (; at > 0 && count[tree.order[at - 1]] > count[s]; --at) tree.order[at] = tree.order[at - 1];
    tree.order[at] = static_cast<std::uint16_t>(s);
  }
  if (n < 2) return;
  for (int i = 0; i < n; ++i) tree.weight[i] = count[tree.order[i]];
  int leaf = 0, inner = n;  // two queues, both sorted by weight
  for (int made = n; made < 2 * n - 1; ++made) {
    std::uint32_t sum = 0;
    for (int child = 0; child < 2; ++child) {
      bool const take_leaf = leaf < n && (inner == made || tree.weight[leaf] <= tree.weight[inner]);
      int const node = take_leaf ? leaf++ : inner++;
      sum += tree.weight[node];
      tree.parent[node] = static_cast<std::uint16_t>(made);
    }
    tree.weight[made] = sum;
  }
  tree.parent[2 * n - 2] = 0;
  for (int node = 2 * n - 3; node >= 0; --node)
    tree.parent[node] = static_cast<std::uint16_t>(tree.parent[tree.parent[node]] + 1);
  std::uint32_t used = 0;
  for (int i = 0; i < n; ++i) {
    int const depth = tree.parent[i] < longest_code ? tree.parent[i] : longest_code;
    length[tree.order[i]] = static_cast<std::uint8_t>(depth);
    used += decode_entries >> depth;
  }
  for (int i = 0; i < n && used > decode_entries; ++i) {
    auto& bits = length[tree.order[i]];
    for (; bits < longest_code && used > decode_entries; ++bits) used -= decode_entries >> (bits + 1);
  }
  for (int i = n - 1; i >= 0; --i) {
    auto& bits = length[tree.order[i]];
    for (; bits > 1 && used + (decode_entries >> bits) <= decode_entries; --bits) used += decode_entries >> bits;
  }
}

/// The canonical code of given lengths: codes of one length are consecutive and ordered by symbol, shorter ones come first.
struct CanonicalCode {
  std::uint32_t first[longest_code + 2];   ///< first code of each length
  std::uint32_t offset[longest_code + 2];  ///< symbols with shorter codes
  std::uint8_t sorted[symbols];            ///< symbols by (length, symbol)

  /// Returns Σ 2^(longest_code − length); above 2^longest_code these are no lengths of a prefix code. One thread.
  KOKKOS_INLINE_FUNCTION std::uint32_t build(std::uint8_t const* length) {
    std::uint32_t number[longest_code + 2] = {};
    for (int s = 0; s < symbols; ++s)
      if (length[s] > 0 && length[s] <= longest_code) ++number[length[s]];
    std::uint32_t code = 0, seen = 0, used = 0;
    for (int l = 1; l <= longest_code + 1; ++l) {
      first[l] = code;
      offset[l] = seen;
      if (l > longest_code) break;
      code = (code + number[l]) << 1;
      seen += number[l];
      used += number[l] << (longest_code - l);
      number[l] = offset[l];
    }
    for (int s = 0; s < symbols; ++s)
      if (length[s] > 0 && length[s] <= longest_code) sorted[number[length[s]]++] = static_cast<std::uint8_t>(s);
    return used;
  }
};

KOKKOS_INLINE_FUNCTION std::uint32_t reversed(std::uint32_t code, int bits) {
  std::uint32_t r = 0;
  for (int i = 0; i < bits; ++i) r |= ((code >> i) & 1U) << (bits - 1 - i);
  return r;
}

}  // namespace kaon::detail

#endif
