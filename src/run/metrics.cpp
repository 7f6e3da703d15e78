#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>
#include <kaon/run/metrics.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

namespace kaon {

namespace {

std::string header_of(std::vector<std::string> const& columns) {
  for (auto const& c : columns)
    require(c.find_first_of(",\"\r\n") == std::string::npos, "Metrics: a column's name needs quoting");
  return columns.empty() ? "step\n" : fmt::format("step,{}\n", fmt::join(columns, ","));
}

// The step of a row with `commas` commas; false when the line is no such row.
bool step_of(std::string_view line, std::size_t commas, std::int64_t& step) {
  if (static_cast<std::size_t>(std::count(line.begin(), line.end(), ',')) != commas) return false;
  auto const first = line.substr(0, std::min(line.find(','), line.size()));
  auto const [end, code] = std::from_chars(first.data(), first.data() + first.size(), step);
  return code == std::errc{} && end == first.data() + first.size() && !first.empty();
}

std::string keep_to(std::string const& path, std::string const& text, std::string const& header, std::size_t commas,
                    std::int64_t step) {
  if (header.compare(0, text.size(), text) == 0) return header;  // empty, or a header torn by a crash
  if (text.compare(0, header.size(), header) != 0)
    throw InputError(
        fmt::format("{}: its first line is '{}' but this run writes '{}'; move the file away and restart: it is begun anew", path,
                    text.substr(0, text.find('\n')), header.substr(0, header.size() - 1)));
  std::string out = header;
  std::size_t line_number = 2;
  for (std::size_t at = header.size(); at < text.size(); ++line_number) {
    auto const end = text.find('\n', at);
    if (end == std::string::npos) break;  // torn
    std::int64_t s = 0;
    if (!step_of(std::string_view(text).substr(at, end - at), commas, s))
      throw InputError(fmt::format("{}: line {} is '{}', no row of {} numbers; mend it or move the file away, and restart", path,
                                   line_number, text.substr(at, std::min<std::size_t>(end - at, 80)), commas + 1));
    if (s <= step) out.append(text, at, end + 1 - at);
    at = end + 1;
  }
  return out;
}

}  // namespace

Metrics::Metrics(std::string path, std::size_t columns) : path_(std::move(path)), columns_(columns) {
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (file_ < 0) files::fail("open", path_, errno);
}

Metrics::Metrics(Metrics&& other) noexcept
    : path_(std::move(other.path_)), columns_(other.columns_), file_(std::exchange(other.file_, -1)) {}

Metrics::~Metrics() {
  if (file_ >= 0) ::close(file_);
}

Metrics Metrics::create(std::string const& path, std::vector<std::string> const& columns) {
  auto const header = header_of(columns);
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && info.st_size > 0) {
    auto const text = files::read_all(path);
    auto const end = text.find('\n');
    if (end != std::string::npos && end + 1 < text.size())
      throw InputError(
          fmt::format("{}: holds an earlier run; continue it with -r, choose another run folder with -d, or move it away", path));
  }
  files::replace(path, header);
  return Metrics(path, columns.size());
}

Metrics Metrics::resume(std::string const& path, std::vector<std::string> const& columns, std::int64_t step) {
  truncate_to(path, columns, step);
  return Metrics(path, columns.size());
}

void Metrics::truncate_to(std::string const& path, std::vector<std::string> const& columns, std::int64_t step) {
  auto const header = header_of(columns);
  struct stat info = {};
  bool const there = ::stat(path.c_str(), &info) == 0;
  if (!there && errno != ENOENT) files::fail("look at", path, errno);
  auto const text = there ? files::read_all(path) : std::string();
  auto const kept = keep_to(path, text, header, columns.size(), step);
  if (kept != text) files::replace(path, kept);
}

void Metrics::row(std::int64_t step, std::vector<Value> const& values) {
  require(values.size() == columns_, "Metrics: a row with another number of values than columns");
  std::string line = fmt::format("{}", step);
  for (auto const& value : values) std::visit([&](auto v) { line += fmt::format(",{}", v); }, value);
  line += '\n';
  files::write_all(file_, line, path_);
}

void Metrics::sync() {
  if (::fsync(file_) != 0) files::fail("fsync", path_, errno);
}

}  // namespace kaon
