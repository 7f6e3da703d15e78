// Algorithmic bytes are the closed formulas: every R_j once, every S once for each worker, each with its header; the dense start
// in full.
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace kaon {
namespace {

std::uint64_t words(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

/// Payload of an m×n matrix as docs/file-formats.md has it.
std::uint64_t payload(std::string const& spec, std::uint64_t m, std::uint64_t n) {
  auto const entries = m * n;
  if (spec == "identity") return words(4 * entries);
  if (spec == "sign") return 8 + words((entries + 7) / 8);
  ADD_FAILURE() << "no formula for " << spec;
  return 0;
}

TEST(Bytes, AreTheClosedFormulas) {
  Communicator const self(MPI_COMM_SELF);
  auto const layers = test::odd_layers();
  int const steps = 5;
  for (std::string const up : {"identity", "sign"})
    for (std::string const down : {"identity", "sign"})
      for (auto const start : {Start::dense, Start::zero})
        for (int const workers : {1, 3})
          for (auto const topology : all_topologies) {
            OptimizerSettings o;
            o.workers = workers;
            o.start = start;
            o.topology = topology;
            std::vector<LayerSettings> const s(layers.size(), test::settings("spectral", up, down));
            auto const run = test::run_quadratic<float>(self, layers, s, o, steps);
            for (std::size_t i = 0; i < layers.size(); ++i) {
              auto const m = static_cast<std::uint64_t>(layers[i].rows), n = static_cast<std::uint64_t>(layers[i].cols);
              auto const j = static_cast<std::uint64_t>(workers);
              std::uint64_t const dense = start == Start::dense ? 1 : 0;
              auto const coded = steps - dense;
              ByteCount should;
              should.up = j * (steps * packet_header_bytes + dense * payload("identity", m, n) + coded * payload(up, m, n));
              should.down = j * steps * (packet_header_bytes + payload(down, m, n));
              EXPECT_EQ(run->exchange().bytes(static_cast<int>(i)), should)
                  << layers[i].name << ", " << up << " up, " << down << " down, " << workers << " workers: up "
                  << run->exchange().bytes(static_cast<int>(i)).up << " " << should.up << ", down "
                  << run->exchange().bytes(static_cast<int>(i)).down << " " << should.down;
            }
          }
}

}  // namespace
}  // namespace kaon
