#include "scratch.hpp"

#include <kaon/run/records/progress.hpp>

#include <algorithm>
#include <limits>

namespace kaon::test {
namespace {

long count(std::string const& text, char c) { return std::count(text.begin(), text.end(), c); }

TEST(Bytes, Units) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.00 kB");
  EXPECT_EQ(format_bytes(1234567), "1.23 MB");
  EXPECT_EQ(format_bytes(12345678), "12.3 MB");
  EXPECT_EQ(format_bytes(123456789), "123 MB");
  EXPECT_EQ(format_bytes(999999), "1.00 MB") << "never 1000 kB";
  EXPECT_EQ(format_bytes(9999999), "10.0 MB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::int64_t>::max()), "9.22 EB");
}

TEST(Progress, PlainLinesEveryNStepsAndAtTheEnd) {
  Captured out;
  Progress progress(25, 10, out.file());
  for (int s = 1; s <= 25; ++s) progress.step({s, 1.0 / s, 2.0, 1000 * s, 10 * s});
  progress.finish();
  EXPECT_EQ(out.text(),
            "kaon: step 10/25  loss 0.1  2 s/step  left 0:30  up 10.0 kB  down 100 B\n"
            "kaon: step 20/25  loss 0.05  2 s/step  left 0:10  up 20.0 kB  down 200 B\n"
            "kaon: step 25/25  loss 0.04  2 s/step  left 0:00  up 25.0 kB  down 250 B\n");
}

TEST(Progress, ZeroMeansNoPlainLines) {
  Captured out;
  Progress progress(3, 0, out.file());
  for (int s = 1; s <= 3; ++s) progress.step({s, 1, 1, 0, 0});
  EXPECT_EQ(out.text(), "");
}

TEST(Progress, AnAverageOfTheRecentSteps) {
  Captured out;
  Progress progress(1000, 100, out.file());
  progress.step({1, 1, 50, 0, 0});
  for (int s = 2; s <= 100; ++s) progress.step({s, 1, 1, 0, 0});
  expect_parts(out.text(), {"  1 s/step", "left 15:0"});
}

TEST(Progress, OneSelfRewritingLineOnATerminal) {
  Captured out;
  Progress progress(100, 10, out.file(), Progress::Style::terminal);
  for (int s = 1; s <= 100; ++s) progress.step({s, 1, 1, 0, 0});
  EXPECT_EQ(count(out.text(), '\n'), 0);
  EXPECT_EQ(count(out.text(), '\r'), 100);
  progress.finish();
  progress.finish();
  EXPECT_EQ(count(out.text(), '\n'), 1);
  expect_parts(out.text(), {"\r\033[Kstep 100/100"});
}

TEST(Progress, ATerminalIsNotFloodedByQuickSteps) {
  Captured out;
  Progress progress(10000, 1, out.file(), Progress::Style::terminal);
  for (int s = 1; s <= 10000; ++s) progress.step({s, 1, 0.0001, 0, 0});
  auto const lines = count(out.text(), '\r');
  EXPECT_GE(lines, 9);
  EXPECT_LE(lines, 13) << "1 s of steps";
  expect_parts(out.text(), {"step 1/10000", "step 10000/10000"});
}

TEST(Progress, FinishWithoutALineIsSilent) {
  Captured out;
  Progress(5, 1, out.file(), Progress::Style::terminal).finish();
  EXPECT_EQ(out.text(), "");
}

}  // namespace
}  // namespace kaon::test
