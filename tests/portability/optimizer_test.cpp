// Fifty steps of the whole optimizer on the default back end against the fp64 twin.
#include "ef21_reference.hpp"
#include "report.hpp"

#include <kaon/support/state.hpp>

namespace kaon {
namespace {

using namespace test;

template <class T>
struct PortableOptimizer : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PortableOptimizer, Scalars);

/// `tied`: shifts of equal size make the compressors' choices hang on the last bit, which float and fp64 do not share.
struct Case {
  char const *norm, *up, *down;
  bool tied;
};

Map oracle(std::string const& norm) {
  if (norm == "max-abs") return max_abs_reference;
  if (norm == "row") return row_reference;
  auto const table = polar_coefficients("muon", 5);
  return [table](HostMatrix const& g) { return spectral_reference(g, table); };
}
Map compressor(std::string const& spec) {
  if (spec == "top:0.3") return [](HostMatrix const& x) { return top_reference(x, 0.3); };
  if (spec == "natural") return natural_reference;
  if (spec == "damp:0.6")
    return [](HostMatrix x) {
      for (auto& v : x.a) v *= 0.6;
      return x;
    };
  return [](HostMatrix const& x) { return x; };
}

TYPED_TEST(PortableOptimizer, FiftySteps) {
  using T = TypeParam;
  int const workers = 3, steps = 50;
  double const radius = 0.05;
  Communicator const self(MPI_COMM_SELF);
  std::vector<Layer> const layers{{"tall", 24, 10}, {"wide", 9, 31}, {"square", 16, 16}};
  for (auto const& c : {Case{"spectral", "identity", "identity", false}, Case{"spectral", "top:0.3", "damp:0.6", false},
                        Case{"max-abs", "damp:0.6", "damp:0.6", false}, Case{"row", "top:0.3", "identity", false},
                        Case{"spectral", "top:0.3", "natural", true}, Case{"max-abs", "natural", "top:0.3", true}}) {
    if (c.tied && std::is_same_v<T, float>) continue;
    auto s = settings(c.norm, c.up, c.down, radius);
    s.lmo.polar.set = "muon";
    OptimizerSettings o;
    o.workers = workers;
    auto const kaon = run_quadratic<T>(self, layers, std::vector<LayerSettings>(layers.size(), s), o, steps);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      HostMatrix start(layers[i].rows, layers[i].cols);
      auto const fill = [&](HostMatrix& m, StreamKey const& key) {
        for (std::size_t e = 0; e < m.a.size(); ++e) m.a[e] = static_cast<double>(static_cast<T>(random_normal(key, e)));
      };
      fill(start, {77, Purpose::initialise, 0, static_cast<std::uint32_t>(i), 0});
      std::vector<HostMatrix> targets(workers, start);
      for (int j = 0; j < workers; ++j)
        fill(targets[static_cast<std::size_t>(j)],
             {77, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
      Ef21Reference reference(start, targets, oracle(c.norm), compressor(c.up), compressor(c.down), radius, s.beta);
      for (int k = 0; k < steps; ++k) reference.step();
      record(Space::name(), sizeof(T) == 4 ? "float" : "double",
             std::string("50 steps, ") + c.norm + ", up " + c.up + ", down " + c.down,
             relative_error(to_host(kaon->server().W()[i]), reference.W), ulps<T>(4) * steps);
    }
  }
}

}  // namespace
}  // namespace kaon
