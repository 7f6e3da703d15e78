#include <kaon/core/error.hpp>
#include <kaon/data/shard.hpp>
#include <kaon/data/tokens.hpp>

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cstring>

namespace kaon {
namespace {

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

/// Whether format auto takes the files for shards. Throws InputError when it takes some for shards and others for text.
bool all_shards(std::vector<DataFile> const& files) {
  DataFile const *shard = nullptr, *text = nullptr;
  for (auto const& f : files) (f.path().ends_with(".bin") || is_shard(f) ? shard : text) = &f;
  if (shard && text)
    throw InputError(fmt::format(
        "data file {}: it is no token shard, and {} is one: every byte of it would become a token; name the shards alone "
        "(a pattern such as folder/*.bin), or text alone",
        text->path(), shard->path()));
  return shard != nullptr;
}

}  // namespace

Tokens::Tokens(std::vector<std::uint16_t> tokens, int vocabulary, std::string const& name, BlockLimits const& limits) {
  if (tokens.empty()) throw InputError(fmt::format("data {}: expected tokens, found none", name));
  Segment s;
  s.name = name;
  s.count = static_cast<std::int64_t>(tokens.size());
  s.memory = std::move(tokens);
  s.width = 2;
  append(std::move(s));
  finish(vocabulary, limits);
  auto const& all = segments_.front().memory;
  auto const bad = std::find_if(all.begin(), all.end(), [&](std::uint16_t t) { return t >= vocabulary; });
  if (bad != all.end()) refuse(bad - all.begin(), *bad);
}

Tokens Tokens::load(std::vector<std::string> const& paths, std::string const& format, int vocabulary, BlockLimits const& limits) {
  if (format != "auto" && format != "text" && format != "tokens" && format != "bytes")
    throw UsageError(fmt::format("data format '{}' is unknown; use text, tokens, bytes or auto", format));
  if (paths.empty()) throw InputError("data: no file is named; set the deck's training files");
  std::vector<DataFile> files;
  for (auto const& pattern : paths)
    for (auto const& path : expand(pattern)) files.emplace_back(path);
  bool const shards = format == "tokens" || (format == "auto" && all_shards(files));
  Tokens all;
  for (auto& file : files) {
    Segment s;
    s.name = file.path();
    if (shards) {
      s.count = shard_count(file);
      s.skip = shard_header_bytes;
      s.width = 2;
    } else {
      if (format != "bytes") require_text(file);
      s.count = file.size();
    }
    s.file.push_back(std::move(file));
    all.append(std::move(s));
  }
  all.finish(vocabulary, limits);
  return all;
}

void Tokens::append(Segment segment) {
  segment.begin = size_;
  size_ += segment.count;
  segments_.push_back(std::move(segment));
}

void Tokens::finish(int vocabulary, BlockLimits const& limits) {
  vocabulary_ = vocabulary;
  limits_ = limits;
  std::vector<std::int64_t> edges;
  for (auto const& s : segments_) edges.push_back(s.begin), edges.push_back(s.begin + s.count - 1);
  blocks_ = chosen_blocks(size_, edges, limits);
}

int Tokens::file_of(std::int64_t const position) const {
  require(position >= 0 && position < size_, "Tokens: position outside the sequence");
  auto const after = std::upper_bound(segments_.begin(), segments_.end(), position,
                                      [](std::int64_t p, Segment const& s) { return p < s.begin; });
  return static_cast<int>(after - segments_.begin()) - 1;
}

/// Tokens [begin, begin + count) of a segment as they are stored.
void Tokens::read(Segment const& s, std::int64_t begin, std::int64_t count, void* out) const {
  if (s.file.empty())
    std::memcpy(out, s.memory.data() + begin, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
  else
    s.file.front().read(s.skip + begin * s.width, count * s.width, out);
}

void Tokens::copy(std::int64_t first, std::int64_t count, std::int32_t* out) const {
  require(first >= 0 && count >= 0 && first + count <= size_, "Tokens: range outside the sequence");
  while (count > 0) {
    auto const& s = segments_[static_cast<std::size_t>(file_of(first))];
    auto const begin = first - s.begin;
    auto const n = std::min(count, s.count - begin);
    // What is stored is narrower: it lies at the end of the room that it is widened into from the front.
    auto* const stored = reinterpret_cast<unsigned char*>(out + n) - n * s.width;
    read(s, begin, n, stored);
    int top = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      std::uint16_t token = stored[i * s.width];
      if (s.width == 2) std::memcpy(&token, stored + 2 * i, 2);
      out[i] = token;
      top = std::max<int>(top, token);
    }
    if (top >= vocabulary_) {
      auto const* bad = std::find_if(out, out + n, [&](std::int32_t t) { return t >= vocabulary_; });
      refuse(first + (bad - out), *bad);
    }
    first += n;
    count -= n;
    out += n;
  }
}

void Tokens::refuse(std::int64_t position, int token) const {
  auto const& s = segments_[static_cast<std::size_t>(file_of(position))];
  throw InputError(
      fmt::format("data file {}: expected tokens below the vocabulary {}, found {} at position {}; raise the model's "
                  "vocabulary or encode the text with a tokenizer that fits",
                  s.name, vocabulary_, token, position - s.begin));
}

}  // namespace kaon
