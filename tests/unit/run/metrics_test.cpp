#include <kaon/support/traps.hpp>
#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/records/metrics.hpp>

#include <bit>
#include <cmath>
#include <random>

namespace kaon::test {
namespace {

std::vector<std::string> const columns{"loss", "bytes"};
std::string const header = "step,loss,bytes\n";

TEST(Metrics, HeaderThenRowsAtOnce) {
  Scratch folder;
  auto metrics = Metrics::create(folder / "metrics.csv", columns);
  EXPECT_EQ(read(folder / "metrics.csv"), header);
  metrics.row(1, {0.5, std::int64_t{7}});
  EXPECT_EQ(read(folder / "metrics.csv"), header + "1,0.5,7\n") << "in the file before the object dies";
  metrics.row(2, {std::nan(""), std::int64_t{-1}});
  EXPECT_EQ(read(folder / "metrics.csv"), header + "1,0.5,7\n2,nan,-1\n");
  EXPECT_THROW(metrics.row(3, {0.5}), std::invalid_argument);
  EXPECT_THROW(Metrics::create(folder / "x.csv", {"a,b"}), std::invalid_argument);
}

TEST(Metrics, NumbersRoundTrip) {
  kaon::test::Untrapped const untrapped;
  Scratch folder;
  constexpr unsigned seed = 77;
  std::mt19937_64 random(seed);
  std::vector<double> values;
  auto metrics = Metrics::create(folder / "m.csv", {"x"});
  while (values.size() < 500) {
    double const v = std::bit_cast<double>(random());
    if (!std::isfinite(v)) continue;
    values.push_back(v);
    metrics.row(static_cast<std::int64_t>(values.size()), {v});
  }
  std::istringstream lines(read(folder / "m.csv"));
  std::string line;
  std::getline(lines, line);
  for (double v : values) {
    std::getline(lines, line);
    double const back = std::strtod(line.substr(line.find(',') + 1).c_str(), nullptr);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(v)) << "seed " << seed << ": " << line;
  }
}

TEST(Metrics, CreateRefusesAnEarlierRun) {
  Scratch folder;
  auto const path = folder / "m.csv";
  write(path, header + "1,2,3\n");
  expect_parts(message_of<InputError>([&] { Metrics::create(path, columns); }), {path, "-r", "-d"});
  EXPECT_EQ(read(path), header + "1,2,3\n") << "and leaves it alone";
  write(path, header);
  Metrics::create(path, columns);
  write(path, "");
  Metrics::create(path, columns);
  EXPECT_EQ(read(path), header);
}

TEST(Metrics, ResumeDropsLaterSteps) {
  Scratch folder;
  auto const path = folder / "m.csv";
  write(path, header + "1,0.1,1\n2,0.2,2\n3,0.3,3\n10,1,1\n");
  auto metrics = Metrics::resume(path, columns, 2);
  EXPECT_EQ(read(path), header + "1,0.1,1\n2,0.2,2\n");
  metrics.row(3, {0.5, std::int64_t{5}});
  EXPECT_EQ(read(path), header + "1,0.1,1\n2,0.2,2\n3,0.5,5\n") << "no step twice";
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST(Metrics, ResumeIsIdempotentAndGoesToZero) {
  Scratch folder;
  auto const path = folder / "m.csv";
  write(path, header + "1,0.1,1\n2,0.2,2\n");
  for (int i = 0; i < 2; ++i) {
    Metrics::truncate_to(path, columns, 1);
    EXPECT_EQ(read(path), header + "1,0.1,1\n");
  }
  Metrics::truncate_to(path, columns, 0);
  EXPECT_EQ(read(path), header);
}

TEST(Metrics, TornAnywhereAfterAKill) {
  Scratch folder;
  auto const path = folder / "m.csv";
  std::string const whole = header + "1,0.1,1\n2,0.2,2\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write(path, whole.substr(0, size));
    Metrics::truncate_to(path, columns, 2);
    auto const end = whole.rfind('\n', size == 0 ? 0 : size - 1);
    auto const expected = size < header.size() || end == std::string::npos ? header : whole.substr(0, end + 1);
    ASSERT_EQ(read(path), expected) << "after " << size << " bytes";
  }
}

TEST(Metrics, AMissingFileIsBegunAnew) {
  Scratch folder;
  Metrics::resume(folder / "m.csv", columns, 5).row(6, {1.0, std::int64_t{0}});
  EXPECT_EQ(read(folder / "m.csv"), header + "6,1,0\n");
}

TEST(Metrics, AnotherHeaderIsRefused) {
  Scratch folder;
  auto const path = folder / "m.csv";
  for (std::string const other : {"step,loss\n1,2\n", "step,loss,bytes,more\n", "step,loss,bytez\n1,2,3\n", "\n"}) {
    write(path, other);
    expect_parts(message_of<InputError>([&] { Metrics::resume(path, columns, 1); }),
                 {path, "'step,loss,bytes'", "move the file away"});
    EXPECT_EQ(read(path), other) << "untouched";
  }
}

TEST(Metrics, ALineThatIsNoRowIsRefused) {
  Scratch folder;
  auto const path = folder / "m.csv";
  for (std::string const bad : {"words", "1,2", "1,2,3,4", "x,2,3", "", "1.5,2,3", ",2,3"}) {
    write(path, header + "1,2,3\n" + bad + "\n2,3,4\n");
    expect_parts(message_of<InputError>([&] { Metrics::truncate_to(path, columns, 9); }), {path, "line 3", "'" + bad + "'"});
  }
}

TEST(Metrics, FailuresOfTheFileSystem) {
  Scratch folder;
  expect_parts(message_of<IoError>([&] { Metrics::create(folder / "none/m.csv", columns); }),
               {folder / "none/m.csv", "No such file"});
  std::filesystem::create_directory(folder / "d");
  EXPECT_THROW(Metrics::resume(folder / "d", columns, 1), IoError);
}

TEST(Metrics, AMovedWriterGoesOnWriting) {
  Scratch folder;
  auto first = Metrics::create(folder / "m.csv", columns);
  auto second = std::move(first);
  second.row(1, {1.0, std::int64_t{1}});
  EXPECT_EQ(read(second.path()), header + "1,1,1\n");
}

TEST(Metrics, WithoutColumns) {
  Scratch folder;
  Metrics::create(folder / "m.csv", {}).row(1, {});
  Metrics::resume(folder / "m.csv", {}, 1).row(2, {});
  EXPECT_EQ(read(folder / "m.csv"), "step\n1\n2\n");
}

}  // namespace
}  // namespace kaon::test
