// Which files the tokens come from, whether they stay as they are, and whether two are one.
#include <kaon/data/tokens.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace kaon {

std::string Tokens::where() const {
  std::error_code ignored;
  auto const& first = segments_.front();
  auto const path = first.file.empty() ? first.name : std::filesystem::absolute(first.name, ignored).lexically_normal().string();
  return segments_.size() == 1 ? path : fmt::format("{} and {} more", path, segments_.size() - 1);
}

std::string Tokens::copy_of() const {
  std::string text;
  for (auto const& s : segments_)
    text += s.file.empty() ? fmt::format("memory of process {};", ::getpid())
                           : fmt::format("{}:{};", s.file.front().identity(), s.count);
  return text;
}

std::string Tokens::changed() const {
  for (auto const& s : segments_)
    for (auto const& f : s.file)
      if (auto why = f.changed(); !why.empty()) return why;
  return {};
}

void Tokens::look_again() {
  for (auto& s : segments_)
    for (auto& f : s.file) f.look_again();
}

bool Tokens::same_tokens(Segment const& a, Segment const& b) const {
  if (a.count != b.count) return false;
  if (a.file.empty() || b.file.empty()) return false;
  if (a.file.front().same_file(b.file.front())) return true;
  if (a.width != b.width) return false;
  // Shards of one length are common, and their first tokens tell them apart.
  std::int64_t piece = std::min<std::int64_t>(4096, a.count);
  std::vector<unsigned char> x, y;
  for (std::int64_t at = 0; at < a.count; at += piece, piece = std::min<std::int64_t>(1 << 20, a.count - at)) {
    auto const bytes = static_cast<std::size_t>(piece * a.width);
    x.resize(bytes), y.resize(bytes);
    read(a, at, piece, x.data());
    read(b, at, piece, y.data());
    if (x != y) return false;
  }
  return true;
}

std::pair<std::string, std::string> Tokens::common_file(Tokens const& other) const {
  for (auto const& b : other.segments_)
    for (auto const& a : segments_)
      if (same_tokens(a, b)) return {a.name, b.name};
  return {};
}

std::pair<std::string, std::string> Tokens::repeated_file() const {
  std::map<std::string, std::string> seen;
  for (auto const& s : segments_)
    for (auto const& f : s.file)
      if (auto const [at, first] = seen.emplace(f.identity(), s.name); !first) return {at->second, s.name};
  return {};
}

}  // namespace kaon
