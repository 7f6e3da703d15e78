#include <kaon/run/records/byte_columns.hpp>
#include <kaon/run/records/tables.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

namespace kaon {

namespace {

using Names = std::vector<std::string>;

/// The cells of an older row, by their columns' names.
class OlderRow {
 public:
  OlderRow(Names const& columns, std::vector<std::string_view> const& cells) : columns_(columns), cells_(cells) {}
  std::string_view text(std::string_view column) const {
    auto const it = std::find(columns_.begin(), columns_.end(), column);
    return it == columns_.end() ? std::string_view() : cells_[static_cast<std::size_t>(it - columns_.begin()) + 1];
  }
  /// 0 where there is no such column.
  std::uint64_t number(std::string_view column) const {
    auto const cell = text(column);
    std::uint64_t n = 0;
    std::from_chars(cell.data(), cell.data() + cell.size(), n);
    return n;
  }

 private:
  Names const& columns_;
  std::vector<std::string_view> const& cells_;
};

/// What stands in a column that the older row lacks.
using Fill = std::function<std::string(std::string const& column, OlderRow const& row)>;

/// Rows of `columns` but those in `lacking`, which are filled.
csv::Older without(Names const& columns, Names const& lacking, Fill fill) {
  auto const lacks = [lacking](std::string const& c) { return std::find(lacking.begin(), lacking.end(), c) != lacking.end(); };
  Names before = columns;
  std::erase_if(before, lacks);
  return {before, [columns, before, lacks, fill = std::move(fill)](std::vector<std::string_view> const& cells) {
            OlderRow const row(before, cells);
            std::string line(cells.front());
            for (auto const& c : columns) line.append(",").append(lacks(c) ? fill(c, row) : std::string(row.text(c)));
            return line.append("\n");
          }};
}

/// Without wire_sum nothing was sent that it would count.
std::string bytes_of(std::string const& column, OlderRow const& row) {
  ByteCount count;
  for (auto const& c : byte_columns) count.*c.of = row.number(c.name);
  count = received_as_sent(count);
  for (auto const& c : byte_columns)
    if (column == c.name) return std::to_string(count.*c.of);
  return {};
}

/// `number`: the column that says which of the names it is.
Fill named(char const* number, Names names) {
  return [number, names = std::move(names)](std::string const& column, OlderRow const& row) {
    if (column != "name") return bytes_of(column, row);
    auto const n = row.number(number);
    return n < names.size() ? csv::cell(names[n]) : std::string();
  };
}

Names with_bytes(Names columns, Names const& more = {}) {
  for (auto const& c : byte_columns) columns.push_back(c.name);
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

}  // namespace

std::vector<Table> run_tables(std::vector<Layer> const& layers, std::vector<std::string> const& of_methods,
                              std::vector<std::string> const& groups) {
  Names names, of_layers{"layer", "name"};
  of_layers.insert(of_layers.end(), of_methods.begin(), of_methods.end());
  for (auto const& l : layers) names.push_back(l.name);
  Names const of_steps = with_bytes({"loss", "multiplier"}, {"samples", "seconds"}), of_groups = with_bytes({"group", "name"});
  return {{"metrics.csv",
           of_steps,
           {without(of_steps, {"bytes_received", "wire_received"}, bytes_of),
            without(of_steps, {"bytes_received", "wire_sum", "wire_received"}, bytes_of)}},
          {"layers.csv", of_layers, {without(of_layers, {"name"}, named("layer", names))}},
          {"groups.csv",
           of_groups,
           {without(of_groups, {"bytes_received", "wire_received"}, bytes_of),
            without(of_groups, {"name", "bytes_received", "wire_received"}, named("group", groups))}},
          {"validation.csv", {"loss"}, {}}};
}

void append_bytes(std::vector<csv::Value>& row, ByteCount const& bytes) {
  for (auto const& c : byte_columns) row.emplace_back(static_cast<std::int64_t>(bytes.*c.of));
}

}  // namespace kaon
