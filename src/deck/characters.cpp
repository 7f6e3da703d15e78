#include <kaon/core/error.hpp>
#include <kaon/deck/characters.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {

namespace {

using Kind = OddCharacter::Kind;

// The code point at `at` and its bytes; 0 bytes where there is no well-formed UTF-8 of two or three bytes.
struct Decoded {
  unsigned point = 0, bytes = 0;
};

Decoded decode(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto const follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  unsigned const first = byte(at);
  if ((first & 0xE0u) == 0xC0u && follows(at + 1)) return {(first & 0x1Fu) << 6 | (byte(at + 1) & 0x3Fu), 2};
  if ((first & 0xF0u) == 0xE0u && follows(at + 1) && follows(at + 2))
    return {(first & 0x0Fu) << 12 | (byte(at + 1) & 0x3Fu) << 6 | (byte(at + 2) & 0x3Fu), 3};
  return {};
}

OddCharacter of_point(unsigned c) {
  auto const named = [c](Kind kind, char const* name) { return OddCharacter{kind, fmt::format("{} (U+{:04X})", name, c)}; };
  if (c == 0xA0 || c == 0x2007 || c == 0x202F) return named(Kind::space, "a no-break space");
  if ((c >= 0x2000 && c <= 0x200A) || c == 0x205F || c == 0x3000) return named(Kind::space, "a typographic space");
  if (c == 0xFEFF) return named(Kind::space, "a byte order mark inside the text");
  if ((c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xAD) return named(Kind::space, "a character without width");
  if (c == 0x2028 || c == 0x2029 || c == 0x85) return named(Kind::space, "a line separator");
  if ((c >= 0x2018 && c <= 0x201F) || c == 0xAB || c == 0xBB) return named(Kind::quote, "a typographic quote");
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return named(Kind::dash, "a typographic dash");
  return {};
}

// A byte that is no part of UTF-8: what Latin-1 and Windows-1252 mean by it.
OddCharacter of_byte(unsigned char c) {
  auto const named = [c](Kind kind, char const* name) {
    return OddCharacter{kind, fmt::format("{} (byte {:02X} of Windows-1252)", name, c)};
  };
  if (c == 0xA0) return named(Kind::space, "a no-break space");
  if (c >= 0x91 && c <= 0x94) return named(Kind::quote, "a typographic quote");
  if (c == 0x96 || c == 0x97) return named(Kind::dash, "a typographic dash");
  if ((c < 0x20 && c != '\t') || c == 0x7F) return {Kind::space, fmt::format("a control character (byte {:02X})", c)};
  return {};
}

long line_of(std::string const& text, std::size_t at) {
  return std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
}

[[noreturn]] void refuse_encoding(std::string const& origin, char const* name) {
  throw UsageError(
      fmt::format("{}: this is {}, and a deck is UTF-8 or plain ASCII; save it as UTF-8, or: iconv -f {} -t UTF-8 {} > new.deck",
                  origin, name, name, origin));
}

}  // namespace

namespace {

template <class Passed>
OddCharacter first_odd(std::string_view text, Passed const& passed) {
  for (std::size_t at = 0; at < text.size();) {
    auto const d = decode(text, at);
    std::size_t const bytes = std::max(1u, d.bytes);
    auto odd = d.bytes > 0 ? of_point(d.point) : of_byte(static_cast<unsigned char>(text[at]));
    if (odd.kind != Kind::none && !passed(odd.kind, at == 0 || at + bytes == text.size())) return odd;
    at += bytes;
  }
  return {};
}

}  // namespace

OddCharacter odd_character(std::string_view text, bool dashes, bool inner_quotes) {
  return first_odd(text, [&](Kind kind, bool edge) {
    return (kind == Kind::dash && !dashes) || (kind == Kind::quote && !inner_quotes && !edge);
  });
}

OddCharacter odd_space(std::string_view text) {
  return first_odd(text, [](Kind kind, bool) { return kind != Kind::space; });
}

std::string plain_text(std::string text, std::string const& origin) {
  auto const starts = [&](std::string_view mark) { return text.compare(0, mark.size(), mark) == 0; };
  using namespace std::string_view_literals;
  if (starts("\xFF\xFE\0\0"sv) || starts("\0\0\xFE\xFF"sv)) refuse_encoding(origin, "UTF-32");
  if (starts("\xFF\xFE"sv) || starts("\xFE\xFF"sv)) refuse_encoding(origin, "UTF-16");
  if (starts("\xEF\xBB\xBF"sv)) text.erase(0, 3);
  if (auto const nul = text.find('\0'); nul != std::string::npos) {
    if (nul == 1 && text.size() > 3 && text[3] == '\0') refuse_encoding(origin, "UTF-16LE");
    if (nul == 0 && text.size() > 2 && text[1] != '\0' && text[2] == '\0') refuse_encoding(origin, "UTF-16BE");
    throw UsageError(fmt::format("{}:{}: a NUL byte; this is not a text file", origin, line_of(text, nul)));
  }
  for (auto at = text.find('\r'); at != std::string::npos; at = text.find('\r', at + 1))
    if (at + 1 < text.size() && text[at + 1] != '\n')
      throw UsageError(fmt::format(
          "{}:{}: a carriage return (CR) without a line feed; lines end with LF or CR LF: tr '\\r' '\\n' < {} > new.deck", origin,
          line_of(text, at), origin));
  return text;
}

}  // namespace kaon
