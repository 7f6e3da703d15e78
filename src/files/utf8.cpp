#include <kaon/files/utf8.hpp>

#include <cstdint>
#include <optional>

namespace kaon::files {
namespace {

/// Takes one code point off the front; nothing where the bytes are no UTF-8 (also overlong forms, surrogates, beyond U+10FFFF).
std::optional<char32_t> take(std::string_view& bytes) {
  auto const first = static_cast<unsigned char>(bytes.front());
  std::size_t const more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : first >> 3 == 30 ? 3 : 9;
  if (more >= bytes.size()) return {};
  auto point = static_cast<char32_t>(more == 0 ? first : first & (0x3f >> more));
  for (std::size_t i = 1; i <= more; ++i) {
    auto const next = static_cast<unsigned char>(bytes[i]);
    if (next >> 6 != 2) return {};
    point = point << 6 | (next & 0x3f);
  }
  constexpr char32_t least[] = {0, 0x80, 0x800, 0x10000};
  if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return {};
  bytes.remove_prefix(more + 1);
  return point;
}

}  // namespace

std::u32string code_points(std::string_view bytes) {
  std::u32string points;
  for (auto rest = bytes; !rest.empty();) {
    auto const point = take(rest);
    if (!point) {
      points.clear();
      for (char const c : bytes) points += static_cast<char32_t>(static_cast<unsigned char>(c));
      return points;
    }
    points += *point;
  }
  return points;
}

std::string utf8(std::string_view bytes) {
  bool whole = true;
  for (auto rest = bytes; whole && !rest.empty();) whole = take(rest).has_value();
  if (whole) return std::string(bytes);
  std::string text;
  for (char const c : bytes) {
    auto const b = static_cast<unsigned char>(c);
    if (b >= 0x80) text += static_cast<char>(0xc0 | b >> 6);
    text += static_cast<char>(b < 0x80 ? b : 0x80 | (b & 0x3f));
  }
  return text;
}

}  // namespace kaon::files
