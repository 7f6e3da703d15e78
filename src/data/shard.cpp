#include <kaon/core/error.hpp>
#include <kaon/data/looks.hpp>
#include <kaon/data/shard.hpp>

#include <fmt/format.h>

namespace kaon {
namespace {

constexpr std::int32_t magic = 20240520;
constexpr std::int32_t version = 1;

std::int32_t header_word(DataFile const& file, std::int64_t i) {
  std::int32_t word = 0;
  file.read(i * std::int64_t{sizeof word}, sizeof word, &word);
  return word;
}

[[noreturn]] void refuse_header(DataFile const& file) {
  auto const found = fmt::format("data file {}: expected the magic number {} of a GPT-2 token shard, found {}", file.path(),
                                 magic, header_word(file, 0));
  auto const looks = looks_of(file);
  if (looks.what.empty())
    throw InputError(found + ": it looks like text; set data.format = text, or otherwise make the shard again");
  if (!looks.what.starts_with("no text")) throw InputError(fmt::format("{}: it is {}; {}", found, looks.what, looks.cure));
  throw InputError(
      fmt::format("{}: it has no header. Raw 16-bit tokens, as nanoGPT's prepare.py writes them, become a shard by\n  {}\n"
                  "otherwise make the shard again; it is no text either",
                  found, conversion_of_raw_tokens(file.path())));
}

}  // namespace

bool is_shard(DataFile const& file) { return file.size() >= std::int64_t{sizeof magic} && header_word(file, 0) == magic; }

std::int64_t shard_count(DataFile const& file) {
  auto const& path = file.path();
  if (file.size() < shard_header_bytes)
    throw InputError(
        fmt::format("data file {}: expected a token shard with a header of {} bytes, found {} bytes in all: it is "
                    "truncated, or text (then set data.format = text)",
                    path, shard_header_bytes, file.size()));
  if (header_word(file, 0) != magic) refuse_header(file);
  if (header_word(file, 1) != version)
    throw InputError(fmt::format("data file {}: expected token shard version {}, found {}; write it again as version {}", path,
                                 version, header_word(file, 1), version));
  auto const count = static_cast<std::int64_t>(static_cast<std::uint32_t>(header_word(file, 2)));
  auto const found = file.size() - shard_header_bytes;
  if (found != 2 * count)
    throw InputError(
        fmt::format("data file {}: its header says {} tokens ({} bytes after the header), found {} bytes: it is {}; "
                    "copy or make it again",
                    path, count, 2 * count, found, found < 2 * count ? "truncated" : "longer than it says"));
  if (count == 0) throw InputError(fmt::format("data file {}: its header says 0 tokens; leave it out or make it again", path));
  return count;
}

void require_text(DataFile const& file) {
  if (auto const looks = looks_of(file); !looks.what.empty())
    throw InputError(fmt::format("data file {}: expected text, found what is {}: {}", file.path(), looks.what, looks.cure));
}

}  // namespace kaon
