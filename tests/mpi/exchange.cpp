// The exchange delivers what was posted, counts it to the byte, and refuses what was not meant for it: any topology, any bundles,
// any order.
#include <kaon/core/error.hpp>
#include <kaon/exchange/exchange.hpp>
#include <kaon/mpi/patience.hpp>

#include <gtest/gtest.h>

#include <cstring>

namespace kaon {
namespace {

struct Round {
  Communicator world{MPI_COMM_WORLD};
  Plan plan;
  Exchange exchange;
  int const me = world.rank();

  Round(PlanSettings s, int layers) : plan(on_ranks(std::move(s), world), loads(layers)), exchange(world, plan, flows(layers)) {}

  static PlanSettings on_ranks(PlanSettings s, Communicator const& world) {
    s.nodes.assign(static_cast<std::size_t>(world.size()), 0);
    return s;
  }
  static std::vector<LayerLoad> loads(int p) {
    std::vector<LayerLoad> c;
    for (int i = 0; i < p; ++i) c.push_back({1.0 + (i * 5) % 7, packet_header_bytes + bound(i)});
    return c;
  }
  static std::vector<LayerFlows> flows(int p) {
    std::vector<LayerFlows> c;
    for (int i = 0; i < p; ++i)
      c.push_back({"layer" + std::to_string(i), encoding_of("up"), encoding_of("down"), encoding_of("identity"), bound(i),
                   bound(i) / 2, 16});
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
  static void expect_bytes(std::span<unsigned char const> in, std::uint64_t step, int layer, int worker) {
    ASSERT_EQ(in.size(), length(step, layer, worker));
    for (std::size_t b = 0; b < in.size(); ++b) ASSERT_EQ(in[b], byte(step, layer, worker, b));
  }
  template <class Ready>
  void until(Ready&& ready) {
    auto const awaited = [] { return std::string("a message"); };
    for (Patience p(awaited); !ready(); p.pause()) exchange.poll();
  }

  void send_up(std::uint64_t step) {
    for (int k = plan.layers() - 1; k >= 0; --k) {
      int const i = static_cast<int>((static_cast<std::uint64_t>(k) + step) % static_cast<std::uint64_t>(plan.layers()));
      auto const homes = plan.homes_at(me, i);
      for (int j = homes.first; j < homes.end(); ++j) {
        auto const out = exchange.up_payload(i, j);
        auto const n = length(step, i, j);
        for (std::size_t b = 0; b < n; ++b) out[b] = byte(step, i, j, b);
        exchange.post_up(i, j, n);
      }
    }
  }
  static constexpr int down = 99;  // stands for the server in length() and byte()
  void serve(std::uint64_t step) {
    for (std::size_t b = 0; b < plan.bundles().size(); ++b) {
      auto const& layers = plan.bundle(static_cast<int>(b)).layers;
      if (!plan.serves(me, layers.front())) continue;
      until([&] { return exchange.arrived(static_cast<int>(b)); });
      for (int const i : layers) {
        for (int j = 0; j < plan.workers(); ++j) expect_bytes(exchange.take_up(i, j), step, i, j);
        auto const n = std::min(length(step, i, down), bound(i) / 2);
        if (!exchange.sends_down()) {
          exchange.keep_down(i, n);
          continue;
        }
        auto const out = exchange.down_payload(i);
        for (std::size_t at = 0; at < n; ++at) out[at] = byte(step, i, down, at);
        exchange.post_down(i, n);
      }
    }
  }
  void follow(std::uint64_t step) {
    for (int b = 0; b < static_cast<int>(plan.bundles().size()); ++b) {
      if (!exchange.owes_down(b, step + 1)) continue;
      until([&] { return exchange.down_arrived(b); });
      for (int const i : plan.bundle(b).layers) {
        auto const in = exchange.take_down(i);
        ASSERT_EQ(in.size(), std::min(length(step, i, down), bound(i) / 2));
        for (std::size_t at = 0; at < in.size(); ++at) ASSERT_EQ(in[at], byte(step, i, down, at));
      }
      exchange.close_down(b);
      EXPECT_FALSE(exchange.owes_down(b, step + 1));
      exchange.release_down(b);
    }
  }
};

// What the closed formulas say: Σ (header + payload), times the receivers.
ByteCount expected(Plan const& plan, std::uint64_t steps) {
  ByteCount c;
  auto const ranks = static_cast<std::uint64_t>(plan.ranks());
  for (std::uint64_t step = 0; step < steps; ++step)
    for (int i = 0; i < plan.layers(); ++i) {
      for (int j = 0; j < plan.workers(); ++j) {
        auto const bytes = packet_header_bytes + Round::length(step, i, j);
        c.up += bytes;
        c.received += bytes;
        if (plan.topology() == Topology::replicated)
          c.wire_up += bytes * (ranks - 1);
        else if (plan.home_of(i, j) != plan.owner_of(i))
          c.wire_up += bytes;
      }
      auto const bytes = packet_header_bytes + std::min(Round::length(step, i, Round::down), Round::bound(i) / 2);
      c.down += bytes * static_cast<std::uint64_t>(plan.workers());
      c.received += bytes * static_cast<std::uint64_t>(plan.workers());
      if (plan.topology() != Topology::replicated) c.wire_down += bytes * (ranks - 1);
    }
  return c;
}

// `untaken`: downlinks of so many steps, the last ones, have been sent and not been taken.
void expect_counts(Round const& r, std::uint64_t steps, std::uint64_t untaken = 0) {
  auto const c = r.exchange.bytes(), should = expected(r.plan, steps);
  auto const sum = [&](std::uint64_t v) { return static_cast<std::uint64_t>(r.world.sum(static_cast<std::int64_t>(v))); };
  EXPECT_EQ(sum(c.received), should.received);
  EXPECT_EQ(sum(c.wire_received), should.wire_up + expected(r.plan, steps - untaken).wire_down + sum(c.wire_sum));
  EXPECT_EQ(sum(c.up), should.up);
  EXPECT_EQ(sum(c.down), should.down);
  EXPECT_EQ(sum(c.wire_up), should.wire_up);
  EXPECT_EQ(sum(c.wire_down), should.wire_down);
  EXPECT_EQ(c.wire_up + c.wire_down + c.wire_sum, r.exchange.bytes_given());
}

TEST(Exchange, DeliversEveryPacketToItsServersAndEveryShiftToEveryRank) {
  for (auto const topology : all_topologies)
    for (int workers : {1, 2, 4, 5})
      for (int layers : {1, 3, 8})
        for (std::size_t const bundle : {0, 700, 100000}) {
          Round r({topology, {}, workers, 1, bundle}, layers);
          for (std::uint64_t step = 0; step < 4; ++step) {
            r.exchange.begin_step(step, step == 0);
            r.send_up(step);
            r.serve(step);
            r.follow(step);
          }
          r.exchange.flush();
          expect_counts(r, 4);
        }
}

// A downlink may be taken when the next step is under way, after its uplink has left.
TEST(Exchange, ADownlinkCanWaitForTheNextStep) {
  for (std::size_t const bundle : {0, 100000}) {
    Round r({Topology::sharded, {}, 3, 1, bundle}, 6);
    for (std::uint64_t step = 0; step < 5; ++step) {
      r.exchange.begin_step(step, false);
      if (step > 0) r.follow(step - 1);
      r.send_up(step);
      r.serve(step);
    }
    expect_counts(r, 5, 1);
    r.follow(4);
    r.exchange.flush();
    expect_counts(r, 5);
  }
}

// As of a method that hands every worker the packets of all.
TEST(Exchange, APacketIsReceivedByAsManyAsItIsFor) {
  Communicator const world(MPI_COMM_WORLD);
  Plan const plan(world.size(), 3, {1.0, 1.0});
  auto flows = Round::flows(2);
  flows[1].up_receivers = 3;
  Exchange x(world, plan, flows);
  x.begin_step(0, false);
  for (int i = 1; i >= 0; --i) {
    auto const homes = plan.homes_at(world.rank(), i);
    for (int j = homes.first; j < homes.end(); ++j) {
      x.up_payload(i, j);
      x.post_up(i, j, 8 * static_cast<std::size_t>(j));
    }
  }
  auto const bytes = 3 * static_cast<std::int64_t>(packet_header_bytes) + 8 + 16;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world.sum(static_cast<std::int64_t>(x.bytes(i).up)), bytes);
    EXPECT_EQ(world.sum(static_cast<std::int64_t>(x.bytes(i).received)), i == 0 ? bytes : 3 * bytes);
    if (!plan.serves(world.rank(), i)) continue;
    auto const awaited = [] { return std::string("a message"); };
    for (Patience p(awaited); !x.arrived(plan.bundle_of(i)); p.pause()) x.poll();
    for (int j = 0; j < 3; ++j) EXPECT_EQ(x.take_up(i, j).size(), 8 * static_cast<std::size_t>(j));
  }
  x.flush();
  EXPECT_EQ(world.sum(static_cast<std::int64_t>(x.bytes().wire_received)), world.sum(static_cast<std::int64_t>(x.bytes_given())));
}

TEST(Exchange, PartialSumsReachTheHome) {
  for (int workers : {1, 2})
    for (int micro_batches : {2, 3, 4})
      for (std::size_t const bundle : {0, 100000}) {
        Round r({Topology::sharded, {}, workers, micro_batches, bundle}, 5);
        auto& x = r.exchange;
        int const worker = r.plan.workers_at(r.me).first;
        std::uint64_t sent = 0;
        for (std::uint64_t step = 0; step < 3; ++step) {
          x.begin_step(step, false);
          for (int i = 4; i >= 0 && !x.my_blocks(i).empty(); --i) {
            if (r.plan.home_of(i, worker) == r.me) continue;
            for (std::size_t k = 0; k < x.my_blocks(i).size(); ++k) {
              auto const room = x.sum_payload(i, k);
              ASSERT_EQ(room.size(), 16u);
              for (std::size_t at = 0; at < 16; ++at) room[at] = Round::byte(step, i, x.my_blocks(i)[k].first, at);
              x.post_sum(i, k);
              sent += packet_header_bytes + 16;
            }
          }
          for (int i = 4; i >= 0 && !x.my_blocks(i).empty(); --i) {
            if (r.plan.home_of(i, worker) != r.me) continue;
            r.until([&] { return x.sums_arrived(r.plan.bundle_of(i)); });
            for (std::size_t s = 0; s < x.senders(i).size(); ++s)
              for (std::size_t k = 0; k < x.senders(i)[s].blocks.size(); ++k) {
                auto const in = x.take_sum(i, s, k);
                for (std::size_t at = 0; at < 16; ++at)
                  ASSERT_EQ(in[at], Round::byte(step, i, x.senders(i)[s].blocks[k].first, at));
              }
          }
          r.send_up(step);
          r.serve(step);
          r.follow(step);
        }
        x.flush();
        EXPECT_EQ(x.bytes().wire_sum, sent);
        if (r.world.size() <= workers) {
          EXPECT_EQ(r.world.sum(static_cast<std::int64_t>(sent)), 0);
        } else {
          EXPECT_GT(r.world.sum(static_cast<std::int64_t>(sent)), 0);
        }
        expect_counts(r, 3);
      }
}

// Every other layer goes through a second round within the step; what is asked there is what the first one brought.
TEST(Exchange, ASecondStageFollowsWithinTheStep) {
  constexpr int layers = 6;
  auto const answered = [](std::uint64_t step, int layer, int worker) { return Round::byte(step + 50, layer, worker, 0); };
  for (auto const topology : all_topologies)
    for (int const workers : {1, 3})
      for (std::size_t const bundle : {0, 100000}) {
        Communicator const world(MPI_COMM_WORLD);
        auto loads = Round::loads(layers);
        auto flows = Round::flows(layers);
        for (int i = 0; i < layers; ++i) {
          auto const at = static_cast<std::size_t>(i);
          loads[at].kind = i / 3;
          if (i / 3 == 1) flows[at].second = {encoding_of("question"), encoding_of("answer"), 8, 16};
        }
        Plan const plan(Round::on_ranks({topology, {}, workers, 1, bundle}, world), loads);
        Exchange x(world, plan, flows);
        ASSERT_TRUE(x.has_second());
        auto& second = x.second();
        int const me = world.rank();
        auto const until = [&](auto&& ready) {
          auto const awaited = [] { return std::string("a message"); };
          for (Patience p(awaited); !ready(); p.pause()) x.poll();
        };
        auto const round = [&](Exchange& stage, std::uint64_t step, bool all, std::size_t up, std::size_t down,
                               auto const& value) {
          for (int i = layers - 1; i >= 0; --i) {
            if (!all && i / 3 == 0) continue;
            auto const homes = plan.homes_at(me, i);
            for (int j = homes.first; j < homes.end(); ++j) {
              stage.up_payload(i, j)[0] = value(step, i, j);
              stage.post_up(i, j, up);
            }
          }
          for (int b = 0; b < static_cast<int>(plan.bundles().size()); ++b) {
            auto const& in = plan.bundle(b).layers;
            if ((!all && in.front() / 3 == 0) || !plan.serves(me, in.front())) continue;
            until([&] { return stage.arrived(b); });
            for (int const i : in) {
              for (int j = 0; j < workers; ++j) EXPECT_EQ(stage.take_up(i, j)[0], value(step, i, j));
              if (!stage.sends_down()) {
                stage.keep_down(i, down);
                continue;
              }
              stage.down_payload(i)[0] = value(step, i, Round::down);
              stage.post_down(i, down);
            }
          }
          for (int b = 0; b < static_cast<int>(plan.bundles().size()); ++b) {
            if (!stage.owes_down(b, step + 1)) continue;
            until([&] { return stage.down_arrived(b); });
            for (int const i : plan.bundle(b).layers) EXPECT_EQ(stage.take_down(i)[0], value(step, i, Round::down));
            stage.close_down(b);
            stage.release_down(b);
          }
        };
        constexpr std::uint64_t steps = 3;
        for (std::uint64_t step = 0; step < steps; ++step) {
          x.begin_step(step, false);
          round(x, step, true, 32, 24, [](std::uint64_t k, int i, int j) { return Round::byte(k, i, j, 0); });
          round(second, step, false, 8, 16, answered);
        }
        x.flush();
        auto const sum = [&](std::uint64_t v) { return static_cast<std::uint64_t>(world.sum(static_cast<std::int64_t>(v))); };
        auto const n = static_cast<std::uint64_t>(workers);
        EXPECT_EQ(sum(x.bytes().up), steps * n * (6 * (48 + 32) + 3 * (48 + 8)));
        EXPECT_EQ(sum(x.bytes().down), steps * n * (6 * (48 + 24) + 3 * (48 + 16)));
        EXPECT_EQ(sum(x.bytes(5).up), steps * n * (48 + 32 + 48 + 8));
        EXPECT_EQ(sum(x.bytes(0).up), steps * n * (48 + 32));
        EXPECT_EQ(x.bytes().wire_up + x.bytes().wire_down, x.bytes_given());
        EXPECT_EQ(sum(x.bytes_given()) > 0, world.size() > 1);
      }
}

TEST(Exchange, TagsAreCountedIn64Bits) {
  EXPECT_NO_THROW(check_tags(50, 325, 32767, 2));
  EXPECT_THROW(check_tags(51, 325, 32767, 2), UsageError);
  EXPECT_NO_THROW(check_tags(100, 325, 32767));
  EXPECT_THROW(check_tags(101, 325, 32767), UsageError);
  for (std::int64_t const many : {65536, 1 << 20, 1 << 30}) EXPECT_THROW(check_tags(many, many, 2147483647), UsageError) << many;
  EXPECT_NO_THROW(check_tags(1 << 15, (1 << 16) - 2, 2147483647 + std::int64_t(1)));
}

TEST(Exchange, ChecksItsArguments) {
  Communicator const world(MPI_COMM_WORLD);
  Plan const plan(world.size(), 2, {1.0, 1.0});
  EXPECT_THROW(Exchange(world, plan, Round::flows(3)), std::invalid_argument);
  EXPECT_THROW(Exchange(world, Plan(world.size() + 1, 2, {1.0}), Round::flows(1)), std::invalid_argument);
  auto large = Round::flows(2);
  large[1].up_bound = std::size_t(1) << 31;
  EXPECT_THROW(Exchange(world, plan, large), UsageError);
  auto start = Round::flows(2);  // refused before the first step
  start[0].dense_bound = std::size_t(1) << 31;
  EXPECT_THROW(Exchange(world, plan, start), UsageError);
  auto second = Round::flows(2);
  second[0].second = {1, 1, std::size_t(1) << 31, 8};
  EXPECT_THROW(Exchange(world, plan, second), UsageError);
  second[0].second.up_bound = 8;
  second[0].up = Up::ordered_sum;
  EXPECT_THROW(Exchange(world, plan, second), std::invalid_argument);
}

}  // namespace
}  // namespace kaon
