// Collects what the tests measured and writes it as portability.md in the working folder when all have run.
#include "report.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

namespace kaon::test {
namespace {

struct Line {
  double error = 0, bound = 0;
  int count = 0;
};

std::map<std::string, Line>& lines() {
  static std::map<std::string, Line> all;
  return all;
}

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos) return line.substr(line.find(": ") + 2);
  return "unknown CPU";
}

class Writer final : public ::testing::Environment {
 public:
  void TearDown() override {
    std::ostringstream out;
    out << "Kokkos " << KOKKOS_VERSION / 10000 << '.' << KOKKOS_VERSION / 100 % 100 << '.' << KOKKOS_VERSION % 100 << "; CPU "
        << cpu_name() << "; GPU " << (gpu_name().empty() ? "none" : gpu_name())
        << ".\nErrors are relative to the largest entry of the fp64 reference unless said otherwise; the worst of the cases.\n\n"
        << "| backend | scalar | kernel | cases | error | bound |\n|---|---|---|---|---|---|\n";
    for (auto const& [name, line] : lines())
      out << name << " | " << line.count << " | " << line.error << " | " << line.bound << " |\n";
    std::ofstream file("portability.md");
    file << out.str();
    file.close();
    ASSERT_TRUE(file) << "portability.md could not be written";
    std::printf("%s", out.str().c_str());
  }
};

[[maybe_unused]] auto* const writer = ::testing::AddGlobalTestEnvironment(new Writer);

}  // namespace

void record(std::string const& backend, std::string const& scalar, std::string const& kernel, double error, double bound) {
  auto& line = lines()["| " + backend + " | " + scalar + " | " + kernel];
  // Where cases have bounds of their own, the one nearest to its bound stands in the report.
  double const share = bound > 0 ? error / bound : error, shown = line.bound > 0 ? line.error / line.bound : line.error;
  if (line.count == 0 || !(share <= shown)) {
    line.error = error;
    line.bound = bound;
  }
  ++line.count;
  EXPECT_LE(error, bound) << backend << ", " << scalar << ": " << kernel;
}

double relative_error(HostMatrix const& a, HostMatrix const& b) {
  if (a.rows != b.rows || a.cols != b.cols) return std::numeric_limits<double>::infinity();
  double top = 0, worst = 0;
  for (std::size_t i = 0; i < a.a.size(); ++i) {
    if (!std::isfinite(a.a[i]) || !std::isfinite(b.a[i])) return std::numeric_limits<double>::infinity();
    top = std::max(top, std::abs(b.a[i]));
    worst = std::max(worst, std::abs(a.a[i] - b.a[i]));
  }
  return worst == 0 ? 0 : worst / top;
}

}  // namespace kaon::test
