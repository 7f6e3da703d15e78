#include <kaon/core/error.hpp>
#include <kaon/data/tokens.hpp>

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cstring>

namespace kaon {
namespace {

constexpr std::int32_t shard_magic = 20240520;
constexpr std::int32_t shard_version = 1;
constexpr std::size_t header_words = 256;
constexpr std::size_t header_bytes = header_words * sizeof(std::int32_t);

std::int32_t header_word(MappedFile const& file, std::size_t i) {
  std::int32_t word = 0;
  std::memcpy(&word, file.data() + i * sizeof word, sizeof word);
  return word;
}

bool looks_like_shard(MappedFile const& file, std::string const& path) {
  return path.ends_with(".bin") || (file.size() >= sizeof(std::int32_t) && header_word(file, 0) == shard_magic);
}

std::int64_t shard_count(MappedFile const& file, std::string const& path) {
  if (file.size() < header_bytes)
    throw InputError(
        fmt::format("data file {}: expected a token shard with a header of {} bytes, found {} bytes in all: it is "
                    "truncated, or text (then set the format to text)",
                    path, header_bytes, file.size()));
  if (header_word(file, 0) != shard_magic)
    throw InputError(
        fmt::format("data file {}: expected the magic number {} of a GPT-2 token shard, found {}; set the format to "
                    "text if it is text, otherwise make the shard again",
                    path, shard_magic, header_word(file, 0)));
  if (header_word(file, 1) != shard_version)
    throw InputError(fmt::format("data file {}: expected token shard version {}, found {}; write it again as version {}", path,
                                 shard_version, header_word(file, 1), shard_version));
  auto const count = static_cast<std::int64_t>(static_cast<std::uint32_t>(header_word(file, 2)));
  auto const found = static_cast<std::int64_t>(file.size() - header_bytes);
  if (found != 2 * count)
    throw InputError(
        fmt::format("data file {}: its header says {} tokens ({} bytes after the header), found {} bytes: it is {}; "
                    "copy or make it again",
                    path, count, 2 * count, found, found < 2 * count ? "truncated" : "longer than it says"));
  if (count == 0) throw InputError(fmt::format("data file {}: its header says 0 tokens; leave it out or make it again", path));
  return count;
}

std::vector<std::string> expand(std::string const& path) {
  if (path.find_first_of("*?[") == std::string::npos) return {path};
  glob_t matches{};
  int const code = ::glob(path.c_str(), 0, nullptr, &matches);
  std::vector<std::string> found;
  for (std::size_t i = 0; code == 0 && i < matches.gl_pathc; ++i) found.emplace_back(matches.gl_pathv[i]);
  ::globfree(&matches);
  if (found.empty())
    throw InputError(fmt::format("data files {}: no file matches this pattern; check the path in the deck", path));
  return found;
}

}  // namespace

Tokens::Tokens(std::vector<std::uint16_t> tokens, int vocabulary, std::string const& name) {
  if (tokens.empty()) throw InputError(fmt::format("data {}: expected tokens, found none", name));
  Segment s;
  s.name = name;
  s.count = static_cast<std::int64_t>(tokens.size());
  s.memory = std::move(tokens);
  s.bytes = reinterpret_cast<unsigned char const*>(s.memory.data());
  s.width = 2;
  append(std::move(s));
  check_and_hash(vocabulary);
}

Tokens Tokens::load(std::vector<std::string> const& paths, std::string const& format, int vocabulary) {
  if (format != "auto" && format != "text" && format != "tokens")
    throw UsageError(fmt::format("data format '{}' is unknown; use text, tokens or auto", format));
  if (paths.empty()) throw InputError("data: no file is named; set the deck's training files");
  Tokens all;
  for (auto const& pattern : paths)
    for (auto const& path : expand(pattern)) {
      Segment s;
      s.name = path;
      auto const& file = s.file.emplace_back(path);
      if (format == "tokens" || (format == "auto" && looks_like_shard(file, path))) {
        s.count = shard_count(file, path);
        s.bytes = file.data() + header_bytes;
        s.width = 2;
      } else {
        s.count = static_cast<std::int64_t>(file.size());
        s.bytes = file.data();
      }
      all.append(std::move(s));
    }
  all.check_and_hash(vocabulary);
  return all;
}

void Tokens::append(Segment segment) {
  segment.begin = size_;
  size_ += segment.count;
  segments_.push_back(std::move(segment));
}

int Tokens::file_of(std::int64_t const position) const {
  require(position >= 0 && position < size_, "Tokens: position outside the sequence");
  auto const after = std::upper_bound(segments_.begin(), segments_.end(), position,
                                      [](std::int64_t p, Segment const& s) { return p < s.begin; });
  return static_cast<int>(after - segments_.begin()) - 1;
}

void Tokens::copy(std::int64_t first, std::int64_t count, std::int32_t* out) const {
  require(first >= 0 && count >= 0 && first + count <= size_, "Tokens: range outside the sequence");
  while (count > 0) {
    auto const& s = segments_[static_cast<std::size_t>(file_of(first))];
    auto const begin = first - s.begin;
    auto const n = std::min(count, s.count - begin);
    for (std::int64_t i = 0; i < n; ++i) {
      std::uint16_t token = 0;
      if (s.width == 1)
        token = s.bytes[begin + i];
      else
        std::memcpy(&token, s.bytes + 2 * (begin + i), 2);
      out[i] = token;
    }
    first += n;
    count -= n;
    out += n;
  }
}

void Tokens::check_and_hash(int const vocabulary) {
  constexpr std::int64_t chunk = 4096;
  std::vector<std::int32_t> part(chunk);
  // FNV-1a over whole tokens, seeded with their number and finished so that every bit depends on every token.
  std::uint64_t h = 14695981039346656037ull ^ static_cast<std::uint64_t>(size_);
  for (std::int64_t at = 0; at < size_; at += chunk) {
    auto const n = std::min(chunk, size_ - at);
    copy(at, n, part.data());
    std::int32_t top = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      h = (h ^ static_cast<std::uint64_t>(part[static_cast<std::size_t>(i)])) * 1099511628211ull;
      top = std::max(top, part[static_cast<std::size_t>(i)]);
    }
    if (top < vocabulary) continue;
    auto const bad = std::find_if(part.begin(), part.begin() + n, [=](std::int32_t t) { return t >= vocabulary; }) - part.begin();
    auto const& s = segments_[static_cast<std::size_t>(file_of(at + bad))];
    throw InputError(
        fmt::format("data file {}: expected tokens below the vocabulary {}, found {} at position {}; raise the model's "
                    "vocabulary or encode the text with a tokenizer that fits",
                    s.name, vocabulary, part[static_cast<std::size_t>(bad)], at + bad - s.begin));
  }
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdull;
  fingerprint_ = h ^ (h >> 33);
}

}  // namespace kaon
