#ifndef KAON_DATA_CONTENT_HASH_HPP
#define KAON_DATA_CONTENT_HASH_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kaon {

/// XXH3-64 of bytes.
std::uint64_t content_hash(void const* data, std::size_t bytes, std::uint64_t seed = 0);
/// The same of words, as little-endian bytes.
std::uint64_t content_hash(std::vector<std::uint64_t> const& words);

}  // namespace kaon

#endif
