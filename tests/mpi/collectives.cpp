// What a save and a restart ask of all ranks: as many collective operations for any number of fields, and the model read once,
// whatever the number of ranks.
#include "../unit/checkpoint/toy.hpp"

#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace {
long collectives = 0;
}

// MPI's profiling interface: these stand in front of the library's.
extern "C" {
int MPI_Iallgather(void const* a, int n, MPI_Datatype s, void* b, int m, MPI_Datatype t, MPI_Comm c, MPI_Request* r) {
  ++collectives;
  return PMPI_Iallgather(a, n, s, b, m, t, c, r);
}
int MPI_Iallgatherv(void const* a, int n, MPI_Datatype s, void* b, int const* m, int const* d, MPI_Datatype t, MPI_Comm c,
                    MPI_Request* r) {
  ++collectives;
  return PMPI_Iallgatherv(a, n, s, b, m, d, t, c, r);
}
int MPI_Iallreduce(void const* a, void* b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c, MPI_Request* r) {
  ++collectives;
  return PMPI_Iallreduce(a, b, n, t, o, c, r);
}
int MPI_Ibcast(void* a, int n, MPI_Datatype t, int root, MPI_Comm c, MPI_Request* r) {
  ++collectives;
  return PMPI_Ibcast(a, n, t, root, c, r);
}
int MPI_Ibarrier(MPI_Comm c, MPI_Request* r) {
  ++collectives;
  return PMPI_Ibarrier(c, r);
}
}

namespace kaon {
namespace {

struct Collectives : ::testing::Test {
  Communicator const world{MPI_COMM_WORLD};
  test::TempFolder temp{world};
};

/// Fields f0, f1, … of 2×60000 floats, whose rows the ranks write in turn: an integrity block lies within one row.
Registry fields(int count, int rank, int ranks) {
  Registry registry;
  for (int i = 0; i < count; ++i) {
    Field f;
    f.path = "/method/f" + std::to_string(i);
    f.shape = {2, 60000};
    f.resize = Resize::kept;
    bool const mine = i % ranks == rank;
    f.written = mine ? Part{{0, 0}, {2, 60000}} : Part{{0, 0}, {0, 0}};
    f.needed = f.written;
    f.get = [](void* out) { std::fill_n(static_cast<float*>(out), 120000, 1.5f); };
    f.set = [](void const*) {};
    registry.push_back(std::move(f));
  }
  return registry;
}

TEST_F(Collectives, OfASaveAreAsManyForAnyNumberOfFields) {
  test::Toy const toy(world, 7);
  long counts[2];
  for (int const k : {0, 1}) {
    auto const registry = fields(k == 0 ? 4 : 64, world.rank(), world.size());
    Checkpoints store(world, temp / ("of" + std::to_string(k)), 2);
    collectives = 0;
    store.save(toy.info(), registry);
    counts[k] = collectives;
  }
  std::printf("collective operations of a save on %d ranks: %ld with 4 fields, %ld with 64\n", world.size(), counts[0],
              counts[1]);
  EXPECT_GT(counts[0], 0) << "they are counted";
  EXPECT_EQ(counts[0], counts[1]);
  EXPECT_LE(counts[1], 32);
}

TEST_F(Collectives, OfARestartReadTheModelOnce) {
  auto const layers = test::odd_layers();
  std::vector<LayerSettings> const s(layers.size(), test::settings("frobenius", "bits:4", "bits:2"));
  OptimizerSettings o;
  o.workers = 3;
  auto const before = test::run_quadratic<float>(world, layers, s, o, 3);
  test::Quadratic<float> objective(layers, o.workers, 77);
  Engine<float> after(Space(), world, layers, s, o);
  Registry from, to;
  before->register_state(from);
  after.register_state(to);
  std::int64_t read = 0, model = 0;
  for (auto const& f : to)
    if (f.path.rfind("/model/W/", 0) == 0) {
      read += static_cast<std::int64_t>(f.needed.elements());
      model += static_cast<std::int64_t>(f.shape[0] * f.shape[1]);
    }
  EXPECT_EQ(world.sum(read), model) << "elements of W that all ranks read";

  CheckpointInfo info = test::Toy(world, 3).info();
  info.workers = 3;
  Checkpoints const store(world, temp / "run", 2);
  Checkpoints(world, temp / "run", 2).save(info, from);
  store.load("latest", to);
  EXPECT_TRUE(after.same_model());
  EXPECT_EQ(test::bytes_of(after), test::bytes_of(*before));
  EXPECT_NO_THROW(after.step(objective, 3, 1, false)) << "a rank that has read nothing may go on too";
}

}  // namespace
}  // namespace kaon
