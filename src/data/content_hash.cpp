#include <kaon/data/content_hash.hpp>

#define XXH_INLINE_ALL  // with the vector instructions that the library may use, not those of every CPU
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12's AVX-512 header, https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105593
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xxhash.h>

namespace kaon {

std::uint64_t content_hash(void const* data, std::size_t bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}

std::uint64_t content_hash(std::vector<std::uint64_t> const& words) {
  return content_hash(words.data(), words.size() * sizeof(std::uint64_t));
}

}  // namespace kaon
