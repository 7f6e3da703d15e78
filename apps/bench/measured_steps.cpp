#include "measured_steps.hpp"

#include <kaon/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

namespace kaon::bench {

namespace {

std::vector<std::string> cells(std::string const& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) out.push_back(cell);
  return out;
}

}  // namespace

double measured_seconds(std::string const& path, int skip) {
  std::ifstream in(path);
  if (!in) throw IoError("cannot read " + path);
  std::string line;
  std::getline(in, line);
  auto const header = cells(line);
  auto const column = static_cast<std::size_t>(std::find(header.begin(), header.end(), "seconds") - header.begin());
  if (column == header.size()) throw InputError(path + " has no column 'seconds': it takes the metrics.csv of a run");
  std::vector<double> seconds;
  for (int row = 1; std::getline(in, line); ++row) {
    auto const values = cells(line);
    double value = 0;
    auto const* const text = column < values.size() ? values[column].c_str() : "";
    auto const* const end = text + (column < values.size() ? values[column].size() : 0);
    if (auto const parsed = std::from_chars(text, end, value); parsed.ec != std::errc() || parsed.ptr != end || text == end)
      throw InputError(path + ": row " + std::to_string(row) + " has no number of seconds");
    if (row > skip) seconds.push_back(value);
  }
  if (seconds.empty())
    throw InputError(path + " has no more than " + std::to_string(skip) +
                     " steps, which are left out; cure: --skip 0, or a longer run");
  auto const middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

}  // namespace kaon::bench
