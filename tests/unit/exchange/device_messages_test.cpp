#include <kaon/core/error.hpp>
#include <kaon/exchange/device_messages.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

DeviceClaim const yes{true, "MPI says so"}, no{false, "MPI says no"};

struct Asked {
  int tests = 0;
  DeviceTest result;
  MessageChoice decide(DeviceMessages wish, bool gpu, DeviceClaim const& claim) {
    return decide_message_memory(wish, gpu, claim, [this] { return ++tests, result; });
  }
};

TEST(DeviceMessages, AreUsedOnlyAfterAClaimAndAPassedTest) {
  Asked good{0, {true, "", 0.5}};
  auto const choice = good.decide(DeviceMessages::automatic, true, yes);
  EXPECT_EQ(choice.memory, MessageMemory::device);
  EXPECT_NE(choice.line.find("self-test passed, 0.50 s; MPI says so"), std::string::npos) << choice.line;
  EXPECT_EQ(good.tests, 1);

  Asked bad{0, {false, "3 wrong bytes", 0.5}};
  auto const staged = bad.decide(DeviceMessages::automatic, true, yes);
  EXPECT_EQ(staged.memory, MessageMemory::host);
  EXPECT_NE(staged.line.find("failed the self-test with device memory: 3 wrong bytes"), std::string::npos) << staged.line;
  EXPECT_EQ(bad.tests, 1);
}

TEST(DeviceMessages, AnMpiThatDoesNotClaimThemIsNeverTried) {
  Asked a{0, {true, "", 0}};
  EXPECT_EQ(a.decide(DeviceMessages::automatic, true, no).memory, MessageMemory::host);
  EXPECT_THROW(a.decide(DeviceMessages::always, true, no), UsageError);
  EXPECT_EQ(a.tests, 0);
}

TEST(DeviceMessages, AWishIsGrantedOrRefusedNeverPassedOver) {
  Asked good{0, {true, "", 0}}, bad{0, {false, "lost", 0}};
  EXPECT_EQ(good.decide(DeviceMessages::never, true, yes).memory, MessageMemory::host);
  EXPECT_EQ(good.tests, 0);
  EXPECT_EQ(good.decide(DeviceMessages::always, false, yes).memory, MessageMemory::device);
  EXPECT_EQ(good.decide(DeviceMessages::automatic, false, yes).memory, MessageMemory::host) << "nothing to gain without a GPU";
  EXPECT_EQ(good.tests, 1);
  try {
    bad.decide(DeviceMessages::always, true, yes);
    ADD_FAILURE() << "a failed test was passed over";
  } catch (UsageError const& e) {
    EXPECT_NE(std::string(e.what()).find("lost; cure:"), std::string::npos) << e.what();
  }
}

TEST(DeviceMessages, HaveNames) {
  EXPECT_EQ(device_messages_named("auto"), DeviceMessages::automatic);
  EXPECT_EQ(device_messages_named("no"), DeviceMessages::never);
  EXPECT_EQ(device_messages_named("yes"), DeviceMessages::always);
  EXPECT_THROW(device_messages_named("maybe"), UsageError);
}

}  // namespace
}  // namespace kaon
