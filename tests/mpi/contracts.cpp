// What must hold between steps, broken on one rank: each check is there because it speaks when it must.
#include <kaon/core/error.hpp>
#include <kaon/run/loop/training.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>
#include <unistd.h>
#include <algorithm>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>

namespace kaon {
namespace {

struct Contracts : ::testing::Test {
  Communicator const world{MPI_COMM_WORLD};
  std::vector<LayerSettings> const settings = std::vector<LayerSettings>(6, test::settings("spectral", "bits:4", "bits:2"));

  std::unique_ptr<Engine<double>> three_steps(Topology topology = Topology::sharded) const {
    OptimizerSettings o;
    o.workers = 4;
    o.topology = topology;
    return test::run_quadratic<double>(world, test::odd_layers(), settings, o, 3);
  }
};

// With `settled`, collective: as a restart does. Sets the last entry of the part of the field that `rank` has.
void break_field(Engine<double>& muon, std::string const& path, bool here, double value, bool settled = false) {
  Registry registry;
  muon.register_state(registry);
  for (auto& f : registry) {
    if (f.path != path) continue;
    if (!here) {
      if (settled) f.settle();
      return;
    }
    std::vector<double> numbers(f.needed.elements());
    ASSERT_FALSE(numbers.empty()) << path << " is not here";
    f.get(numbers.data());
    numbers.back() = value;
    f.set(numbers.data());
    if (settled) f.settle();
    return;
  }
  FAIL() << "no field " << path;
}

std::string refusal(Engine<double> const& muon) {
  try {
    muon.check_invariants(1e-12);
  } catch (InputError const& e) {
    return e.what();
  }
  return "accepted";
}

TEST_F(Contracts, AnotherWOnOneRankIsSeen) {
  for (auto const topology : all_topologies)
    for (std::string const name : {"square", "tall", "one"}) {  // of several owners; the others are not told
      auto const muon = three_steps(topology);
      EXPECT_TRUE(muon->same_model());
      EXPECT_EQ(refusal(*muon), "accepted");
      auto const& layers = muon->layers();
      auto const layer =
          std::find_if(layers.begin(), layers.end(), [&](Layer const& l) { return l.name == name; }) - layers.begin();
      break_field(*muon, "/model/W/" + name, muon->exchange().plan().owner_of(static_cast<int>(layer)) == world.rank(), 0.5);
      EXPECT_EQ(muon->same_model(), world.size() == 1);
      EXPECT_EQ(refusal(*muon), world.size() == 1 ? "accepted" : "the state is not consistent: W differs between ranks");
    }
}

TEST_F(Contracts, AServerThatIsNotTheMeanOfItsWorkersIsSeen) {
  for (auto const topology : {Topology::sharded, Topology::dedicated}) {
    auto const muon = three_steps(topology);
    int const square = 2;
    auto const& plan = muon->exchange().plan();
    break_field(*muon, "/ef21-muon/server/G/square", world.rank() == plan.owner_of(square), 1e-3);
    EXPECT_NE(refusal(*muon).find("layer square: G differs from the mean of G_j"), std::string::npos) << refusal(*muon);
    auto const other = three_steps(topology);
    break_field(*other, "/ef21-muon/workers/G/wide", world.rank() == other->exchange().plan().home_of(1, 3), 7);
    EXPECT_NE(refusal(*other).find("layer wide: G differs"), std::string::npos) << refusal(*other);
  }
}

TEST_F(Contracts, WhatIsNotFiniteIsSeen) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  for (std::string const part : {"/model/W/", "/ef21-muon/server/X/", "/ef21-muon/workers/M/"}) {
    auto const muon = three_steps();
    auto const& plan = muon->exchange().plan();
    bool const here = (part == "/ef21-muon/workers/M/" ? plan.home_of(0, 0) : plan.owner_of(0)) == world.rank();
    break_field(*muon, part + "tall", here, nan, part == "/model/W/");
    EXPECT_NE(refusal(*muon).find(
                  "layer tall: " + std::string(part == "/ef21-muon/workers/M/" ? "M_j" : part.substr(part.size() - 2, 1)) +
                  " has a NaN or an infinity"),
              std::string::npos)
        << refusal(*muon);
  }
}

TEST_F(Contracts, RanksWithDifferentSettingsAllRefuse) {
  auto const made = [&](std::vector<LayerSettings> const& s, OptimizerSettings const& o) {
    try {
      Engine<double>(Space(), world, test::odd_layers(), s, o);
    } catch (UsageError const& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  bool const last = world.rank() == world.size() - 1;
  OptimizerSettings o;
  auto s = settings;
  if (last) s[1].radius = 0.06;
  auto const alone = world.size() == 1 ? "accepted" : "the ranks were given different layers or settings";
  EXPECT_EQ(made(s, o), alone);
  if (last) o.seed = 2;
  EXPECT_EQ(made(settings, o), alone);
  if (last) s[1].radius = -1;  // a mistake of one rank is told by all
  EXPECT_NE(made(s, OptimizerSettings()).find("layer wide: radius is -1"), std::string::npos);
}

/// Makes a mistake at step 1, on one rank.
struct Mistaken final : Objective<double> {
  test::Quadratic<double> right;
  bool here;
  std::string mistake;
  Mistaken(int micro_batches, bool h, std::string m)
      : right(test::odd_layers(), 4, 77, micro_batches), here(h), mistake(std::move(m)) {}
  std::vector<Layer> const& layers() const override { return right.layers(); }
  int micro_batches() const override { return right.micro_batches(); }
  void initialize(Space const& e, Point const& X) override { right.initialize(e, X); }
  void gradient(Space const& e, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    bool const now = here && share.step == 1;
    if (now && mistake == "bad data") throw InputError("my file is broken");
    if (now && mistake == "a bug") throw std::out_of_range("my table");
    right.gradient(e, loss, W, share, [&](int i, ConstMatrix<double, Space> const& g) {
      if (now && mistake == "missing" && i == 2) return;
      sink(i, g);
      if (now && mistake == "twice" && i == 2) sink(i, g);
    });
  }
  std::string describe() const override { return "mistaken"; }
};

// Nobody is left waiting for a message that will not come, wherever the rank stands in the plan.
TEST_F(Contracts, AMistakeOfOneRankIsToldByAll) {
  for (auto const topology : all_topologies)
    for (int const micros : {1, 4})
      for (int const culprit : {0, world.size() - 1})
        for (std::string const mistake : {"missing", "twice", "bad data", "a bug"}) {
          OptimizerSettings o;
          o.workers = micros == 4 ? 2 : 4;  // from 3 ranks on, ranks share a worker
          o.topology = topology;
          Mistaken objective(micros, world.rank() == culprit, mistake);
          Engine<double> muon(Space(), world, objective.layers(), settings, o, micros);
          muon.initialize(objective);
          muon.step(objective, 0, 1.0, false);
          auto const& plan = muon.exchange().plan();
          bool const computes = plan.workers_at(culprit).count * plan.micros_at(culprit).count > 0;
          auto const where = std::string(name_of(topology)) + ", " + std::to_string(micros) + " micro-batches, rank " +
                             std::to_string(culprit) + ": " + mistake;
          std::string text = "accepted", kind = "none";
          try {
            muon.step(objective, 1, 1.0, false);
          } catch (InputError const& e) {
            text = e.what(), kind = "bad data";
          } catch (UsageError const& e) {
            text = e.what(), kind = "missing or twice";
          } catch (Error const& e) {
            text = e.what(), kind = "another";
          } catch (std::exception const& e) {
            text = e.what(), kind = "a bug";
          }
          auto const all = world.gather(kind + ": " + text);
          for (auto const& other : all) EXPECT_EQ(other, all.front()) << where;
          if (!computes) {
            EXPECT_EQ(text, "accepted") << where;
          } else if (mistake == "bad data" || mistake == "a bug") {
            EXPECT_EQ(kind, mistake) << where;
            EXPECT_EQ(text, mistake == "a bug" ? "my table" : "my file is broken") << where;
          } else {
            EXPECT_EQ(kind, "missing or twice") << where;
            EXPECT_NE(text.find("layer square (2) was " + std::string(mistake == "twice" ? "given twice" : "never given")),
                      std::string::npos)
                << where << ": " << text;
          }
        }
}

TEST_F(Contracts, RanksWithDifferentDecksAllRefuse) {
  auto const told = [&](bool differs, std::string const& line) {
    auto const deck = Deck::from_text("[run]\nsteps = 4\n" + (differs ? line : std::string()) +
                                          "[objective]\nkind = own\n[optimizer]\nworkers = 4\n"
                                          "[group.all]\nlayers = *\nnorm = spectral\nradius = 0.05\n",
                                      "a test");
    Log const log(1);
    try {
      prepare_run(deck, world, {"test", "none", "", ""}, log);
    } catch (InputError const& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  for (int const culprit : {0, world.size() - 1}) {
    bool const me = world.rank() == culprit;
    for (char const* line : {"seed = 7\n", "directory = elsewhere\n", "blas_threads = 2\n", "log_every = 3\n"}) {
      auto const said = told(me, line);
      if (world.size() == 1)
        EXPECT_EQ(said, "accepted");
      else
        for (char const* part : {"the ranks were given different decks", "a test"})
          EXPECT_NE(said.find(part), std::string::npos) << line << said;
    }
    EXPECT_EQ(told(me, "# a comment, and a key that says what is so by default\nseed = 1\n"), "accepted");
  }
}

// A loop that ends with step(): nothing may be left for the next one that uses the communicator.
TEST_F(Contracts, ALoopThatEndsLeavesNoMessageBehind) {
  for (auto const topology : all_topologies) {
    three_steps(topology);
    world.barrier();
    int left = 0;
    for (int k = 0; k < 100; ++k) {  // what is on its way had all of the barrier to arrive
      KAON_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world.get(), &left, MPI_STATUS_IGNORE));
      if (left) break;
    }
    EXPECT_FALSE(left) << name_of(topology);
    world.barrier();
  }
}

TEST_F(Contracts, LoadedStateIsNotChangedByMessagesOfBefore) {
  auto const muon = three_steps();
  Registry registry;
  muon->register_state(registry);
  std::vector<std::vector<unsigned char>> saved;
  for (auto& f : registry) {
    saved.emplace_back(f.written.elements() * size_of(f.type));
    if (!saved.back().empty()) f.get(saved.back().data());
  }
  test::Quadratic<double> objective(test::odd_layers(), 4, 77);
  muon->step(objective, 3, 1.0, false);  // its downlinks are under way
  std::vector<double> const zeros(1000, 0.0);
  for (auto& f : registry)
    if (f.path.rfind("/model/W/", 0) == 0) f.set(zeros.data());
  auto const W = muon->W();
  for (std::size_t i = 0; i < W.size(); ++i) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, W[i]);
    for (std::size_t e = 0; e < host.size(); ++e) ASSERT_EQ(host.data()[e], 0.0);
  }
}

/// On one rank another arithmetic: W changes under the optimizer's hands.
struct Other final : Objective<double> {
  test::Quadratic<double> right{test::odd_layers(), 4, 77};
  bool here;
  explicit Other(bool h) : here(h) {}
  std::vector<Layer> const& layers() const override { return right.layers(); }
  void initialize(Space const& e, Point const& X) override { right.initialize(e, X); }
  void gradient(Space const& e, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    right.gradient(e, loss, W, share, sink);
    if (!here || share.step != 1) return;
    Matrix<double, Space> const w(const_cast<double*>(W[1].data()), W.rows(1), W.cols(1));
    Kokkos::deep_copy(e, w, 0.25);
  }
  std::string describe() const override { return "another arithmetic on one rank"; }
};

TEST_F(Contracts, ARunWhoseRanksDriftApartSavesNothing) {
  auto const name = "kaon-contracts-" + std::to_string(::getpid());
  auto const folder = world.broadcast((std::filesystem::temp_directory_path() / name).string(), 0);
  auto const deck =
      Deck::from_text("[run]\nsteps = 4\nprecision = double\ndirectory = " + folder +
                          "\n[objective]\nkind = own\n[optimizer]\nworkers = 4\n[exchange]\ntopology = replicated\n"
                          "[group.all]\nlayers = *\nnorm = spectral\nradius = 0.05\nuplink = bits:4\ndownlink = bits:2\n",
                      "a test");
  Log const log(world.rank());
  std::string told = "finished";
  {
    Training<double> training(world, deck, {"test", "none", "", ""}, log,
                              std::make_unique<Other>(world.rank() == world.size() - 1));
    training.start();
    try {
      training.run(std::nullopt);
    } catch (NumericalError const& e) {
      told = e.what();
    }
  }
  if (world.size() == 1) {
    EXPECT_EQ(told, "finished");
  } else {
    for (auto const* part : {"W differs between the ranks at step 4", "no checkpoint is written", "exchange.topology = sharded"})
      EXPECT_NE(told.find(part), std::string::npos) << part << " is missing: " << told;
    if (world.rank() == 0) {
      EXPECT_TRUE(std::filesystem::exists(folder + "/checkpoints/step-00000000.h5"));
      EXPECT_FALSE(std::filesystem::exists(folder + "/checkpoints/step-00000004.h5"));
    }
  }
  world.barrier();
  if (world.rank() == 0) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace kaon
