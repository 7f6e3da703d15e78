#include <kaon/checkpoint/npy.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace kaon {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest = std::size_t(1) << 16;
constexpr std::size_t most_dimensions = 64;

/// The dictionary, a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class Dictionary {
 public:
  explicit Dictionary(std::string_view text) : text_(text) {}

  NpyHeader read() {
    std::optional<std::string> descr;
    std::optional<bool> fortran;
    std::optional<std::vector<std::uint64_t>> shape;
    expect('{');
    while (!takes('}')) {
      auto const key = string();
      expect(':');
      if (key == "descr" && !descr)
        descr = string();
      else if (key == "fortran_order" && !fortran)
        fortran = boolean();
      else if (key == "shape" && !shape)
        shape = tuple();
      else
        refuse();
      if (!takes(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (!text_.empty() || !descr || !fortran || !shape) refuse();
    return {std::move(*descr), *fortran, std::move(*shape)};
  }

 private:
  [[noreturn]] static void refuse() { throw InputError("its header is none of numpy's"); }
  void skip() {
    auto const at = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(at == std::string_view::npos ? text_.size() : at);
  }
  bool takes(char c) {
    skip();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!takes(c)) refuse();
  }
  bool word(std::string_view w) {
    skip();
    if (!text_.starts_with(w)) return false;
    text_.remove_prefix(w.size());
    return true;
  }
  /// Without escapes: none of the keys and types has any. A record type is a list, and refused here.
  std::string string() {
    skip();
    char const quote = text_.empty() ? '\0' : text_.front();
    if (quote != '\'' && quote != '"') refuse();
    auto const end = text_.find(quote, 1);
    if (end == std::string_view::npos) refuse();
    std::string const all(text_.substr(1, end - 1));
    if (all.find('\\') != std::string::npos) refuse();
    text_.remove_prefix(end + 1);
    return all;
  }
  bool boolean() {
    if (word("True")) return true;
    if (!word("False")) refuse();
    return false;
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> all;
    expect('(');
    while (!takes(')')) {
      skip();
      std::uint64_t n = 0;
      auto const [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), n);
      if (code != std::errc{} || all.size() == most_dimensions) refuse();
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      all.push_back(n);
      if (takes(',')) continue;
      expect(')');
      if (all.size() == 1) refuse();  // (3) is a number
      break;
    }
    return all;
  }

  std::string_view text_;
};

std::string_view text_of(std::span<unsigned char const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

std::size_t length_width(std::span<unsigned char const> first) { return first[magic.size()] == 1 ? 2 : 4; }

}  // namespace

std::size_t npy_header_bytes(std::span<unsigned char const> first) {
  if (first.size() < npy_prefix || !text_of(first).starts_with(magic))
    throw InputError("it is no array in numpy's format (.npy)");
  int const version = first[magic.size()];
  if (version < 1 || version > 3) throw InputError(fmt::format("its format version {} is not known", version));
  auto const width = length_width(first), before = magic.size() + 2;
  std::size_t length = 0;
  for (std::size_t i = width; i-- > 0;) length = length << 8 | first[before + i];
  if (length > longest) throw InputError(fmt::format("its header would have {} bytes", length));
  return before + width + length;
}

NpyHeader parse_npy_header(std::span<unsigned char const> header) {
  auto const bytes = npy_header_bytes(header.first(std::min(header.size(), npy_prefix)));
  require(bytes == header.size(), "parse_npy_header: not the whole header");
  return Dictionary(text_of(header.subspan(magic.size() + 2 + length_width(header)))).read();
}

}  // namespace kaon
