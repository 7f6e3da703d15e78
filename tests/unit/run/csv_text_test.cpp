#include "scratch.hpp"

#include <kaon/core/error.hpp>
#include <kaon/run/records/csv_text.hpp>

namespace kaon::test {
namespace {

TEST(Csv, NamesInCells) {
  EXPECT_EQ(csv::row(3, {std::string("plain"), 0.5}), "3,plain,0.5\n");
  EXPECT_EQ(csv::row(3, {std::string("a,b"), std::string("say \"no\"")}), "3,\"a,b\",\"say \"\"no\"\"\"\n");
  EXPECT_EQ(csv::row(3, {std::string("t\xfc")}), "3,t\xc3\xbc\n") << "Latin-1 becomes UTF-8";
  using Cells = std::vector<std::string_view>;
  EXPECT_EQ(csv::cells("3,\"a,b\",\"say \"\"no, no\"\"\",x"), (Cells{"3", "\"a,b\"", "\"say \"\"no, no\"\"\"", "x"}));
  EXPECT_EQ(csv::cells("3,,"), (Cells{"3", "", ""}));
}

TEST(Csv, KeepToCountsCellsNotCommas) {
  std::string const text = "step,name,x\n1,\"a,b\",2\n2,\"a,b\",3\n";
  EXPECT_EQ(csv::keep_to("m.csv", text, {"name", "x"}, 1), "step,name,x\n1,\"a,b\",2\n");
}

TEST(Csv, AnEditorsMarksGo) {
  EXPECT_EQ(csv::keep_to("m.csv", "\xef\xbb\xbfstep,x\r\n1,2\r\n2,3\r\n", {"x"}, 9), "step,x\n1,2\n2,3\n");
}

TEST(Csv, RowsOfAnOlderVersion) {
  std::vector<csv::Older> const older{
      {{"x"}, [](std::vector<std::string_view> const& c) { return std::string(c[0]) + ",new," + std::string(c[1]) + "\n"; }}};
  auto const keep = [&](std::string const& text) { return csv::keep_to("m.csv", text, {"name", "x"}, 2, older); };
  EXPECT_EQ(keep("step,x\n1,5\n2,6\n3,7\n"), "step,name,x\n1,new,5\n2,new,6\n");
  EXPECT_EQ(keep("step,x\n"), "step,name,x\n");
  EXPECT_EQ(keep("step,name,x\n1,a,5\n"), "step,name,x\n1,a,5\n") << "a file of now is none of before";
  expect_parts(message_of<InputError>([&] { keep("step,x\n1,2,3\n"); }), {"line 2", "2 cells"});
  expect_parts(message_of<InputError>([&] { keep("step,z\n1,2\n"); }), {"'step,z'"});
}

TEST(Csv, WhatIsTaken) {
  for (std::string const text : {"", "st", "step,lo", "step,loss\n"}) EXPECT_FALSE(csv::is_taken(text)) << text;
  for (std::string const text : {"step,loss\n1,2\n", "step,loss\n1", "notes", "notes\n", "\n\n"})
    EXPECT_TRUE(csv::is_taken(text)) << text;
}

TEST(Csv, Steps) {
  EXPECT_EQ(csv::steps("").count, 0);
  EXPECT_EQ(csv::steps("2,a\n2,b\n5,a\n7").count, 2);
  EXPECT_EQ(csv::steps("2,a\n2,b\n5,a\n7").last, 5);
}

TEST(Csv, WhatAFileHasThatAnotherLacks) {
  std::string const all = "step,x\n1,a\n1,b\n2,a\n";
  for (std::string const part : {"", "step,x\n", "step,x\n1,a\n1,b\n2", "step,x\n2,a\n", "step,x\n1,b\n2,"})
    EXPECT_FALSE(csv::has_more(part, all)) << part;
  for (std::string const other : {"x\n", "x", "step,x\n1,c\n", "step,x\n2,a\n1,a\n", "step,x\n1,a\n1,a\n", "step,x\n2,a\n3,a\n"})
    EXPECT_TRUE(csv::has_more(other, all)) << other;
}

TEST(Csv, MendPutsTheNewestRowsBehindTheOlderOnes) {
  auto const m = csv::mend("step,x\n1,a\n2,a\n3,other\n", "step,x\n", "3,a\n3,b\n4,a\n");
  EXPECT_EQ(m.text, "step,x\n1,a\n2,a\n3,a\n3,b\n4,a\n");
  EXPECT_EQ(m.steps, 2);
  EXPECT_TRUE(m.foreign);
  EXPECT_EQ(csv::mend("quite another file\n", "step,x\n", "3,a\n").text, "step,x\n3,a\n");
  EXPECT_FALSE(csv::mend("step,x\n1,a\n3", "step,x\n", "3,a\n").foreign);
}

}  // namespace
}  // namespace kaon::test
