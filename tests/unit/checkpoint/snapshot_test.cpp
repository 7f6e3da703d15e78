#include "toy.hpp"

#include <kaon/checkpoint/snapshot.hpp>

#include <gtest/gtest.h>

namespace {

using namespace kaon::test;

struct Snapshots : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  std::vector<unsigned char> given(kaon::Field const& f) {
    std::vector<unsigned char> out(f.written.elements() * kaon::size_of(f.type));
    if (!out.empty()) f.get(out.data());
    return out;
  }
};

TEST_F(Snapshots, AreTheStateAsItWas) {
  Toy then(comm, 7, true), later(comm, 8, true);
  kaon::Snapshot copy;
  copy.take(then.registry());
  ASSERT_EQ(copy.registry().size(), then.registry().size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < copy.registry().size(); ++i) {
    auto const& f = copy.registry()[i];
    EXPECT_EQ(f.path, then.registry()[i].path);
    EXPECT_EQ(f.resize, then.registry()[i].resize) << f.path;
    EXPECT_EQ(f.of, then.registry()[i].of) << f.path;
    EXPECT_EQ(given(f), then.bytes(i, 7, f.written)) << f.path;
    bytes += given(f).size();
  }
  EXPECT_EQ(kaon::Snapshot::bytes_of(then.registry()), bytes);
  auto const& workers = copy.registry()[3];
  ASSERT_EQ(workers.path, "/workers/G/a");
  std::vector<unsigned char> third(3 * 4 * 4);
  workers.get_rows(2, 1, third.data());
  kaon::Part const part{{2, 0, 0}, {1, 3, 4}};
  if (comm.size() == 1) {
    EXPECT_EQ(third, then.bytes(3, 7, part)) << "one worker of the copy";
  }
  copy.take(later.registry());
  for (std::size_t i = 0; i < copy.registry().size(); ++i)
    EXPECT_EQ(given(copy.registry()[i]), later.bytes(i, 8, later.registry()[i].written));
}

TEST_F(Snapshots, DoNotFollowTheState) {
  Toy toy(comm, 7, true);
  std::vector<float> live(12, 1.5f);
  if (comm.rank() == 0) toy.field("/server/X/a").get = [&](void* out) { std::memcpy(out, live.data(), 48); };
  kaon::Snapshot copy;
  copy.take(toy.registry());
  live.assign(12, -3.0f);
  std::vector<float> got(12);
  copy.registry()[0].get(got.data());
  EXPECT_EQ(got, std::vector<float>(12, 1.5f));
}

TEST_F(Snapshots, GiveTheirMemoryBackAndTakeOtherShapes) {
  kaon::Snapshot copy;
  Toy large(comm, 3), small(comm, 3, true);
  copy.take(large.registry());
  copy.take(small.registry());
  for (std::size_t i = 0; i < copy.registry().size(); ++i)
    EXPECT_EQ(given(copy.registry()[i]), small.bytes(i, 3, small.registry()[i].written));
  copy.release();
  EXPECT_TRUE(copy.registry().empty());
}

}  // namespace
