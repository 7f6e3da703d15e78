#ifndef KAON_RUN_RECORDS_CSV_TEXT_HPP
#define KAON_RUN_RECORDS_CSV_TEXT_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The text of the run's CSV files: a header "step,…" and rows whose steps never fall.
namespace kaon::csv {

/// A number is written in the shortest form that parses back to the same bits; a name as UTF-8, in quotes where it needs them.
using Value = std::variant<std::int64_t, double, std::string>;

std::string cell(Value const& value);
/// With its line end. Throws std::invalid_argument for a name that would need quotes.
std::string header(std::vector<std::string> const& columns);
std::string row(std::int64_t step, std::vector<Value> const& values);

/// The cells of a line, as they are written; commas inside quotes cut none.
std::vector<std::string_view> cells(std::string_view line);

/// Columns after "step" that an earlier version wrote, and what turns the cells of such a row into a row of now, with line end.
struct Older {
  std::vector<std::string> columns;
  std::function<std::string(std::vector<std::string_view> const& cells)> row;
};

/// Rows of a file of `columns` up to `step`, header included: what a run that goes on after `step` finds. A torn last line goes,
/// and so do the marks of an editor (a byte order mark, carriage returns); rows of an older version are turned into rows of now.
/// Throws InputError naming `path`, the line and the cure when the header is another one or a line is no row.
std::string keep_to(std::string const& path, std::string text, std::vector<std::string> const& columns, std::int64_t step,
                    std::vector<Older> const& older = {});

/// True when `text` has rows, or is no beginning of a file of the run's.
bool is_taken(std::string const& text);

/// Number of different steps, and the last of them (0: none), in rows without their header.
struct Steps {
  std::int64_t count = 0, last = 0;
};
Steps steps(std::string_view rows);

/// What a run wrote, put together from what stands in the file now and from the newest rows that it remembers.
struct Mended {
  std::string text;        ///< header, rows of `found` older than those of `newest`, rows of `newest`
  std::int64_t steps = 0;  ///< different steps of the rows taken from `found`
  bool foreign = false;    ///< `found` holds lines that the text lacks
};
Mended mend(std::string const& found, std::string const& header, std::string const& newest);
/// True when `found` holds a line that `text` lacks; of a torn last line the beginning counts.
bool has_more(std::string const& found, std::string const& text);

}  // namespace kaon::csv

#endif
