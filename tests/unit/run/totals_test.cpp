// What was counted comes back from a checkpoint's provenance, and from that of versions that counted less.
#include <kaon/run/records/totals.hpp>

#include <gtest/gtest.h>

namespace kaon::test {
namespace {

ByteCount const run{.up = 100, .down = 200, .received = 700, .wire_up = 30, .wire_down = 40, .wire_sum = 5, .wire_received = 71};
ByteCount const group{.up = 10, .down = 20, .received = 70, .wire_up = 3, .wire_down = 4, .wire_sum = 1, .wire_received = 6};

Totals taken_from(std::map<std::string, std::string> const& provenance) {
  Totals t;
  t.bytes = {.up = run.up, .down = run.down, .wire_sum = 12345};  // up and down are state: they are there already
  t.groups.resize(2);
  t.from_provenance(provenance);
  return t;
}

TEST(Totals, GoThroughProvenance) {
  Totals t;
  t.bytes = run;
  t.groups = {group, {}};
  std::map<std::string, std::string> provenance;
  t.to_provenance(provenance);
  auto const back = taken_from(provenance);
  EXPECT_EQ(back.bytes, run);
  EXPECT_EQ(back.groups, t.groups);
}

TEST(Totals, OfVersionsThatDidNotCountWhatIsReceivedItIsWhatIsSent) {
  auto const back = taken_from(
      {{"wire_bytes_up", "30"}, {"wire_bytes_down", "40"}, {"wire_bytes_sum", "5"}, {"group_bytes_0", "10 20 3 4 1 "}});
  EXPECT_EQ(
      back.bytes,
      (ByteCount{.up = 100, .down = 200, .received = 300, .wire_up = 30, .wire_down = 40, .wire_sum = 5, .wire_received = 75}));
  EXPECT_EQ(back.groups[0],
            (ByteCount{.up = 10, .down = 20, .received = 30, .wire_up = 3, .wire_down = 4, .wire_sum = 1, .wire_received = 8}));
  EXPECT_EQ(back.groups[1], ByteCount());
  EXPECT_EQ(taken_from({}).bytes, (ByteCount{.up = 100, .down = 200, .received = 300}));
}

}  // namespace
}  // namespace kaon::test
