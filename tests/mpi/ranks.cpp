// The result does not depend on the number of ranks: every byte of state on R ranks equals the run on one.
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

template <class T>
void expect_same_bits(std::string const& norm, std::string const& up, std::string const& down, int workers, Start start,
                      std::vector<Layer> const& layers, bool adaptive = false) {
  Communicator const world(MPI_COMM_WORLD), self(MPI_COMM_SELF);
  OptimizerSettings o;
  o.workers = workers;
  o.start = start;
  o.adaptive = adaptive;
  o.seed = 9;
  std::vector<LayerSettings> const s(layers.size(), test::settings(norm, up, down));
  std::vector<StepReport> here, alone;
  auto const many = test::run_quadratic<T>(world, layers, s, o, 6, true, &here);
  auto const one = test::run_quadratic<T>(self, layers, s, o, 6, true, &alone);

  Registry parts, whole;
  many->register_state(parts);
  one->register_state(whole);
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t f = 0; f < parts.size(); ++f) {
    ASSERT_EQ(parts[f].path, whole[f].path);
    ASSERT_EQ(parts[f].shape, whole[f].shape);
    std::size_t const width = size_of(parts[f].type);
    std::vector<unsigned char> mine(parts[f].written.elements() * width), all(whole[f].written.elements() * width);
    if (!all.empty()) whole[f].get(all.data());
    if (mine.empty()) continue;
    parts[f].get(mine.data());
    std::size_t const slab = all.size() / parts[f].shape[0];
    std::size_t const at = parts[f].written.offset[0] * slab;
    std::size_t differing = 0;
    for (std::size_t b = 0; b < mine.size(); ++b) differing += mine[b] != all[at + b];
    EXPECT_EQ(differing, 0u) << parts[f].path << " with " << norm << ", " << up << " up, " << down << " down on " << world.size()
                             << " ranks";
  }
  for (std::size_t k = 0; k < here.size(); ++k) {
    EXPECT_EQ(here[k].loss, alone[k].loss);
    EXPECT_EQ(here[k].worker_loss, alone[k].worker_loss);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_EQ(here[k].layers[i].alpha_up, alone[k].layers[i].alpha_up);
      EXPECT_EQ(here[k].layers[i].gap, alone[k].layers[i].gap);
    }
  }

  // Algorithmic bytes are the algorithm's, not the ranks'; bytes on the wire vanish on one rank.
  auto const count = many->exchange().bytes();
  EXPECT_EQ(world.sum(static_cast<std::int64_t>(count.up)), static_cast<std::int64_t>(one->exchange().bytes().up));
  EXPECT_EQ(world.sum(static_cast<std::int64_t>(count.down)), static_cast<std::int64_t>(one->exchange().bytes().down));
  EXPECT_EQ(one->exchange().bytes().wire_up + one->exchange().bytes().wire_down, 0u);
}

TEST(Ranks, SameBitsForEveryCompressorBothWays) {
  for (auto const* spec : {"identity", "top:0.2", "rank:0.4", "natural", "natural:stochastic", "bits:1", "bits:2", "bits:4",
                           "bits:8", "top:0.3+natural", "rank:0.5+bits:4", "natural:coded", "top:0.2+natural:coded", "rand:0.3",
                           "columns:0.3", "dropout:0.5+rank:0.4", "damp:0.5", "dither:4", "sign"})
    expect_same_bits<float>("spectral", spec, spec, 4, Start::dense, test::odd_layers());
}

TEST(Ranks, SameBitsForEveryNormAndStart) {
  for (auto const* norm : {"spectral", "max-abs", "frobenius", "column", "row", "nuclear", "schatten", "l1", "one-to-one",
                           "inf-to-inf", "ky-fan", "dual-ky-fan"})
    for (auto start : {Start::dense, Start::zero})
      expect_same_bits<double>(norm, "top:0.25+bits:4", "bits:2", 4, start, test::odd_layers(), start == Start::zero);
}

TEST(Ranks, SameBitsForUnevenWorkersAndLayers) {
  for (int workers : {1, 2, 3, 5, 7}) {
    expect_same_bits<float>("spectral", "bits:4", "bits:2", workers, Start::dense, {{"only", 12, 20}});
    expect_same_bits<float>("spectral", "rank:0.3", "bits:2", workers, Start::dense, test::odd_layers());
  }
}

TEST(Ranks, InvariantsHoldOnEveryRankCount) {
  Communicator const world(MPI_COMM_WORLD);
  OptimizerSettings o;
  o.workers = 5;
  std::vector<LayerSettings> const s(6, test::settings("spectral", "top:0.2", "bits:2"));
  auto const run = test::run_quadratic<double>(world, test::odd_layers(), s, o, 10);
  EXPECT_LE(run->check_invariants(1e-14), 1e-14);
}

}  // namespace
}  // namespace kaon
