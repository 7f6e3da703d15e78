// The result does not depend on the number of ranks, the topology, the bundles or who computes which micro-batches: every byte of
// state equals that of the run on one rank.
#include <kaon/exchange/device_messages.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cctype>
#include <map>

namespace kaon {
namespace {

struct Case {
  std::string norm = "spectral", up = "bits:4", down = "bits:2";
  int workers = 4;
  Start start = Start::dense;
  bool adaptive = false;
  Topology topology = Topology::sharded;
  std::size_t bundle = 0;
  int micro_batches = 1;
  MessageMemory messages = MessageMemory::host;
  std::vector<Layer> layers = test::odd_layers();
  std::vector<std::string> methods = {"ef21-muon"};  ///< of the layers in turn
  bool nesterov = false;
  std::map<std::string, std::string> own = {};  ///< keys of ef21-muon
  LocalSettings local = {};
  double clip = 0;
};

std::string text(Case const& c, int ranks) {
  std::string methods;
  for (auto const& m : c.methods) methods += m + (&m == &c.methods.back() ? ": " : " and ");
  return methods + c.norm + ", " + c.up + " up, " + c.down + " down, " + std::to_string(c.workers) + " workers of " +
         std::to_string(c.micro_batches) + " micro-batches, rounds of " + std::to_string(c.local.steps) + ", " +
         name_of(c.topology) + ", bundles of " + std::to_string(c.bundle) + " bytes" +
         (c.messages == MessageMemory::device ? " in device memory" : "") +
         (c.clip > 0 ? ", clipped to " + std::to_string(c.clip) : "") + ", on " + std::to_string(ranks) + " ranks";
}

struct Ranks : ::testing::Test {
  Communicator const world{MPI_COMM_WORLD}, self{MPI_COMM_SELF};
  template <class T>
  void expect_same_bits(Case const& c);
};

template <class T>
void Ranks::expect_same_bits(Case const& c) {
  OptimizerSettings o;
  o.workers = c.workers;
  o.start = c.start;
  o.adaptive = c.adaptive;
  o.nesterov = c.nesterov;
  o.clip = c.clip;
  o.seed = 9;
  o.local = c.local;
  auto plain = o;  // sharded, on one rank
  plain.bundle_bytes = 0;
  o.topology = c.topology;
  o.bundle_bytes = c.bundle;
  o.messages = c.messages;
  o.fan_out = c.workers % 3;  // a star, a chain, a tree
  std::vector<LayerSettings> s(c.layers.size(), test::settings(c.norm, c.up, c.down));
  for (std::size_t i = 0; i < s.size(); ++i) {
    s[i].method = c.methods[i % c.methods.size()];
    if (s[i].method == "ef21-muon") s[i].own = c.own;
  }
  std::vector<StepReport> here, alone;
  auto const many = test::run_quadratic<T>(world, c.layers, s, o, 6, true, &here, c.micro_batches);
  auto const one = test::run_quadratic<T>(self, c.layers, s, plain, 6, true, &alone, c.micro_batches);
  auto const where = text(c, world.size());

  Registry parts, whole;
  many->register_state(parts);
  one->register_state(whole);
  ASSERT_EQ(parts.size(), whole.size());
  std::vector<std::int64_t> written, bytes;  // of all ranks, in the end
  for (std::size_t f = 0; f < parts.size(); ++f) {
    ASSERT_EQ(parts[f].path, whole[f].path);
    ASSERT_EQ(parts[f].shape, whole[f].shape);
    std::size_t const width = size_of(parts[f].type);
    std::vector<unsigned char> mine(parts[f].written.elements() * width), all(whole[f].written.elements() * width);
    written.push_back(static_cast<std::int64_t>(mine.size()));
    if (!all.empty()) whole[f].get(all.data());
    if (mine.empty()) continue;
    parts[f].get(mine.data());
    std::size_t const slab = all.size() / parts[f].shape[0];
    std::size_t const at = parts[f].written.offset[0] * slab;
    std::size_t differing = 0;
    for (std::size_t b = 0; b < mine.size(); ++b) differing += mine[b] != all[at + b];
    EXPECT_EQ(differing, 0u) << parts[f].path << ", " << where;
  }
  EXPECT_TRUE(many->same_model()) << where;
  for (std::size_t k = 0; k < here.size(); ++k) {
    ASSERT_EQ(here[k].losses.size(), alone[k].losses.size()) << where;
    EXPECT_EQ(here[k].worker_loss, alone[k].worker_loss);
    for (std::size_t l = 0; l < here[k].losses.size(); ++l) {
      EXPECT_EQ(here[k].losses[l].loss, alone[k].losses[l].loss) << where;
      EXPECT_EQ(here[k].losses[l].worker_loss, alone[k].losses[l].worker_loss);
    }
    ASSERT_EQ(here[k].layers.size(), alone[k].layers.size());
    for (std::size_t i = 0; i < here[k].layers.size(); ++i) EXPECT_EQ(here[k].layers[i].values, alone[k].layers[i].values);
  }

  // Algorithmic bytes are the algorithm's, not the ranks', layer by layer; bytes on the wire vanish on one rank.
  for (int i = 0; i < static_cast<int>(c.layers.size()); ++i) {
    auto const count = many->exchange().bytes(i);
    bytes.push_back(static_cast<std::int64_t>(count.up));
    bytes.push_back(static_cast<std::int64_t>(count.down));
    bytes.push_back(static_cast<std::int64_t>(count.received));
  }
  world.sum_each(written);
  world.sum_each(bytes);
  for (std::size_t f = 0; f < parts.size(); ++f)
    EXPECT_EQ(static_cast<std::size_t>(written[f]), whole[f].written.elements() * size_of(whole[f].type))
        << parts[f].path << " is not written exactly once, " << where;
  for (std::size_t i = 0; i < c.layers.size(); ++i) {
    auto const should = one->exchange().bytes(static_cast<int>(i));
    EXPECT_EQ(bytes[3 * i], static_cast<std::int64_t>(should.up)) << where;
    EXPECT_EQ(bytes[3 * i + 1], static_cast<std::int64_t>(should.down)) << where;
    EXPECT_EQ(bytes[3 * i + 2], static_cast<std::int64_t>(should.received)) << where;
  }
  auto const alone_count = one->exchange().bytes();
  EXPECT_EQ(alone_count.wire_up + alone_count.wire_down + alone_count.wire_sum + alone_count.wire_received, 0u);
  auto const count = many->exchange().bytes();
  auto const given = count.wire_up + count.wire_down + count.wire_sum;
  EXPECT_EQ(given, many->exchange().bytes_given()) << where;
  // Reading the state has taken in what was under way: all that was given has been delivered.
  EXPECT_EQ(world.sum(static_cast<std::int64_t>(count.wire_received)), world.sum(static_cast<std::int64_t>(given))) << where;
}

struct EveryCompressor : Ranks, ::testing::WithParamInterface<char const*> {};

TEST_P(EveryCompressor, SameBitsBothWays) {
  for (auto const topology : all_topologies) {
    Case c;
    c.up = c.down = GetParam();
    c.topology = topology;
    c.bundle = 1024;
    expect_same_bits<float>(c);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, EveryCompressor,
                         ::testing::Values("identity", "top:0.2", "rank:0.4", "natural", "natural:stochastic", "bits:1", "bits:2",
                                           "bits:4", "bits:8", "top:0.3+natural", "rank:0.5+bits:4", "natural:coded",
                                           "top:0.2+natural:coded", "rand:0.3", "columns:0.3", "dropout:0.5+rank:0.4", "damp:0.5",
                                           "dither:4", "sign"),
                         [](auto const& spec) {
                           std::string name = spec.param;
                           for (auto& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

TEST_F(Ranks, SameBitsForEveryMethodAndForSeveralAtOnce) {
  for (auto const& methods : {std::vector<std::string>{"muon"},
                              {"adamw"},
                              {"dion"},
                              {"adamw", "ef21-muon", "muon"},
                              {"dion", "dion", "ef21-muon", "adamw"}})
    for (auto const topology : all_topologies)
      for (int const workers : {1, 3, 4})
        for (int const micro_batches : {1, 3}) {
          Case c;
          c.methods = methods;
          c.topology = topology;
          c.workers = workers;
          c.micro_batches = micro_batches;
          c.bundle = workers == 3 ? 0 : 4096;
          c.nesterov = workers == 4;
          c.start = workers == 1 ? Start::zero : Start::dense;
          expect_same_bits<float>(c);
        }
}

// A norm over layers whose homes are on several ranks.
TEST_F(Ranks, SameBitsForClippedGradients) {
  for (auto const& methods : {std::vector<std::string>{"ef21-muon"}, {"adamw", "ef21-muon", "muon"}})
    for (auto const topology : all_topologies)
      for (int const workers : {1, 2, 3})
        for (int const micro_batches : {1, 3}) {
          Case c;
          c.methods = methods;
          c.topology = topology;
          c.workers = workers;
          c.micro_batches = micro_batches;
          c.bundle = workers % 2 == 0 ? 0 : 4096;
          c.start = workers == 1 ? Start::zero : Start::dense;
          c.clip = 25;  // of norms up to 42
          expect_same_bits<float>(c);
        }
}

// A gradient of dion meets M_j and Q of the step before, whose last message nobody has waited for.
TEST_F(Ranks, SameBitsWhereNobodyReadsWBetweenTheStepsOfTwoStages) {
  auto const layers = test::odd_layers();
  auto s = test::settings("frobenius", "identity", "identity");
  s.method = "dion";
  auto const run = [&](Communicator const& comm, Topology topology, MessageMemory messages) {
    OptimizerSettings o;
    o.workers = 3;
    o.topology = topology;
    o.bundle_bytes = 2048;
    o.messages = messages;
    Engine<float> engine(Space(), comm, layers, std::vector<LayerSettings>(layers.size(), s), o);
    test::Quadratic<float> start(layers, 3, 77);
    engine.initialize(start);
    std::vector<Matrix<float, Space>> gradients;
    for (auto const& l : layers) gradients.emplace_back("kaon::test::gradient", l.rows, l.cols);
    for (std::uint64_t k = 0; k < 5; ++k) {
      engine.begin_step(k);
      for (auto const& share : engine.shares()) {
        for (std::size_t i = 0; i < layers.size(); ++i) {
          test::Quadratic<float>::fill_random(gradients[i],
                                              {4, Purpose::test, static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(i),
                                               static_cast<std::uint32_t>(share.worker)});
          engine.give(Space(), share, static_cast<int>(i), gradients[i]);
        }
        engine.give_loss(share, 1);
      }
      engine.end_step(1);
    }
    EXPECT_LE(engine.check_invariants(1e-5), 1e-5);
    std::vector<std::vector<double>> W;
    for (std::size_t i = 0; i < layers.size(); ++i) W.push_back(test::to_host(engine.W()[i]).a);
    return W;
  };
  auto const alone = run(self, Topology::sharded, MessageMemory::host);
  for (auto const topology : all_topologies) {
    EXPECT_EQ(run(world, topology, MessageMemory::host), alone) << name_of(topology);
    if (gpu_kind == GpuKind::none) {
      EXPECT_EQ(run(world, topology, MessageMemory::device), alone) << name_of(topology);
    }
  }
}

TEST_F(Ranks, SameBitsForEveryFeedback) {
  for (auto const& own :
       {std::map<std::string, std::string>{{"feedback", "ef14"}, {"feedback_decay", "0.9"}}, {{"feedback", "none"}}})
    for (auto const topology : all_topologies) {
      Case c;
      c.own = own;
      c.topology = topology;
      c.up = "top:0.2+natural";
      c.micro_batches = topology == Topology::sharded ? 3 : 1;
      c.nesterov = true;
      expect_same_bits<float>(c);
    }
}

// Six steps in rounds of 4: the second one is shorter, or ends in the middle where the run has more steps.
TEST_F(Ranks, SameBitsForLocalSteps) {
  for (auto const topology : all_topologies)
    for (int const workers : {1, 3})
      for (int const micro_batches : {1, 3})
        for (std::uint64_t const total : {6, 100}) {
          Case c;
          c.topology = topology;
          c.workers = workers;
          c.micro_batches = micro_batches;
          c.bundle = workers == 3 ? 4096 : 0;
          c.nesterov = total == 6;
          c.start = total == 6 ? Start::dense : Start::zero;
          c.up = workers == 1 ? "identity" : "top:0.3";
          c.local.steps = 4;
          c.local.total = total;
          c.clip = workers == 3 ? 0.5 : 0;
          c.local.form = LocalForm::gradient;
          expect_same_bits<double>(c);
          c.local.form = LocalForm::update;
          c.local.outer = micro_batches == 1 ? Outer::lmo : Outer::nesterov;
          if (micro_batches == 3) c.methods = {"adamw", "ef21-muon"};
          expect_same_bits<float>(c);
        }
}

// Sealed, checked and added by kernels where they lie. With a GPU only an MPI that takes device pointers can carry them.
TEST_F(Ranks, SameBitsForMessagesInDeviceMemory) {
  auto const choice =
      choose_message_memory(world, gpu_kind == GpuKind::none ? DeviceMessages::always : DeviceMessages::automatic);
  if (choice.memory == MessageMemory::host) GTEST_SKIP() << choice.line;
  for (auto const topology : all_topologies) {
    Case c;
    c.methods = {"muon", "dion", "adamw", "ef21-muon"};
    c.topology = topology;
    c.micro_batches = 2;
    c.bundle = 2048;
    c.messages = MessageMemory::device;
    expect_same_bits<double>(c);
    c.clip = 25;
    expect_same_bits<double>(c);
  }
  for (auto const* spec : {"identity", "top:0.2+natural:coded", "rank:0.5+bits:4", "natural:coded", "bits:2", "dither:4"})
    for (auto const topology : all_topologies)
      for (std::size_t const bundle : {std::size_t(0), std::size_t(1) << 20})
        for (int const micros : {1, 3}) {
          Case c;
          c.up = c.down = spec;
          c.workers = micros == 1 ? 3 : 2;
          c.topology = topology;
          c.bundle = bundle;
          c.micro_batches = micros;
          c.messages = MessageMemory::device;
          expect_same_bits<float>(c);
        }
}

TEST_F(Ranks, SameBitsForEveryNormAndStart) {
  for (auto const* norm : {"spectral", "max-abs", "frobenius", "column", "row", "nuclear", "schatten", "l1", "one-to-one",
                           "inf-to-inf", "ky-fan", "dual-ky-fan"})
    for (auto start : {Start::dense, Start::zero}) {
      Case c;
      c.norm = norm;
      c.up = "top:0.25+bits:4";
      c.start = start;
      c.adaptive = start == Start::zero;
      expect_same_bits<double>(c);
    }
}

TEST_F(Ranks, SameBitsForUnevenWorkersAndLayers) {
  for (int workers : {1, 2, 3, 5, 7})
    for (auto const topology : all_topologies)
      for (std::size_t const bundle : {std::size_t(0), std::size_t(1) << 20}) {
        Case c;
        c.workers = workers;
        c.topology = topology;
        c.bundle = bundle;
        c.layers = {{"only", 12, 20}};
        expect_same_bits<float>(c);
        c.layers = {{"one", 1, 1}};
        expect_same_bits<float>(c);
        c.layers = test::odd_layers();
        c.up = "rank:0.3";
        expect_same_bits<float>(c);
      }
}

// Groups of ranks that share a worker, even and uneven, and accumulation where one rank has all micro-batches.
TEST_F(Ranks, SameBitsForEveryNumberOfMicroBatches) {
  for (int workers : {1, 2, 3})
    for (int micro_batches : {2, 3, 4, 7, 8})
      for (auto const topology : all_topologies) {
        Case c;
        c.workers = workers;
        c.micro_batches = micro_batches;
        c.topology = topology;
        c.bundle = micro_batches % 2 == 0 ? 4096 : 0;
        expect_same_bits<float>(c);
        c.up = "rank:0.4+bits:4";
        c.start = Start::zero;
        expect_same_bits<double>(c);
      }
}

TEST_F(Ranks, InvariantsHoldOnEveryRankCount) {
  for (auto const topology : all_topologies)
    for (int micro_batches : {1, 3}) {
      OptimizerSettings o;
      o.workers = 2;
      o.topology = topology;
      std::vector<LayerSettings> const s(6, test::settings("spectral", "top:0.2", "bits:2"));
      auto const run = test::run_quadratic<double>(world, test::odd_layers(), s, o, 10, false, nullptr, micro_batches);
      EXPECT_LE(run->check_invariants(1e-14), 1e-14);
    }
}

}  // namespace
}  // namespace kaon
