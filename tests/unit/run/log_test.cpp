#include "scratch.hpp"

#include <kaon/run/records/log.hpp>

namespace kaon::test {
namespace {

TEST(Log, Prefixes) {
  Captured out;
  Log log(0, out.file());
  log.line("hello");
  log.warning("careful");
  EXPECT_EQ(out.text(), "kaon: hello\nkaon: warning: careful\n");
}

TEST(Log, EveryLineOfAText) {
  Captured out;
  Log log(0, out.file());
  log.line("one\ntwo\n");
  log.warning("a\n\nb");
  log.line("");
  EXPECT_EQ(out.text(), "kaon: one\nkaon: two\nkaon: warning: a\nkaon: warning: \nkaon: warning: b\nkaon: \n");
}

TEST(Log, WarningsAreSaidOnceAndKept) {
  Captured out;
  Log const log(0, out.file());
  for (auto const* text : {"one", "two", "one"}) log.warning(text);
  EXPECT_EQ(out.text(), "kaon: warning: one\nkaon: warning: two\n");
  EXPECT_EQ(log.warnings(), (std::vector<std::string>{"one", "two"}));
}

TEST(Log, OtherRanksAreSilent) {
  Captured out;
  Log log(1, out.file());
  log.line("hello");
  log.warning("hello");
  EXPECT_EQ(out.text(), "");
}

}  // namespace
}  // namespace kaon::test
