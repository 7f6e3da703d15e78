// The exchange delivers what was posted, counts it to the byte, and refuses what was not meant for it.
#include <kaon/core/error.hpp>
#include <kaon/exchange/exchange.hpp>

#include <gtest/gtest.h>

#include <cstring>

namespace kaon {
namespace {

struct Round {
  Communicator world{MPI_COMM_WORLD};
  int workers, layers;
  Plan plan;
  Exchange exchange;

  Round(int n, int p) : workers(n), layers(p), plan(world.size(), n, costs(p)), exchange(world, plan, channels(p)) {}

  static std::vector<double> costs(int p) {
    std::vector<double> c;
    for (int i = 0; i < p; ++i) c.push_back(1 + (i * 5) % 7);
    return c;
  }
  static std::vector<Channel> channels(int p) {
    std::vector<Channel> c;
    for (int i = 0; i < p; ++i)
      c.push_back(
          {"layer" + std::to_string(i), encoding_of("up"), encoding_of("down"), encoding_of("identity"), bound(i), bound(i) / 2});
    return c;
  }
  static std::size_t bound(int layer) { return 64 + 100 * static_cast<std::size_t>(layer); }
  // Lengths vary by step, layer and worker, below the bound.
  static std::size_t length(std::uint64_t step, int layer, int worker) {
    return (step * 13 + static_cast<std::size_t>(layer) * 7 + static_cast<std::size_t>(worker) * 3) % (bound(layer) / 2 + 1);
  }
  static unsigned char byte(std::uint64_t step, int layer, int worker, std::size_t at) {
    return static_cast<unsigned char>(step * 31 + static_cast<unsigned>(layer) * 17 + static_cast<unsigned>(worker) * 5 + at);
  }

  void send_up(std::uint64_t step) {
    int const first = plan.first_worker(world.rank());
    for (int j = first; j < first + plan.worker_count(world.rank()); ++j)
      for (int i = layers - 1; i >= 0; --i) {
        auto const out = exchange.up_payload(i, j);
        auto const n = length(step, i, j);
        for (std::size_t b = 0; b < n; ++b) out[b] = byte(step, i, j, b);
        exchange.post_up(i, j, n);
      }
  }
};

TEST(Exchange, DeliversEveryPacketToItsOwnerAndEveryShiftToEveryRank) {
  for (int workers : {1, 2, 4, 5})
    for (int layers : {1, 3, 8}) {
      Round r(workers, layers);
      std::uint64_t up = 0, down = 0, wire_up = 0, wire_down = 0;
      for (std::uint64_t step = 0; step < 4; ++step) {
        r.exchange.begin_step(step, step == 0);
        r.send_up(step);
        for (int i = layers - 1; i >= 0; --i) {
          bool const mine = r.plan.owner_of(i) == r.world.rank();
          for (int j = 0; j < workers; ++j) {
            auto const n = Round::length(step, i, j);
            up += n + packet_header_bytes;
            if (r.plan.host_of(j) != r.plan.owner_of(i)) wire_up += n + packet_header_bytes;
            if (!mine) continue;
            auto const in = r.exchange.take_up(i, j);
            ASSERT_EQ(in.size(), n);
            for (std::size_t b = 0; b < n; ++b) ASSERT_EQ(in[b], Round::byte(step, i, j, b));
          }
          auto const n = Round::length(step, i, 99);
          auto const size = std::min(n, Round::bound(i) / 2);
          down += (size + packet_header_bytes) * static_cast<std::uint64_t>(workers);
          wire_down += (size + packet_header_bytes) * static_cast<std::uint64_t>(r.world.size() - 1);
          if (!mine) continue;
          auto const out = r.exchange.down_payload(i);
          for (std::size_t b = 0; b < size; ++b) out[b] = Round::byte(step, i, 99, b);
          r.exchange.post_down(i, size);
        }
        for (int i = layers - 1; i >= 0; --i) {
          if (r.plan.owner_of(i) == r.world.rank()) continue;
          auto const in = r.exchange.take_down(i);
          ASSERT_EQ(in.size(), std::min(Round::length(step, i, 99), Round::bound(i) / 2));
          for (std::size_t b = 0; b < in.size(); ++b) ASSERT_EQ(in[b], Round::byte(step, i, 99, b));
        }
        r.exchange.end_step();
      }
      auto const c = r.exchange.bytes();
      std::vector<std::int64_t> all{static_cast<std::int64_t>(c.up), static_cast<std::int64_t>(c.down),
                                    static_cast<std::int64_t>(c.wire_up), static_cast<std::int64_t>(c.wire_down)};
      r.world.sum_each(all);
      EXPECT_EQ(all[0], static_cast<std::int64_t>(up));
      EXPECT_EQ(all[1], static_cast<std::int64_t>(down));
      EXPECT_EQ(all[2], static_cast<std::int64_t>(wire_up));
      EXPECT_EQ(all[3], static_cast<std::int64_t>(wire_down));
    }
}

TEST(Exchange, RefusesAPacketOfAnotherStep) {
  Round r(2, 2);
  r.exchange.begin_step(4, false);
  r.send_up(4);
  // What arrives belongs to step 4; an owner that believes itself at step 5 must not take it.
  int refused = 0, owned = 0;
  for (int i = 0; i < 2; ++i) {
    if (r.plan.owner_of(i) != r.world.rank()) continue;
    for (int j = 0; j < r.workers; ++j) {
      ++owned;
      auto const in = r.exchange.take_up(i, j);
      try {
        std::span<unsigned char const> const packet{in.data() - packet_header_bytes, in.size() + packet_header_bytes};
        open_packet(packet, {Direction::up, 5, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), encoding_of("up")},
                    "layer");
      } catch (IoError const& e) {
        refused += std::strstr(e.what(), "step is 4 instead of 5") != nullptr;
      }
    }
    r.exchange.post_down(i, 0);
  }
  EXPECT_EQ(refused, owned);
  for (int i = 0; i < 2; ++i)
    if (r.plan.owner_of(i) != r.world.rank()) r.exchange.take_down(i);
  r.exchange.end_step();
}

TEST(Exchange, ChecksItsArguments) {
  Communicator const world(MPI_COMM_WORLD);
  Plan const plan(world.size(), 2, {1.0, 1.0});
  EXPECT_THROW(Exchange(world, plan, Round::channels(3)), std::invalid_argument);
  EXPECT_THROW(Exchange(world, Plan(world.size() + 1, 2, {1.0}), Round::channels(1)), std::invalid_argument);
  auto large = Round::channels(2);
  large[1].up_bound = std::size_t(1) << 31;
  EXPECT_THROW(Exchange(world, plan, large), UsageError);
}

}  // namespace
}  // namespace kaon
