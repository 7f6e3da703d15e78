#include <kaon/core/error.hpp>
#include <kaon/files/utf8.hpp>
#include <kaon/run/records/csv_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kaon::csv {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// The step of a row with `columns` cells after it; false when the line is no such row.
bool step_of(std::string_view line, std::size_t columns, std::int64_t& step) {
  auto const all = cells(line);
  if (all.size() != columns + 1) return false;
  auto const first = all.front();
  auto const [end, code] = std::from_chars(first.data(), first.data() + first.size(), step);
  return code == std::errc{} && end == first.data() + first.size() && !first.empty();
}

/// The step that a line begins with; -1 for none.
std::int64_t leading_step(std::string_view line) {
  std::int64_t step = -1;
  auto const [end, code] = std::from_chars(line.data(), line.data() + line.size(), step);
  bool const ends = end == line.data() + line.size() || *end == ',';
  return code == std::errc{} && ends ? step : -1;
}

/// Calls f(line without its end) for every line that has one; returns what is left, a torn line.
template <class F>
std::string_view each_line(std::string_view text, F const& f) {
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    f(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return text;
}

void remove_marks(std::string& text) {
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  if (text.find('\r') == std::string::npos) return;
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (text.compare(at, 2, "\r\n") != 0) out += text[at];
  text.swap(out);
}

}  // namespace

std::string cell(Value const& value) {
  if (auto const* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (auto const* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  auto text = files::utf8(std::get<std::string>(value));
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char const c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted += '"';
}

std::string header(std::vector<std::string> const& columns) {
  for (auto const& c : columns)
    require(c.find_first_of(",\"\r\n") == std::string::npos, "Metrics: a column's name needs quoting");
  return columns.empty() ? "step\n" : fmt::format("step,{}\n", fmt::join(columns, ","));
}

std::string row(std::int64_t step, std::vector<Value> const& values) {
  auto line = fmt::format("{}", step);
  for (auto const& value : values) line.append(",").append(cell(value));
  return line.append("\n");
}

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> all;
  bool quoted = false;
  std::size_t from = 0;
  for (std::size_t at = 0; at <= line.size(); ++at) {
    if (at < line.size() && line[at] == '"') quoted = !quoted;
    if (at < line.size() && (quoted || line[at] != ',')) continue;
    all.push_back(line.substr(from, at - from));
    from = at + 1;
  }
  return all;
}

std::string keep_to(std::string const& path, std::string text, std::vector<std::string> const& columns, std::int64_t step,
                    std::vector<Older> const& older) {
  remove_marks(text);
  auto const now = header(columns);
  if (now.compare(0, text.size(), text) == 0) return now;  // empty, or a header torn by a crash
  auto const before =
      std::find_if(older.begin(), older.end(), [&](auto const& o) { return text.starts_with(header(o.columns)); });
  bool const is_older = before != older.end() && !text.starts_with(now);
  auto const first = is_older ? header(before->columns) : now;
  if (!text.starts_with(first))
    throw InputError(
        fmt::format("{}: its first line is '{}' but this run writes '{}'; move the file away and restart: it is begun anew", path,
                    text.substr(0, text.find('\n')), now.substr(0, now.size() - 1)));
  auto const width = is_older ? before->columns.size() : columns.size();
  std::string out = now;
  std::size_t number = 1;
  each_line(std::string_view(text).substr(first.size()), [&](std::string_view line) {
    ++number;
    std::int64_t s = 0;
    if (!step_of(line, width, s))
      throw InputError(fmt::format("{}: line {} is '{}', no row of {} cells; mend it or move the file away, and restart", path,
                                   number, line.substr(0, 80), width + 1));
    if (s > step) return;
    if (is_older)
      out += before->row(cells(line));
    else
      out.append(line).append("\n");
  });
  return out;
}

bool is_taken(std::string const& text) {
  auto const end = text.find('\n');
  if (end != std::string::npos && end + 1 < text.size()) return true;
  auto const line = text.substr(0, end);
  constexpr std::string_view first = "step,";
  return std::string_view(line).substr(0, first.size()) != first.substr(0, std::min(line.size(), first.size()));
}

Steps steps(std::string_view rows) {
  Steps found;
  each_line(rows, [&](std::string_view line) {
    auto const step = leading_step(line);
    if (step < 0 || (found.count > 0 && step == found.last)) return;
    ++found.count;
    found.last = step;
  });
  return found;
}

bool has_more(std::string const& found, std::string const& text) {
  if (text.starts_with(found)) return false;
  std::string_view rest = text;
  bool more = false;
  auto const torn = each_line(found, [&](std::string_view line) {
    while (!more) {  // the lines of a file come in the same order in both
      auto const end = rest.find('\n');
      more = end == std::string_view::npos;
      if (more) return;
      bool const same = rest.substr(0, end) == line;
      rest.remove_prefix(end + 1);
      if (same) return;
    }
  });
  return more || !(torn.empty() || rest.starts_with(torn) || rest.find(std::string("\n").append(torn)) != std::string_view::npos);
}

Mended mend(std::string const& found, std::string const& header, std::string const& newest) {
  auto const from = newest.empty() ? std::int64_t{-1} : leading_step(newest);
  Mended m;
  m.text = header;
  if (found.starts_with(header))
    each_line(std::string_view(found).substr(header.size()), [&](std::string_view line) {
      auto const step = leading_step(line);
      if (step >= 0 && (from < 0 || step < from)) m.text.append(line).append("\n");
    });
  m.steps = steps(std::string_view(m.text).substr(header.size())).count;
  m.text += newest;
  m.foreign = has_more(found, m.text);
  return m;
}

}  // namespace kaon::csv
