// With identity compressors and one worker EF21-Muon is Muon: against a plain serial Muon, and to the last bit.
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <cmath>

namespace kaon {
namespace muon_test {

using test::HostMatrix;

// Muon as its authors publish it, in plain loops and fp64: momentum, five Newton-Schulz steps, update.
struct SerialMuon {
  static HostMatrix product(HostMatrix const& a, HostMatrix const& b, bool transpose_b) {
    int const n = transpose_b ? b.rows : b.cols;
    HostMatrix c(a.rows, n);
    for (int i = 0; i < a.rows; ++i)
      for (int j = 0; j < n; ++j)
        for (int k = 0; k < a.cols; ++k) c(i, j) += a(i, k) * (transpose_b ? b(j, k) : b(k, j));
    return c;
  }
  static HostMatrix newton_schulz(HostMatrix const& g) {
    bool const tall = g.rows > g.cols;
    HostMatrix x(tall ? g.cols : g.rows, tall ? g.rows : g.cols);
    double norm = 0;
    for (double v : g.a) norm += v * v;
    norm = std::sqrt(norm);
    for (int i = 0; i < x.rows; ++i)
      for (int j = 0; j < x.cols; ++j) x(i, j) = (tall ? g(j, i) : g(i, j)) / norm;
    for (int step = 0; step < 5; ++step) {
      auto const a = product(x, x, true);
      auto b = product(a, a, false);
      for (std::size_t e = 0; e < b.a.size(); ++e) b.a[e] = -4.7750 * a.a[e] + 2.0315 * b.a[e];
      auto const bx = product(b, x, false);
      for (std::size_t e = 0; e < x.a.size(); ++e) x.a[e] = 3.4445 * x.a[e] + bx.a[e];
    }
    HostMatrix out(g.rows, g.cols);
    for (int i = 0; i < g.rows; ++i)
      for (int j = 0; j < g.cols; ++j) out(i, j) = tall ? x(j, i) : x(i, j);
    return out;
  }
};

template <class T>
struct Muon : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Muon, Scalars);

OptimizerSettings one_worker(Start start) {
  OptimizerSettings o;
  o.workers = 1;
  o.start = start;
  return o;
}

TYPED_TEST(Muon, IdentityWithOneWorkerIsSerialMuon) {
  using T = TypeParam;
  Communicator const self(MPI_COMM_SELF);
  double const beta = 0.3, radius = 0.05;
  int const steps = 12;
  for (bool nesterov : {false, true}) {
    std::vector<Layer> const layers{{"tall", 24, 10}, {"wide", 9, 31}};
    auto s = test::settings("spectral", "identity", "identity", radius);
    s.beta = beta;
    s.lmo.polar.set = "muon";
    auto o = one_worker(Start::dense);
    o.nesterov = nesterov;
    auto const kaon = test::run_quadratic<T>(self, layers, {s, s}, o, steps);

    test::Quadratic<T> objective(layers, 1, 77);
    typename Objective<T>::Point X;
    for (auto const& l : layers) X.emplace_back("kaon::test::X", l.rows, l.cols);
    objective.initialize(Space(), X);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto x = test::to_host(X[i]);
      HostMatrix target(x.rows, x.cols), m(x.rows, x.cols);
      StreamKey const key{77, Purpose::test, 1, static_cast<std::uint32_t>(i), 0};
      for (std::size_t e = 0; e < target.a.size(); ++e) target.a[e] = static_cast<T>(random_normal(key, e));
      for (int k = 0; k < steps; ++k) {
        auto update = m;
        for (std::size_t e = 0; e < x.a.size(); ++e) {
          double const g = x.a[e] - target.a[e];
          m.a[e] = k == 0 ? g : (1 - beta) * m.a[e] + beta * g;
          update.a[e] = nesterov && k > 0 ? (1 - beta) * m.a[e] + beta * g : m.a[e];
        }
        auto const z = SerialMuon::newton_schulz(update);
        for (std::size_t e = 0; e < x.a.size(); ++e) x.a[e] -= radius * z.a[e];
      }
      auto const w = test::to_host(kaon->W()[i]);
      double worst = 0;
      for (std::size_t e = 0; e < x.a.size(); ++e) worst = std::max(worst, std::abs(w.a[e] - x.a[e]));
      double const tolerance = (std::is_same_v<T, float> ? 2e-7 : 4e-16) * steps;
      std::printf("%s, %s, nesterov %d: largest difference from serial fp64 Muon %.2e, tolerance %.2e\n", layers[i].name.c_str(),
                  sizeof(T) == 4 ? "float" : "double", nesterov, worst, tolerance);
      EXPECT_LE(worst, tolerance);
    }
  }
}

// The same loop written with the LMO kernel itself: no compressor, no packet, no worker may change a bit.
TYPED_TEST(Muon, IdentityWithOneWorkerIsTheBareLoopToTheLastBit) {
  using T = TypeParam;
  Communicator const self(MPI_COMM_SELF);
  auto const layers = test::odd_layers();
  int const steps = 9;
  Space const exec;
  for (auto const* norm : {"spectral", "max-abs", "frobenius", "column", "row"}) {
    auto const s = test::settings(norm, "identity", "identity");
    auto const kaon =
        test::run_quadratic<T>(self, layers, std::vector<LayerSettings>(layers.size(), s), one_worker(Start::zero), steps);
    test::Quadratic<T> objective(layers, 1, 77);
    typename Objective<T>::Point X;
    for (auto const& l : layers) X.emplace_back("kaon::test::X", l.rows, l.cols);
    objective.initialize(exec, X);
    std::vector<std::vector<T>> m(layers.size());
    Scalar<double, Space> loss("kaon::test::loss");
    T const beta = static_cast<T>(s.beta), t = static_cast<T>(s.radius);
    for (int k = 0; k < steps; ++k)
      objective.gradient(exec, loss, {X.begin(), X.end()}, {}, [&](int layer, ConstMatrix<T, Space> const& gradient) {
        auto const i = static_cast<std::size_t>(layer);
        auto const g = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, gradient);
        m[i].resize(g.size(), T(0));
        Matrix<T, Space> M("kaon::test::M", g.extent(0), g.extent(1)), Z("kaon::test::Z", g.extent(0), g.extent(1));
        auto const host_m = Kokkos::create_mirror_view(Kokkos::HostSpace{}, M);
        for (std::size_t e = 0; e < g.size(); ++e) host_m.data()[e] = m[i][e] = (T(1) - beta) * m[i][e] + beta * g.data()[e];
        Kokkos::deep_copy(M, host_m);
        make_lmo<T, Space>(s.lmo, layers[i].rows, layers[i].cols)->apply(exec, Z, M);
        exec.fence();
        auto const z = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, Z);
        auto const x = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, X[i]);
        for (std::size_t e = 0; e < g.size(); ++e) x.data()[e] = x.data()[e] + t * z.data()[e];
        Kokkos::deep_copy(X[i], x);
      });
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const expected = test::to_host(X[i]), w = test::to_host(kaon->W()[i]);
      EXPECT_EQ(w.a, expected.a) << norm << ", layer " << layers[i].name;
    }
  }
}

}  // namespace muon_test
}  // namespace kaon
