#include <kaon/cost/layer_costs.hpp>

#include <kaon/clock/work_clock.hpp>
#include <kaon/core/error.hpp>
#include <kaon/exchange/packet.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/orthonormalize.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/set.hpp>
#include <kaon/method/staging.hpp>
#include <kaon/method/tools.hpp>
#include <kaon/random/stream.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace kaon {

namespace {

template <class T>
struct Normal {
  T* to;
  StreamKey key;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    to[i] = static_cast<T>(random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

// Times calls as a step meets them: between two rounds of a layer all the others have been through the caches. Compressors and
// sums take twice as long then.
class Clock {
 public:
  Clock(Space const& exec, int repetitions)
      : exec_(exec), repetitions_(repetitions), other_("kaon::cost::timed_other", runs_on_host<Space> ? cache : 0) {}

  // Median seconds of the calls after one that warms up.
  template <class Body>
  double operator()(Body&& body) const {
    std::vector<double> times;
    for (int k = 0; k <= repetitions_; ++k) {
      Kokkos::deep_copy(exec_, other_, static_cast<unsigned char>(k));
      exec_.fence();
      double const begin = work_seconds();
      body();
      exec_.fence();
      if (k > 0) times.push_back(work_seconds() - begin);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

 private:
  static constexpr std::size_t cache = std::size_t(16) << 20;
  Space exec_;
  int repetitions_;
  Bytes<Space> other_;
};

// Seconds of encoding, of decoding, and the packet's bytes.
struct Coding {
  double encode = 0, decode = 0;
  std::size_t bytes = 0;
};

template <class T>
Coding time_coding(Space const& exec, Clock const& clock, Compressor<T, Space>& codec, Staging<T>& staging,
                   Matrix<T, Space> const& x, Matrix<T, Space> const& y) {
  StreamKey const key{1, Purpose::compress_up, 0, 0, 0};
  auto const [r, c] = codec.state_shape();
  Matrix<T, Space> const memory("kaon::cost::timed_state", static_cast<std::size_t>(r), static_cast<std::size_t>(c));
  if (memory.size() > 0) codec.initialize_state(exec, memory, key);
  Kokkos::View<unsigned char*, Kokkos::LayoutRight, StagingSpace> const out("kaon::cost::timed_packet", codec.bytes_bound());
  Coding t;
  t.encode = clock([&] { t.bytes = staging.encode(exec, codec, x, memory, key, {out.data(), out.extent(0)}); });
  t.decode = clock([&] { staging.apply(exec, codec, y, {out.data(), t.bytes}); });
  t.bytes += packet_header_bytes;
  return t;
}

// Seconds of what surrounds coding, for one shape.
struct Passes {
  double momentum = 0, shift = 0, add = 0, clear = 0;
};

template <class T>
Passes time_passes(Space const& exec, Clock const& clock, Matrix<T, Space> const& x, Matrix<T, Space> const& y,
                   Matrix<T, Space> const& z) {
  Passes t;
  t.momentum = clock([&] { lerp<T>(exec, y, T(0.1), x); });
  t.shift = clock([&] { difference<T>(exec, z, y, x); });
  t.add = clock([&] { axpy<T>(exec, z, T(0.5), x); });
  t.clear = clock([&] { fill<T>(exec, z, T(0)); });
  return t;
}

// Seconds of products with factors of r columns, and of what makes them, for one shape; and their packets, as they are.
struct Factors {
  double right = 0, left = 0, outer = 0, orthonormal = 0;  // x·(n×r), xᵀ·(m×r), (m×r)·(n×r)ᵀ added to x
  Coding of_left, of_right;
};

template <class T>
Factors time_factors(Space const& exec, Clock const& clock, Staging<T>& staging, Matrix<T, Space> const& x, int r) {
  auto const m = x.extent(0), n = x.extent(1), k = static_cast<std::size_t>(r);
  Matrix<T, Space> const P("kaon::cost::timed_P", m, k), Q("kaon::cost::timed_Q", n, k), other("kaon::cost::timed_R", n, k),
      y("kaon::cost::timed_product", m, n);
  Kokkos::parallel_for("kaon::cost::timed_fill", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(Q.size())),
                       Normal<T>{Q.data(), {1, Purpose::gradient_noise, 1, 0, 0}});
  Orthonormalizer<T, Space> orthonormalize(static_cast<int>(m), r);
  auto const coding = [&](Matrix<T, Space> const& factor) {
    auto const codec = make_compressor<T, Space>("identity", static_cast<int>(factor.extent(0)), r);
    Matrix<T, Space> const copy("kaon::cost::timed_factor", factor.extent(0), k);
    return time_coding<T>(exec, clock, *codec, staging, factor, copy);
  };
  Factors t;
  t.right = clock([&] { gemm<T>(exec, P, Op::none, x, Op::none, Q); });
  t.orthonormal = clock([&] {
    gemm<T>(exec, P, Op::none, x, Op::none, Q);
    orthonormalize(exec, P);
  });
  t.orthonormal = std::max(0.0, t.orthonormal - t.right);
  t.left = clock([&] { gemm<T>(exec, other, Op::transpose, x, Op::none, P); });
  t.outer = clock([&] { gemm<T>(exec, y, Op::none, P, Op::transpose, Q, T(0.01), T(1)); });
  t.of_left = coding(P);
  t.of_right = coding(Q);
  return t;
}

// A step of two rounds with factors: what each adds to a layer whose passes are `p`.
void add_factors(LayerCost& c, Factors const& t, Passes const& p, double share_left, double share_right) {
  c.compress_up = p.add + t.right + t.of_left.encode;
  c.aggregate = t.of_left.decode + share_left * p.add;
  c.lmo = t.orthonormal;
  c.compress_down = t.of_left.encode;
  c.follow = t.of_left.decode;
  c.up_bytes = c.down_bytes = t.of_left.bytes;
  double const step = t.outer + p.add;
  c.second = {t.left + t.of_right.encode,
              t.of_right.decode + share_right * p.add,
              t.of_right.encode + step,
              t.of_right.decode + step,
              t.outer,
              t.of_right.bytes,
              t.of_right.bytes};
}

// What a layer's method has of compressors and oracles: where it has none, nothing is made of the settings that it leaves alone.
struct Timed {
  std::vector<LayerSettings> settings;
  std::vector<bool> oracle;
};

Timed timed_of(std::vector<LayerSettings> const& settings, bool local) {
  Timed t{settings, {}};
  for (auto& s : t.settings) {
    auto const used = [&, &traits = method_traits(s.method)](char const* key) { return reads_key(traits, key, local); };
    if (!used("uplink")) s.uplink = "identity";
    if (!used("downlink")) s.downlink = "identity";
    t.oracle.push_back(used("norm"));
  }
  return t;
}

}  // namespace

template <class T>
std::vector<LayerCost> measure_layers(Space const& exec, std::vector<Layer> const& layers,
                                      std::vector<LayerSettings> const& settings, int repetitions,
                                      OptimizerSettings const& optimizer) {
  MethodSet<T> const methods(layers, settings, optimizer);
  auto const flows = methods.flows();
  auto const has = timed_of(settings, optimizer.local.on());
  Tools<T> tools(layers, has.settings, has.oracle);
  Clock const clock(exec, repetitions);
  std::size_t bound = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    bound = std::max({bound, tools.uplink(static_cast<int>(i)).bytes_bound(), tools.downlink(static_cast<int>(i)).bytes_bound()});
  Staging<T> staging(layers, bound);
  std::map<Compressor<T, Space>*, Coding> codings;  // layers of one shape share their tools
  std::map<Lmo<T, Space>*, double> oracles;
  std::map<std::pair<int, int>, Passes> passes;
  std::map<std::array<int, 3>, Factors> factors;
  Scalar<double, Space> const one("kaon::cost::timed_one");
  Kokkos::deep_copy(one, 1.0);
  std::vector<LayerCost> costs;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    int const i = static_cast<int>(k);
    auto const rows = static_cast<std::size_t>(layers[k].rows), cols = static_cast<std::size_t>(layers[k].cols);
    Matrix<T, Space> const x("kaon::cost::timed_x", rows, cols), y("kaon::cost::timed_y", rows, cols),
        z("kaon::cost::timed_z", rows, cols);
    Kokkos::parallel_for("kaon::cost::timed_fill", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(x.size())),
                         Normal<T>{x.data(), {1, Purpose::gradient_noise, 0, static_cast<std::uint32_t>(k), 0}});
    auto const coding = [&](Compressor<T, Space>& codec) {
      auto const found = codings.find(&codec);
      if (found != codings.end()) return found->second;
      return codings[&codec] = time_coding<T>(exec, clock, codec, staging, x, y);
    };
    auto const up = coding(tools.uplink(i)), down = coding(tools.downlink(i));
    auto* const lmo = has.oracle[k] ? &tools.lmo(i) : nullptr;
    if (lmo && !oracles.count(lmo))
      oracles[lmo] = clock([&] {
        lmo->apply(exec, z, x);
        move_along<T>(exec, y, z, 0.01, one, 0.0);
      });
    auto const shape = std::pair(layers[k].rows, layers[k].cols);
    if (!passes.count(shape)) passes[shape] = time_passes<T>(exec, clock, x, y, z);
    auto const& p = passes[shape];
    bool const up_replaces = tools.uplink(i).replaces(), down_replaces = tools.downlink(i).replaces();
    double step = lmo ? oracles[lmo] : p.momentum + p.add;  // without an oracle: passes over what is kept
    int const r = methods.of(i).factor_columns(i);
    std::array const of_factors{layers[k].rows, layers[k].cols, r};
    if (r > 0 && !factors.count(of_factors)) factors[of_factors] = time_factors<T>(exec, clock, staging, x, r);
    if (r > 0) {
      auto const& t = factors[of_factors];
      step += t.right + t.left + t.orthonormal + 2 * t.outer;
    }
    LayerCost c;
    c.weight = static_cast<double>(rows * cols);
    c.compress_down = (down_replaces ? 0 : p.shift) + down.encode + down.decode;
    c.follow = down.decode;
    c.down_bytes = down.bytes;
    if (flows[k].up == Up::ordered_sum) {
      c.compress_up = c.aggregate = p.add;
      c.lmo = p.momentum + step;
      c.up_bytes = packet_header_bytes + flows[k].sum_bytes;
    } else if (flows[k].second.there()) {
      require(r > 0, "measure_layers: a second round without factors");
      add_factors(c, factors[of_factors], p, static_cast<double>(r) / layers[k].cols, static_cast<double>(r) / layers[k].rows);
    } else {
      c.compress_up = p.momentum + (up_replaces ? 0 : p.shift) + up.encode + up.decode;
      c.aggregate = up.decode + (up_replaces ? p.add : 0);
      c.lmo = (up_replaces ? 2 * p.add : p.clear + p.add) + step;
      c.up_bytes = up.bytes;
    }
    if (auto const& local = optimizer.local; local.on()) {
      c.walk = p.momentum + step;
      if (local.form == LocalForm::update) {
        c.compress_up += c.walk;
        if (local.outer != Outer::lmo) c.lmo -= step - (p.momentum + p.add);
      }
    }
    costs.push_back(c);
  }
  return costs;
}

template std::vector<LayerCost> measure_layers<float>(Space const&, std::vector<Layer> const&, std::vector<LayerSettings> const&,
                                                      int, OptimizerSettings const&);
template std::vector<LayerCost> measure_layers<double>(Space const&, std::vector<Layer> const&, std::vector<LayerSettings> const&,
                                                       int, OptimizerSettings const&);

}  // namespace kaon
