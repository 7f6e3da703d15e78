// RankK against the two products that it cannot do without.
#include "bench.hpp"

#include <kaon/compress/compressor.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/orthonormalize.hpp>

#include <memory>

namespace kaon::bench {
namespace lowrank_races {

constexpr int rows = 768, cols = 3072;

struct Normal {
  float* x;
  std::uint64_t seed;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    x[i] = static_cast<float>(random_normal({seed, Purpose::test, 0, 0, 0}, static_cast<std::uint64_t>(i)));
  }
};
struct Copy {
  float* to;
  float const* from;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const { to[i] = from[i]; }
};

void fill_normal(Exec const& exec, Matrix<float, Exec> const& x, std::uint64_t seed) {
  Kokkos::parallel_for("kaon::bench::fill", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(x.size())),
                       Normal{x.data(), seed});
}

struct Products {
  Matrix<float, Exec> x{"kaon::bench::x", rows, cols}, v, q, b;
  explicit Products(Exec const& exec, int rank)
      : v("kaon::bench::v", cols, static_cast<std::size_t>(rank)),
        q("kaon::bench::q", rows, static_cast<std::size_t>(rank)),
        b("kaon::bench::b", static_cast<std::size_t>(rank), cols) {
    fill_normal(exec, x, 21);
    fill_normal(exec, v, 22);
    forward(exec);
    backward(exec);
  }
  void forward(Exec const& exec) const { gemm<float>(exec, q, Op::none, x, Op::none, v); }
  void backward(Exec const& exec) const { gemm<float>(exec, b, Op::transpose, q, Op::none, x); }
};

struct Setting : Products {
  std::shared_ptr<Compressor<float, Exec>> compressor;
  Bytes<Exec> payload;
  Scalar<std::uint64_t, Exec> length{"kaon::bench::length"};
  Matrix<float, Exec> state, y{"kaon::bench::y", rows, cols};

  Setting(Exec const& exec, std::shared_ptr<Compressor<float, Exec>> const& made)
      : Products(exec, made->state_shape().second),
        compressor(made),
        payload("kaon::bench::payload", made->bytes_bound()),
        state("kaon::bench::state", cols, static_cast<std::size_t>(made->state_shape().second)) {
    compressor->initialize_state(exec, state, {23, Purpose::initialise, 0, 0, 0});
    for (std::uint32_t step = 0; step < 3; ++step) compress(exec, step);
  }
  void compress(Exec const& exec, std::uint32_t step) const {
    compressor->compress(exec, payload, length, x, state, {24, Purpose::compress_up, step, 0, 0});
  }
};

Pair encode(Exec const& exec, std::string const& spec) {
  auto const s = std::make_shared<Setting>(exec, make_compressor<float, Exec>(spec, rows, cols));
  return {[=] { s->compress(exec, 3); },
          [=] {
            s->forward(exec);
            s->backward(exec);
          }};
}

Pair decode(Exec const& exec, std::string const& spec) {
  auto const s = std::make_shared<Setting>(exec, make_compressor<float, Exec>(spec, rows, cols));
  return {[=] { s->compressor->decompress_add(exec, s->y, s->payload, s->payload.extent(0)); },
          [=] { gemm<float>(exec, s->y, Op::none, s->q, Op::none, s->b, 1.0F, 1.0F); }};
}

/// The orthonormalisation of xV alone, fed with the same columns each time.
Pair orthonormalize(Exec const& exec, int rank) {
  auto const s = std::make_shared<Products>(exec, rank);
  auto const basis = std::make_shared<Orthonormalizer<float, Exec>>(rows, rank);
  Matrix<float, Exec> const work("kaon::bench::work", rows, static_cast<std::size_t>(rank));
  return {[=] {
            Kokkos::parallel_for("kaon::bench::copy", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<std::int64_t>(work.size())),
                                 Copy{work.data(), s->q.data()});
            (*basis)(exec, work);
          },
          [=] {
            s->forward(exec);
            s->backward(exec);
          }};
}

void add(Suite& suite, std::string const& name, std::string const& kernel, std::string const& floor, Asked const& asked, int rank,
         int products, std::function<Pair(Exec const&)> make) {
  Race race;
  race.name = "lowrank/" + name;
  race.kernel = kernel + ", 768 x 3072";
  race.floor = floor;
  race.asked = asked;
  race.make = std::move(make);
  race.bytes = 4.0 * products * (double{rows} * cols + static_cast<double>(rank) * (rows + cols));
  suite.races.push_back(race);
}

}  // namespace lowrank_races

void add_lowrank(Suite& suite) {
  using namespace lowrank_races;
  Asked const warm{Asked::Sense::at_most, 1.4, 1.2}, nothing{};
  char const* const two = "its two products xV and Q'x";
  auto const compressed = [&](std::string const& name, std::string const& spec, int rank, Asked const& asked) {
    add(suite, name, spec + " warm", two, asked, rank, 2, [spec](Exec const& exec) { return encode(exec, spec); });
  };
  compressed("rank15", "rank:0.15", 115, warm);
  compressed("rank5", "rank:0.05", 38, nothing);
  compressed("rank30", "rank:0.3", 230, nothing);
  compressed("rank15_bits4", "rank:0.15+bits:4", 115, nothing);
  add(suite, "rank15/decode", "rank:0.15 decode and add", "its one product QB", nothing, 115, 1,
      [](Exec const& exec) { return decode(exec, "rank:0.15"); });
  add(suite, "orthonormalize115", "orthonormal basis of 115 columns", two, nothing, 115, 2,
      [](Exec const& exec) { return orthonormalize(exec, 115); });
}

}  // namespace kaon::bench
