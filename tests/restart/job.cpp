#include "job.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace kaon::test {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> split(std::string const& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

}  // namespace

std::string Job::folder(std::string const& name) const {
  auto const path = s_ / name;
  if (!fs::exists(path)) {
    fs::create_directory(path);
    for (char const* file : {"gpt.deck", "text.txt"}) fs::create_symlink(s_ / file, path + "/" + file);
  }
  return path;
}

Words Job::words(int ranks, Words const& more) const {
  Words arguments{"-i", "gpt.deck"};
  bool const steps = std::any_of(more.begin(), more.end(), [](auto const& w) { return w.rfind("run.steps=", 0) == 0; });
  if (!steps) arguments.push_back("run.steps=" + std::to_string(all_steps));
  arguments.insert(arguments.end(), settings_.begin(), settings_.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return train_words(ranks, arguments);
}

Outcome Job::train(std::string const& name, int ranks, Words const& more) const { return run(words(ranks, more), folder(name)); }

std::unique_ptr<Process> Job::start(std::string const& name, int ranks, int steps, Words const& more) const {
  auto job = std::make_unique<Process>(words(ranks, more), folder(name));
  wait_until([&] { return steps_done(name) >= steps || !job->running(); });
  return job;
}

int Job::steps_done(std::string const& name) const {
  auto const text = s_.read(name + "/run/metrics.csv");
  return std::max(0, static_cast<int>(std::count(text.begin(), text.end(), '\n')) - 1);
}

std::string Job::final_file(std::string const& name) const {
  auto const number = std::to_string(all_steps);
  return name + "/run/checkpoints/step-" + std::string(8 - number.size(), '0') + number + ".h5";
}

std::vector<std::string> steady_rows(std::string const& metrics) {
  std::vector<std::string> rows;
  auto const lines = split(metrics, '\n');
  auto const header = lines.empty() ? Words() : split(lines[0], ',');
  for (auto const& line : lines) {
    std::string row;
    auto const cells = split(line, ',');
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (i < header.size() && header[i].rfind("wire", 0) != 0 && header[i] != "seconds") row += cells[i] + ",";
    rows.push_back(row);
  }
  return rows;
}

::testing::AssertionResult same_run(Job const& job, std::string const& a, std::string const& b) {
  auto const diff = job.scratch().ckpt({"diff", job.final_file(a), job.final_file(b)});
  if (auto const same = ended(diff, 0, {"the states are the same, bit for bit"}); !same) return same;
  auto const x = steady_rows(job.scratch().read(a + "/run/metrics.csv"));
  auto const y = steady_rows(job.scratch().read(b + "/run/metrics.csv"));
  if (x.size() != all_steps + 1) return ::testing::AssertionFailure() << a << ": " << x.size() << " lines in metrics.csv";
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    if (i >= x.size() || i >= y.size())
      return ::testing::AssertionFailure() << "metrics.csv has " << x.size() << " and " << y.size() << " lines";
    if (i > 0 && x[i].rfind(std::to_string(i) + ",", 0) != 0)
      return ::testing::AssertionFailure() << a << ": line " << i << " of metrics.csv is " << x[i];
    if (x[i] != y[i]) return ::testing::AssertionFailure() << "line " << i << " of metrics.csv: " << x[i] << " and " << y[i];
  }
  return ::testing::AssertionSuccess();
}

}  // namespace kaon::test
