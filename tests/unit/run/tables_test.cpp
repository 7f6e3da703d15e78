// Rows that earlier versions wrote become rows of now.
#include <kaon/run/records/tables.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace kaon::test {
namespace {

Table table(std::string const& name) {
  auto const all = run_tables({{"fc", 3, 4}, {"head", 2, 3}}, {"gradient_norm"}, {"a,b", "rest"});
  return *std::find_if(all.begin(), all.end(), [&](auto const& t) { return t.name == name; });
}

std::string kept(std::string const& name, std::string const& text) {
  auto const t = table(name);
  return csv::keep_to(name, text, t.columns, 2, t.older);
}

std::string const metrics =
    "step,loss,multiplier,bytes_up,bytes_down,bytes_received,wire_up,wire_down,wire_sum,wire_received,samples,seconds\n";
std::string const groups = "step,group,name,bytes_up,bytes_down,bytes_received,wire_up,wire_down,wire_sum,wire_received\n";

TEST(Tables, MetricsOfBeforeWhatIsReceivedWasCounted) {
  EXPECT_EQ(kept("metrics.csv",
                 "step,loss,multiplier,bytes_up,bytes_down,wire_up,wire_down,wire_sum,samples,seconds\n"
                 "1,0.5,1,100,200,30,40,5,64,0.25\n"),
            metrics + "1,0.5,1,100,200,300,30,40,5,75,64,0.25\n");
}

TEST(Tables, MetricsOfBeforePartialSumsWereCounted) {
  EXPECT_EQ(kept("metrics.csv",
                 "step,loss,multiplier,bytes_up,bytes_down,wire_up,wire_down,samples,seconds\n"
                 "1,0.5,1,100,200,30,40,64,0.25\n"),
            metrics + "1,0.5,1,100,200,300,30,40,0,70,64,0.25\n");
}

TEST(Tables, GroupsWithAndWithoutTheirNames) {
  EXPECT_EQ(kept("groups.csv", "step,group,name,bytes_up,bytes_down,wire_up,wire_down,wire_sum\n1,0,\"a,b\",10,20,3,4,1\n"),
            groups + "1,0,\"a,b\",10,20,30,3,4,1,8\n");
  EXPECT_EQ(kept("groups.csv", "step,group,bytes_up,bytes_down,wire_up,wire_down,wire_sum\n1,0,10,20,3,4,1\n1,7,1,1,1,1,1\n"),
            groups + "1,0,\"a,b\",10,20,30,3,4,1,8\n1,7,,1,1,2,1,1,1,3\n");
}

TEST(Tables, LayersWithoutTheirNames) {
  EXPECT_EQ(kept("layers.csv", "step,layer,gradient_norm\n1,1,0.125\n"), "step,layer,name,gradient_norm\n1,1,head,0.125\n");
}

TEST(Tables, RowsOfNowStay) {
  auto const text = metrics + "1,0.5,1,100,200,900,30,40,5,1,64,0.25\n";
  EXPECT_EQ(kept("metrics.csv", text), text);
  std::vector<csv::Value> row;
  append_bytes(row, {.up = 1, .down = 2, .received = 3, .wire_up = 4, .wire_down = 5, .wire_sum = 6, .wire_received = 7});
  EXPECT_EQ(csv::row(9, row), "9,1,2,3,4,5,6,7\n") << "in the order of the columns";
}

}  // namespace
}  // namespace kaon::test
