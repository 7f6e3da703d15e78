// Algorithmic bytes are the closed formulas: every R_j once, every S once for each worker, each with its header; the dense start
// in full; packets whose length varies by what they really took.
#include <kaon/compress/registry.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace kaon {
namespace bytes_test {

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
              should.received = should.up + should.down;  // by the server, and by the workers
              EXPECT_EQ(run->exchange().bytes(static_cast<int>(i)), should)
                  << layers[i].name << ", " << up << " up, " << down << " down, " << workers << " workers: up "
                  << run->exchange().bytes(static_cast<int>(i)).up << " " << should.up << ", down "
                  << run->exchange().bytes(static_cast<int>(i)).down << " " << should.down;
            }
          }
}

/// Sends nothing, in as many words as step, layer and worker say: a payload whose length is known and is another every time.
template <class T, class Exec>
class Varying final : public Compressor<T, Exec> {
 public:
  Varying(int rows, int cols) : Compressor<T, Exec>(rows, cols) {}
  static constexpr std::size_t most = 5;
  static std::size_t bytes(std::uint64_t step, std::uint64_t layer, std::uint64_t worker) {
    return 8 * (1 + (3 * step + layer + 2 * worker) % most);
  }
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    part.expect(1, 1);
    return std::make_unique<Varying>(part.rows, part.cols);
  }
  std::string spec() const override { return "words"; }
  std::size_t bytes_bound() const override { return 8 * most; }
  double guaranteed_alpha() const override { return 0; }
  bool plausible(std::size_t length) const override { return length > 0 && length <= 8 * most && length % 8 == 0; }
  bool fixed_length() const override { return false; }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const& key) override {
    this->check_compress(payload, x);
    Kokkos::deep_copy(exec, payload, static_cast<unsigned char>(0));
    Kokkos::deep_copy(exec, length, std::uint64_t{bytes(key.step, key.layer, key.worker)});
  }
  void decompress_add(Exec const&, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override {
    this->check_decompress(y, payload, length);
  }
};

TEST(Bytes, OfPacketsWhoseLengthVariesAreWhatTheyTook) {
  register_compressor<Varying>("words", "words    as many words as step, layer and worker say", Role::plain);
  using Codec = Varying<float, Space>;
  Communicator const self(MPI_COMM_SELF);
  auto const layers = test::odd_layers();
  int const steps = 7;
  for (auto const start : {Start::dense, Start::zero})
    for (std::size_t const bundle : {0, 300})
      for (auto const topology : all_topologies) {
        OptimizerSettings o;
        o.workers = 3;
        o.start = start;
        o.topology = topology;
        o.bundle_bytes = bundle;
        auto const run = test::run_quadratic<float>(
            self, layers, std::vector<LayerSettings>(layers.size(), test::settings("frobenius", "words", "words")), o, steps);
        for (std::size_t i = 0; i < layers.size(); ++i) {
          auto const dense =
              payload("identity", static_cast<std::uint64_t>(layers[i].rows), static_cast<std::uint64_t>(layers[i].cols));
          ByteCount should;
          for (std::uint64_t k = 0; k < steps; ++k) {
            for (std::uint64_t j = 0; j < 3; ++j)
              should.up += packet_header_bytes + (k == 0 && start == Start::dense ? dense : Codec::bytes(k, i, j));
            should.down += 3 * (packet_header_bytes + Codec::bytes(k, i, 0));
          }
          should.received = should.up + should.down;
          EXPECT_EQ(run->exchange().bytes(static_cast<int>(i)), should) << layers[i].name << ", bundles of " << bundle;
        }
      }
}

}  // namespace bytes_test
}  // namespace kaon
