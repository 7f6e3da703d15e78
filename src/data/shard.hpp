#ifndef KAON_DATA_SHARD_HPP
#define KAON_DATA_SHARD_HPP

#include <kaon/data/file.hpp>

#include <cstdint>
#include <string>

namespace kaon {

/// GPT-2 token shards: 256 int32 of header (20240520, 1, count), then count uint16 tokens, little-endian.
inline constexpr std::int64_t shard_header_bytes = 1024;

/// It has the magic number.
bool is_shard(DataFile const& file);
/// Its number of tokens. Throws InputError that says what was expected and found, what the file looks like, and the cure.
std::int64_t shard_count(DataFile const& file);

/// Throws InputError when a file that is to be read as text is plainly something else: a token shard of another kind, an array of
/// numpy, an archive, UTF-16, or bytes of which too many are no text. Looks at three samples.
void require_text(DataFile const& file);

}  // namespace kaon

#endif
