#include <kaon/core/error.hpp>
#include <kaon/deck/slips.hpp>
#include <kaon/deck/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/parsers.hpp>
#include <charconv>
#include <cmath>

namespace kaon {

namespace {

template <class Number>
bool parse(std::string_view text, Number& out) {
  if (!text.empty() && text[0] == '+' && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  return code == std::errc{} && end == text.data() + text.size();
}

void refuse(Key const& key) { throw UsageError("must be " + allowed(key)); }

void check_range(Key const& key, double v) {
  if (!std::isfinite(v) || v < key.low || v > key.high || (key.low_open && v == key.low) || (key.high_open && v == key.high))
    refuse(key);
}

std::string canonical_list(std::string_view raw) {
  if (std::count(raw.begin(), raw.end(), '"') % 2 != 0) throw UsageError("has a double quote that is not closed");
  std::string out;
  for (auto const& element : as_list(raw)) {
    if (!out.empty()) out += ", ";
    out += element.find_first_of(", \t") == std::string::npos ? element : '"' + element + '"';
  }
  return out;
}

std::string canonical_value(Key const& key, std::string_view raw) {
  switch (key.type) {
    case KeyType::integer: {
      std::int64_t v = 0;
      if (!parse(raw, v)) refuse(key);
      check_range(key, static_cast<double>(v));
      return fmt::format("{}", v);
    }
    case KeyType::real: {
      double v = 0;
      if (!parse(raw, v)) refuse(key);
      check_range(key, v);
      return number_text(v);
    }
    case KeyType::boolean:
      for (auto const* word : {"yes", "true", "on", "1"})
        if (raw == word) return "yes";
      for (auto const* word : {"no", "false", "off", "0"})
        if (raw == word) return "no";
      refuse(key);
      break;
    case KeyType::choice:
      if (std::find(key.choices.begin(), key.choices.end(), raw) == key.choices.end()) refuse(key);
      break;
    case KeyType::list:
      return canonical_list(raw);
    case KeyType::text:
      break;
  }
  return std::string(raw);
}

}  // namespace

std::string canonical(Key const& key, std::string_view raw, Spelling spelling) {
  raw = trimmed(raw);
  if (raw.find_first_of("#\n") != std::string_view::npos)
    throw UsageError("holds a '#' or a line break, which a deck cannot hold");
  bool const written = spelling == Spelling::written;
  if (written) {
    if (key.type != KeyType::list) raw = unquoted(raw);
    refuse_slips(key, key.type == KeyType::list ? as_list(raw) : as_words(raw));
  }
  std::string out = raw.empty() ? std::string() : canonical_value(key, raw);
  bool const may_lack = key.required && !key.used_by.empty();  // where it does not count
  if (out.empty() && !may_lack && (key.required || !key.fallback.empty()))
    throw UsageError("is empty; it must be " + allowed(key));
  return out;
}

std::int64_t as_integer(std::string_view text) {
  std::int64_t v = 0;
  require(parse(text, v), "not the canonical text of an integer");
  return v;
}

double as_real(std::string_view text) {
  double v = 0;
  require(parse(text, v), "not the canonical text of a number");
  return v;
}

std::vector<std::string> as_list(std::string_view text) {
  return boost::program_options::split_unix(std::string(text), ", \t", "\"", "");
}

std::string number_text(double value) { return fmt::format("{}", value); }

}  // namespace kaon
