// Fifty steps of the whole optimizer on the default back end against the fp64 twin.
#include "ef21_reference.hpp"
#include "report.hpp"

#include <kaon/support/state.hpp>

namespace kaon {
namespace optimizer_test {

using namespace test;

template <class T>
struct PortableOptimizer : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PortableOptimizer, Scalars);

/// `tied`: choices that hang on the last bit (shifts of equal size, a coin beside a fraction), which float and fp64 do not share.
struct Case {
  char const *norm, *up, *down;
  bool tied = false;
  char const* form = "";  ///< nesterov, adaptive, decay, constrained, zero, micro: any of them
  bool has(char const* word) const { return std::string(form).find(word) != std::string::npos; }
};

constexpr Case cases[] = {
    {"spectral", "identity", "identity"},
    {"spectral", "top:0.3", "damp:0.6"},
    {"max-abs", "damp:0.6", "damp:0.6"},
    {"row", "top:0.3", "identity"},
    {"spectral", "top:0.3", "natural", true},
    {"max-abs", "natural", "top:0.3", true},
    // Every branch of the step alone, then together.
    {"spectral", "top:0.3", "damp:0.6", false, "nesterov"},
    {"row", "damp:0.6", "damp:0.6", false, "adaptive"},
    {"spectral", "damp:0.6", "identity", false, "decay"},
    {"max-abs", "damp:0.6", "damp:0.6", false, "constrained"},
    {"spectral", "top:0.3", "identity", false, "zero"},
    {"row", "identity", "damp:0.6", false, "micro"},
    {"spectral", "top:0.3", "damp:0.6", true, "nesterov adaptive decay zero micro"},
    {"spectral", "rand:0.4", "damp:0.6", false, "nesterov adaptive decay zero micro"},
    {"row", "damp:0.6", "top:0.3", false, "nesterov adaptive constrained micro"},
    // Random compressors draw the same numbers here and there.
    {"spectral", "rand:0.4", "identity"},
    {"row", "rand:0.4", "rand:0.6", false, "nesterov zero"},
    {"spectral", "dropout:0.6", "damp:0.6", false, "micro"},
    {"row", "identity", "dropout:0.7", false, "adaptive decay"},
    {"spectral", "natural:stochastic", "identity", true},
    {"row", "rand:0.4", "natural:stochastic", true, "nesterov decay zero micro"},
};

Map oracle(std::string const& norm) {
  if (norm == "max-abs") return max_abs_reference;
  if (norm == "row") return row_reference;
  auto const table = polar_coefficients("muon", 5);
  return [table](HostMatrix const& g) { return spectral_reference(g, table); };
}

Codec compressor(std::string const& spec) {
  if (spec == "identity") return [](HostMatrix const& x, StreamKey const&) { return x; };
  if (spec == "top:0.3") return [](HostMatrix const& x, StreamKey const&) { return top_reference(x, 0.3); };
  if (spec == "natural") return [](HostMatrix const& x, StreamKey const&) { return natural_reference(x); };
  if (spec == "natural:stochastic") return stochastic_natural_reference;
  if (spec == "damp:0.6")
    return [](HostMatrix x, StreamKey const&) {
      for (auto& v : x.a) v *= 0.6;
      return x;
    };
  auto const at = spec.find(':');
  double const part = std::stod(spec.substr(at + 1));
  if (spec.substr(0, at) == "rand")
    return [part](HostMatrix const& x, StreamKey const& key) { return random_entries_reference(x, part, key); };
  if (spec.substr(0, at) == "dropout")
    return [part](HostMatrix const& x, StreamKey const& key) { return dropout_reference(x, part, key); };
  throw std::invalid_argument("the twin knows no " + spec);
}

TYPED_TEST(PortableOptimizer, FiftySteps) {
  using T = TypeParam;
  int const workers = 3, steps = 50;
  Communicator const self(MPI_COMM_SELF);
  std::vector<Layer> const layers{{"tall", 24, 10}, {"wide", 9, 31}, {"square", 16, 16}};
  double const betas[] = {0.3, 0.12, 1.0};  // a group each
  for (auto const& c : cases) {
    if (c.tied && std::is_same_v<T, float>) continue;
    bool const adaptive = c.has("adaptive");
    int const micro_batches = c.has("micro") ? 3 : 1;
    OptimizerSettings o;
    o.workers = workers;
    o.seed = 12;
    o.nesterov = c.has("nesterov");
    o.adaptive = adaptive;
    o.start = c.has("zero") ? Start::zero : Start::dense;
    std::vector<LayerSettings> s;
    for (double const beta : betas) {
      s.push_back(settings(c.norm, c.up, c.down, adaptive ? 0.002 : 0.05));
      s.back().lmo.polar.set = "muon";
      s.back().beta = beta;
      s.back().decay = c.has("constrained") ? 1 : c.has("decay") ? 0.1 : 0;
    }
    auto const multiplier = [](int k) { return 1.0 / (1 + 0.05 * k); };
    Quadratic<T> objective(layers, workers, 77, micro_batches);
    Engine<T> kaon(Space(), self, layers, s, o, micro_batches);
    kaon.initialize(objective);
    for (int k = 0; k < steps; ++k) kaon.step(objective, static_cast<std::uint64_t>(k), multiplier(k), false);

    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const layer = static_cast<std::uint32_t>(i);
      auto const drawn = [&](StreamKey const& key) {
        HostMatrix m(layers[i].rows, layers[i].cols);
        for (std::size_t e = 0; e < m.a.size(); ++e) m.a[e] = static_cast<double>(static_cast<T>(random_normal(key, e)));
        return m;
      };
      std::vector<std::vector<HostMatrix>> targets(workers);
      for (int j = 0; j < workers; ++j)
        for (int b = 0; b < micro_batches; ++b)
          targets[static_cast<std::size_t>(j)].push_back(
              drawn({77, Purpose::test, 1, layer, static_cast<std::uint32_t>(j * micro_batches + b)}));
      Ef21Reference reference(
          drawn({77, Purpose::initialise, 0, layer, 0}), targets, oracle(c.norm), compressor(c.up), compressor(c.down),
          {s[i].radius, s[i].beta, s[i].decay, o.nesterov, o.adaptive, o.start == Start::zero, o.seed, layer});
      for (int k = 0; k < steps; ++k) reference.step(static_cast<std::uint32_t>(k), multiplier(k));
      auto const name = std::string("50 steps, ") + c.norm + ", up " + c.up + ", down " + c.down + (*c.form ? ", " : "") + c.form;
      char const* const scalar = sizeof(T) == 4 ? "float" : "double";
      record(Space::name(), scalar, name, relative_error(to_host(kaon.W()[i]), reference.W), ulps<T>(4) * steps);
      if (test::ef21(kaon).keeps_G(static_cast<int>(i)))
        record(Space::name(), scalar, name + ": G", relative_error(to_host(test::ef21(kaon).G(static_cast<int>(i))), reference.G),
               ulps<T>(8) * steps);
    }
  }
}

}  // namespace optimizer_test
}  // namespace kaon
