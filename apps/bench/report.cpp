#include "report.hpp"

#include "peers.hpp"

#include <kaon/core/error.hpp>
#include <kaon/files/standard_output.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

namespace kaon::bench {
namespace {

std::string seconds(double s) {
  if (s < 1e-3) return fmt::format("{:.1f} us", s * 1e6);
  if (s < 1) return fmt::format("{:.2f} ms", s * 1e3);
  return fmt::format("{:.2f} s", s);
}

bool reaches(Asked const& asked, double figure, double bound) {
  return asked.sense == Asked::Sense::at_most ? figure <= bound : figure >= bound;
}

char const* verdict(Asked const& asked, double figure) {
  if (asked.required == 0) return "";
  if (asked.stretch != 0 && reaches(asked, figure, asked.stretch)) return "stretch";
  return reaches(asked, figure, asked.required) ? "met" : "MISSED";
}

double figure_of(Asked const& asked, double kernel, double floor) {
  return asked.sense == Asked::Sense::at_most ? kernel / floor : floor / kernel;
}

std::string bound_text(Asked const& asked) {
  if (asked.required == 0) return "-";
  char const* const sign = asked.sense == Asked::Sense::at_most ? "<=" : ">=";
  return asked.stretch == 0 ? fmt::format("{} {}", sign, asked.required)
                            : fmt::format("{} {} ({})", sign, asked.required, asked.stretch);
}

template <class... T>
void print(fmt::format_string<T...> form, T&&... values) {
  files::print(fmt::format(form, std::forward<T>(values)...));
}

constexpr std::string_view csv_header = "name,figure,unit,required,stretch,verdict,detail\n";

/// A file that a measurement may take the place of: none, or one of measurements.
void require_measurements(std::string const& path) {
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path))
    throw UsageError(path + " is no file: choose another name for --csv");
  if (files::identity(path) && files::read_all(path).compare(0, csv_header.size(), csv_header) != 0)
    throw UsageError(path + " exists and holds no figures of kaon-bench: it is not overwritten; choose another name for --csv");
}

}  // namespace

Report::Report(std::string const& csv, std::string const& python) : python_(python) {
  print("# backend {}, {} thread(s) or lanes; medians of {}\n", Exec::name(), Exec().concurrency(),
        by_cpu_time() ? "CPU time" : "time between fences");
  print("{:<34} {:>9} {:<6} {:>14} {:<8} {}\n", "figure", "measured", "", "asked", "", "what");
  if (csv.empty()) return;
  require_measurements(csv);
  csv_ = std::make_unique<files::Part>(csv);
  csv_->write(csv_header);
}

Report::~Report() {
  try {
    if (csv_ && rows_ > 0) csv_->commit();
  } catch (Error const& e) {
    std::fprintf(stderr, "kaon-bench: %s\n", e.what());
  }
}

void Report::row(std::string const& name, std::string const& what, double figure, std::string const& unit, Asked const& asked,
                 std::string const& detail) {
  char const* const v = verdict(asked, figure);
  print("{:<34} {:>9.4g} {:<6} {:>14} {:<8} {}{}\n", name, figure, unit, bound_text(asked), v, what,
        detail.empty() ? "" : "; " + detail);
  std::fflush(stdout);
  if (csv_) {
    csv_->write(fmt::format("{},{:.6g},{},{},{},{},\"{}\"\n", name, figure, unit, asked.required, asked.stretch, v, detail));
  }
  ++rows_;
  if (asked.required != 0) ++asked_;
  if (std::string(v) == "met" || std::string(v) == "stretch") ++met_;
  if (std::string(v) == "stretch") ++stretched_;
}

void Report::add(Race const& race, Times const& t) {
  std::string detail = fmt::format("{} against {}, {} repetitions", seconds(t.kernel), seconds(t.floor), t.repetitions);
  if (race.items > 0) detail += fmt::format(", {:.0f} M items/s", race.items / t.kernel * 1e-6);
  if (race.bytes > 0) detail += fmt::format(", floor {:.1f} GB/s", race.bytes / t.floor * 1e-9);
  row(race.name, race.kernel + " against " + race.floor, figure_of(race.asked, t.kernel, t.floor), "x", race.asked, detail);
  if (python_.empty() || race.peers.empty()) return;
  for (auto const& peer : time_peers(python_, race.peers))
    row(race.name + "/" + peer.name, race.kernel + " against " + peer.name + " " + peer.version,
        figure_of(race.peers_asked, t.kernel, peer.seconds), "x", race.peers_asked,
        fmt::format("{} against {}, peer's threads {}", seconds(t.kernel), seconds(peer.seconds), peer.threads));
}

void Report::add(Count const& count, double value) { row(count.name, count.what, value, count.unit, count.asked, ""); }

void Report::finish() {
  print("# {} figures; of {} with a bound {} met it, {} the stretch\n", rows_, asked_, met_, stretched_);
  if (auto const csv = std::move(csv_)) csv->commit();
}

}  // namespace kaon::bench
