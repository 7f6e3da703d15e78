#include <kaon/core/error.hpp>
#include <kaon/deck/characters.hpp>
#include <kaon/deck/slips.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

namespace {

constexpr char const* blanks = " \t\r";

bool quote(char c) { return c == '"' || c == '\''; }

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// $NAME or ${NAME, as a shell would expand it; "" where there is none.
std::string variable_in(std::string_view text) {
  for (auto at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
    auto const rest = text.substr(at + 1);
    bool const braced = !rest.empty() && rest[0] == '{';
    if (!braced && (rest.empty() || !letter(rest[0]))) continue;
    std::size_t end = braced ? rest.find('}') : 0;
    if (braced) end = end == std::string_view::npos ? rest.size() : end + 1;
    while (!braced && end < rest.size() && (letter(rest[end]) || (rest[end] >= '0' && rest[end] <= '9'))) ++end;
    return std::string(text.substr(at, end + 1));
  }
  return {};
}

void refuse_expansions(std::string const& part, bool first) {
  constexpr char const* cure = "write the path in full, or give it on the command line, where the shell expands it";
  if (first && part[0] == '~' && (part.size() == 1 || part[1] == '/' || letter(part[1])))
    throw UsageError(fmt::format("a deck does not expand ~; {} (a name that begins with ~ is written ./~)", cure));
  if (auto const name = variable_in(part); !name.empty())
    throw UsageError(fmt::format("a deck does not expand {}; {}", name, cure));
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  auto const first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  if (text.empty() || !quote(text[0])) return text;
  if (text.size() < 2 || text.back() != text[0])
    throw UsageError(fmt::format("has a quote ({}) that is not closed at its end", text[0]));
  auto const inside = trimmed(text.substr(1, text.size() - 2));
  if (!inside.empty() && quote(inside[0])) throw UsageError("has quotes inside quotes; keep one pair");
  return inside;
}

std::vector<std::string> as_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(blanks); at != std::string_view::npos;) {
    auto const end = std::min(text.find_first_of(blanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(blanks, end);
  }
  return words;
}

void refuse_slips(Key const& key, std::vector<std::string> const& parts) {
  using Kind = OddCharacter::Kind;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto const& part = parts[i];
    if (part.empty()) continue;
    if (part[0] == ';' || part == "//" || (i > 0 && part.compare(0, 2, "//") == 0))
      throw UsageError(fmt::format("'{}' is part of the value: a comment starts with #", part));
    if (auto const odd = odd_character(part, !key.path, !key.path); odd.kind != Kind::none)
      throw UsageError(fmt::format("holds {}; type it anew", odd.name));
    if (key.type == KeyType::list && part[0] == '\'')
      throw UsageError(fmt::format("{} has single quotes; elements with blanks go into double quotes, others need none", part));
    if (key.path) refuse_expansions(part, i == 0 || key.type == KeyType::list);
  }
}

}  // namespace kaon
