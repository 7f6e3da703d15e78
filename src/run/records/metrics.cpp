#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>
#include <kaon/run/records/metrics.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace kaon {

namespace {

constexpr double seconds_between_looks = 1;

/// "" where there is no file.
std::string text_at(std::string const& path) { return files::identity(path) ? files::read_all(path) : std::string(); }

/// A name beside `path` that no file has.
std::string free_name(std::string const& path) {
  auto name = path + ".found";
  for (int n = 2; files::identity(name); ++n) name = fmt::format("{}.found.{}", path, n);
  return name;
}

void require_free(std::string const& path, std::string const& text) {
  if (csv::is_taken(text))
    throw InputError(
        fmt::format("{}: holds an earlier run; continue it with -r, choose another run folder with -d, or move it away", path));
}

}  // namespace

Metrics::Metrics(std::string path, std::vector<std::string> const& columns, Warn warn)
    : path_(std::move(path)), header_(csv::header(columns)), columns_(columns.size()), warn_(std::move(warn)) {
  open();
  newest_ = own_text();
  size_ = newest_.size();
  newest_.erase(0, header_.size());
  steps_ = csv::steps(newest_);
  remember("");
}

Metrics::Metrics(Metrics&& o) noexcept
    : path_(std::move(o.path_)),
      header_(std::move(o.header_)),
      columns_(o.columns_),
      warn_(std::move(o.warn_)),
      file_(std::exchange(o.file_, -1)),
      identity_(o.identity_),
      size_(o.size_),
      steps_(o.steps_),
      newest_(std::move(o.newest_)),
      steps_before_(o.steps_before_),
      looked_(o.looked_),
      told_(o.told_) {}

Metrics::~Metrics() {
  if (file_ < 0) return;
  try {
    look();
  } catch (std::exception const&) {  // the run ends with its own error, or has synced its rows already
  }
  ::close(file_);
}

Metrics Metrics::create(std::string const& path, std::vector<std::string> const& columns, Warn warn) {
  require_free(path, text_at(path));
  files::replace(path, csv::header(columns));
  return Metrics(path, columns, std::move(warn));
}

Metrics Metrics::resume(std::string const& path, std::vector<std::string> const& columns, std::int64_t step, Warn warn,
                        std::vector<csv::Older> const& older) {
  truncate_to(path, columns, step, older);
  return Metrics(path, columns, std::move(warn));
}

void Metrics::truncate_to(std::string const& path, std::vector<std::string> const& columns, std::int64_t step,
                          std::vector<csv::Older> const& older) {
  auto const text = text_at(path);
  auto const kept = csv::keep_to(path, text, columns, step, older);
  if (kept != text) files::replace(path, kept);
}

void Metrics::check(std::string const& path, std::vector<std::string> const& columns, bool begins,
                    std::vector<csv::Older> const& older) {
  auto const text = text_at(path);
  if (begins) {
    require_free(path, text);
  } else if (!text.empty()) {
    csv::keep_to(path, text, columns, 0, older);
  }
}

void Metrics::row(std::int64_t step, std::vector<Value> const& values) {
  require(values.size() == columns_, "Metrics: a row with another number of values than columns");
  auto const line = csv::row(step, values);
  if (steady_seconds() > looked_ + seconds_between_looks) look();
  remember(line);
  if (step != steps_.last || steps_.count == 0) steps_ = {steps_.count + 1, step};
  size_ += line.size();
  try {
    files::write_all(file_, line, path_);
  } catch (IoError const&) {
    struct stat s {};
    if (::fstat(file_, &s) == 0 || errno != ESTALE) throw;
    put_back();  // another host has put a file in its place
  }
}

void Metrics::sync() {
  look();
  if (::fsync(file_) != 0) files::fail("fsync", path_, errno);
}

void Metrics::open() {
  int const file = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (file < 0) files::fail("open", path_, errno);
  if (file_ >= 0) ::close(file_);
  file_ = file;
  identity_ = files::identity(file_, path_);
}

/// The file that is open, whatever its name is now; "" when it cannot be read any more.
std::string Metrics::own_text() const {
  std::string text(size_ + 4096, '\0');
  for (std::size_t at = 0;;) {
    if (at == text.size()) text.resize(2 * at);
    auto const n = ::pread(file_, text.data() + at, text.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {};
    if (n == 0) return text.resize(at), text;
    at += static_cast<std::size_t>(n);
  }
}

void Metrics::remember(std::string const& line) {
  newest_ += line;
  if (newest_.size() <= 2 * remembered) return;
  auto cut = newest_.find('\n', newest_.size() - remembered) + 1;
  auto const gone = csv::steps(std::string_view(newest_).substr(0, cut));
  auto const prefix = fmt::format("{},", gone.last);  // rows of one step stay together
  while (newest_.compare(cut, prefix.size(), prefix) == 0) cut = newest_.find('\n', cut) + 1;
  newest_.erase(0, cut);
  steps_before_ += gone.count;
}

void Metrics::look() {
  looked_ = steady_seconds();
  struct stat s {};
  if (::stat(path_.c_str(), &s) == 0) {
    if (files::Identity{s.st_dev, s.st_ino} == identity_ && static_cast<std::uint64_t>(s.st_size) == size_) return;
  } else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE) {
    return;
  }
  put_back();
}

void Metrics::put_back() {
  auto const found = text_at(path_), own = own_text();
  bool const intact = own.size() == size_ && own.compare(0, header_.size(), header_) == 0 && own.ends_with(newest_);
  if (intact && found == own) {
    identity_ = files::identity(file_, path_);
    if (files::identity(path_) == identity_) return;
  }
  csv::Mended mended = csv::mend(found, header_, newest_);
  if (intact) mended = {own, steps_before_, csv::has_more(found, own)};
  std::string kept_as;
  if (mended.foreign) files::replace(kept_as = free_name(path_), found);
  files::replace(path_, mended.text);
  open();
  size_ = mended.text.size();
  auto const lost = std::exchange(steps_before_, mended.steps) - mended.steps;
  if (!warn_ || (told_ && lost <= 0 && kept_as.empty())) return;
  told_ = true;
  auto text = fmt::format(
      "{} was {} by another program while the run writes it (an editor, a rotation, a copy that came back): it "
      "is written anew with {}",
      path_, found.empty() ? "removed or emptied" : "replaced or changed", lost > 0 ? "what is left" : "every row");
  if (lost > 0) text += fmt::format("; the rows of {} steps are lost", lost);
  if (!kept_as.empty()) text += "; what stood there is kept as " + kept_as;
  warn_(text);
}

}  // namespace kaon
