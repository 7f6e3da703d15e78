#include "report.hpp"

#include "peers.hpp"

#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

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

}  // namespace

Report::Report(std::string const& csv, std::string const& python) : path_(csv), python_(python) {
  fmt::print("# backend {}, {} thread(s) or lanes; medians of {}\n", Exec::name(), Exec().concurrency(),
             by_cpu_time() ? "CPU time" : "time between fences");
  fmt::print("{:<34} {:>9} {:<6} {:>14} {:<8} {}\n", "figure", "measured", "", "asked", "", "what");
  if (csv.empty()) return;
  csv_.reset(std::fopen(csv.c_str(), "w"));
  if (!csv_) throw IoError("cannot write " + csv + ": " + std::strerror(errno));
  fmt::print(csv_.get(), "name,figure,unit,required,stretch,verdict,detail\n");
}

void Report::row(std::string const& name, std::string const& what, double figure, std::string const& unit, Asked const& asked,
                 std::string const& detail) {
  char const* const v = verdict(asked, figure);
  fmt::print("{:<34} {:>9.4g} {:<6} {:>14} {:<8} {}{}\n", name, figure, unit, bound_text(asked), v, what,
             detail.empty() ? "" : "; " + detail);
  std::fflush(stdout);
  if (csv_) {
    fmt::print(csv_.get(), "{},{:.6g},{},{},{},{},\"{}\"\n", name, figure, unit, asked.required, asked.stretch, v, detail);
    std::fflush(csv_.get());
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
  fmt::print("# {} figures; of {} with a bound {} met it, {} the stretch\n", rows_, asked_, met_, stretched_);
  if (csv_ && (std::ferror(csv_.get()) != 0 || std::fflush(csv_.get()) != 0))
    throw IoError("cannot write " + path_ + ": " + std::strerror(errno));
}

}  // namespace kaon::bench
