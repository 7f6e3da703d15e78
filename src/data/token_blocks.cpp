// What identifies the tokens: hashes of their blocks.
#include <kaon/core/error.hpp>
#include <kaon/data/content_hash.hpp>
#include <kaon/data/tokens.hpp>

#include <algorithm>

namespace kaon {

/// out[0…count) = the tokens from `first` on, as uint16.
void Tokens::widen(std::int64_t first, std::int64_t count, std::uint16_t* out) const {
  while (count > 0) {
    auto const& s = segments_[static_cast<std::size_t>(file_of(first))];
    auto const begin = first - s.begin;
    auto const n = std::min(count, s.count - begin);
    if (s.width == 2) {
      read(s, begin, n, out);
    } else {
      thread_local std::vector<unsigned char> bytes;
      bytes.resize(static_cast<std::size_t>(n));
      read(s, begin, n, bytes.data());
      std::copy(bytes.begin(), bytes.end(), out);
    }
    first += n;
    count -= n;
    out += n;
  }
}

void Tokens::hash(std::int64_t first, std::int64_t count, std::uint64_t* out) const {
  require(first >= 0 && count >= 0 && first + count <= static_cast<std::int64_t>(blocks_.size()), "Tokens: no such blocks");
  std::vector<std::uint16_t> tokens(static_cast<std::size_t>(std::min(limits_.tokens, size_)));
  for (std::int64_t b = first; b < first + count; ++b) {
    auto const begin = blocks_[static_cast<std::size_t>(b)] * limits_.tokens;
    auto const n = std::min(limits_.tokens, size_ - begin);
    widen(begin, n, tokens.data());
    std::uint16_t top = 0;
    for (std::int64_t i = 0; i < n; ++i) top = std::max(top, tokens[static_cast<std::size_t>(i)]);
    if (top >= vocabulary_) {
      auto const bad = std::find_if(tokens.begin(), tokens.begin() + n, [&](std::uint16_t t) { return t >= vocabulary_; });
      refuse(begin + (bad - tokens.begin()), *bad);
    }
    *out++ = content_hash(tokens.data(), static_cast<std::size_t>(n) * sizeof(std::uint16_t));
  }
}

std::uint64_t Tokens::combine(std::vector<std::uint64_t> const& hashes) const {
  require(hashes.size() == blocks_.size(), "Tokens: another number of blocks");
  std::vector<std::uint64_t> words{static_cast<std::uint64_t>(size_), static_cast<std::uint64_t>(limits_.tokens), hashes.size()};
  if (static_cast<std::int64_t>(blocks_.size()) < blocks_in_all()) {
    for (auto const& s : segments_) words.push_back(static_cast<std::uint64_t>(s.count));
    for (auto const b : blocks_) words.push_back(static_cast<std::uint64_t>(b));
  }
  words.insert(words.end(), hashes.begin(), hashes.end());
  return content_hash(words);
}

std::uint64_t Tokens::fingerprint() const {
  std::vector<std::uint64_t> hashes(blocks_.size());
  hash(0, static_cast<std::int64_t>(hashes.size()), hashes.data());
  return combine(hashes);
}

std::uint64_t Tokens::older_fingerprint() const {
  constexpr std::int64_t chunk = 1 << 16;
  std::vector<std::uint16_t> part(chunk);
  // FNV-1a, seeded with the number of tokens and finished so that every bit depends on every token.
  std::uint64_t h = 14695981039346656037ull ^ static_cast<std::uint64_t>(size_);
  for (std::int64_t at = 0; at < size_; at += chunk) {
    auto const n = std::min(chunk, size_ - at);
    widen(at, n, part.data());
    for (std::int64_t i = 0; i < n; ++i) h = (h ^ part[static_cast<std::size_t>(i)]) * 1099511628211ull;
  }
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdull;
  return h ^ (h >> 33);
}

}  // namespace kaon
