// Local steps: what rounds are equal to, what they send, and where they may stop.
#include <kaon/core/error.hpp>
#include <kaon/support/backends.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace kaon {
namespace {

OptimizerSettings rounds(int n, std::uint64_t steps, std::uint64_t total, Start start = Start::zero) {
  OptimizerSettings o;
  o.workers = n;
  o.start = start;
  o.local.steps = steps;
  o.local.total = total;
  return o;
}

struct LocalSteps : ::testing::Test {
  Communicator const self{MPI_COMM_SELF};
  std::vector<Layer> const layers{{"a", 12, 7}, {"b", 5, 9}};

  static double multiplier(int k) { return 1 - 0.04 * k; }

  std::unique_ptr<Engine<double>> run(LayerSettings const& s, OptimizerSettings const& o, int steps, int micros = 1) const {
    test::Quadratic<double> objective(layers, o.workers, 77, micros);
    auto kaon = std::make_unique<Engine<double>>(Space(), self, layers, std::vector<LayerSettings>{s, s}, o, micros);
    kaon->initialize(objective);
    for (int k = 0; k < steps; ++k) kaon->step(objective, static_cast<std::uint64_t>(k), multiplier(k), true);
    return kaon;
  }
  void expect_same_model(Engine<double> const& a, Engine<double> const& b, std::string const& what) const {
    for (std::size_t i = 0; i < layers.size(); ++i)
      EXPECT_EQ(test::to_host(a.W()[i]).a, test::to_host(b.W()[i]).a) << what << ", layer " << layers[i].name;
  }
};

// One worker, nothing dropped, the mean of the workers' weights: rounds change nothing, and so it is for rounds of several steps.
TEST_F(LocalSteps, OfOneWorkerAreTheMethodWithoutThem) {
  for (std::string const method : {"ef21-muon", "adamw"})
    for (bool const nesterov : {false, true})
      for (auto const start : {Start::dense, Start::zero})
        for (std::uint64_t const H : {1, 3}) {
          auto s = test::settings("spectral", "identity", "identity");
          s.method = method;
          s.decay = 0.4;
          auto o = rounds(1, H, 9, start);
          o.nesterov = nesterov;
          auto plain = o;
          plain.local = {};
          auto p = s;
          if (method == "ef21-muon") p.method = "muon";
          for (int const micros : {1, 3})
            expect_same_model(*run(s, o, 9, micros), *run(p, plain, 9, micros), method + ", rounds of " + std::to_string(H));
        }
}

TEST_F(LocalSteps, OfGradientsOneAtATimeAreEf21Muon) {
  for (auto const* up : {"identity", "top:0.3", "bits:4"})
    for (bool const nesterov : {false, true})
      for (auto const start : {Start::dense, Start::zero})
        for (std::string const feedback : {"ef21", "ef14"}) {
          auto s = test::settings("spectral", up, "bits:2");
          s.own["feedback"] = feedback;
          s.decay = 0.4;
          auto o = rounds(3, 1, 8, start);
          o.nesterov = nesterov;
          o.local.form = LocalForm::gradient;
          auto plain = o;
          plain.local = {};
          expect_same_model(*run(s, o, 8, 2), *run(s, plain, 8, 2), std::string(up) + ", " + feedback);
        }
}

/// The rounds in plain loops, of one layer. damp:γ sends γx: what it drops is known in closed form. The norm is frobenius, whose
/// LMO(D) is −D/‖D‖.
struct Loops {
  int n, H, total;
  double radius, beta = 0.3, decay = 0, up = 1, down = 1;  // γ both ways; 1: the identity
  bool adam = false;
  std::string feedback = "ef21";
  LocalSettings local = {};
  using Vec = std::vector<double>;

  static void along(Vec& x, Vec const& d, double t, double decay) {
    double norm = 0;
    for (double v : d) norm += v * v;
    norm = std::sqrt(norm);
    for (std::size_t e = 0; e < x.size(); ++e) x[e] = (1 - t * decay) * x[e] - (norm > 0 ? t * d[e] / norm : 0.0);
  }
  Vec operator()(Vec const& start, std::vector<Vec> const& target, std::function<double(int)> const& multiplier) const {
    std::size_t const size = start.size(), N = static_cast<std::size_t>(n);
    Vec X = start, W = start, G(size, 0.0), u(size, 0.0);
    std::vector<Vec> theta(N, start), m(N, Vec(size, 0.0)), v = m, memory = m, sum = m;
    for (int k = 0; k < total; ++k) {
      int const in = k % H;
      bool const ends = in + 1 == H || k + 1 == total;
      double const t = radius * multiplier(k);
      Vec R(size, 0.0), mean(size, 0.0);
      for (std::size_t j = 0; j < N; ++j) {
        if (in == 0) theta[j] = W;
        Vec g(size);
        for (std::size_t e = 0; e < size; ++e) g[e] = theta[j][e] - target[j][e];
        Vec send(size);
        if (local.form == LocalForm::gradient) {
          for (std::size_t e = 0; e < size; ++e) sum[j][e] = (in == 0 ? 0 : sum[j][e]) + g[e];
          if (!ends) along(theta[j], sum[j], t * local.walk, 0);
          if (!ends) continue;
          for (std::size_t e = 0; e < size; ++e) send[e] = m[j][e] = (1 - beta) * m[j][e] + beta * sum[j][e] / (in + 1);
        } else {
          if (adam) {
            for (std::size_t e = 0; e < size; ++e) {
              m[j][e] = 0.9 * m[j][e] + 0.1 * g[e];
              v[j][e] = 0.95 * v[j][e] + 0.05 * g[e] * g[e];
              double const a = m[j][e] / (1 - std::pow(0.9, k + 1)), b = v[j][e] / (1 - std::pow(0.95, k + 1));
              theta[j][e] = (1 - t * decay) * theta[j][e] - t * a / (std::sqrt(b) + 1e-8);
            }
          } else {
            for (std::size_t e = 0; e < size; ++e) m[j][e] = (1 - beta) * m[j][e] + beta * g[e];
            along(theta[j], m[j], t, decay);
          }
          if (!ends) continue;
          for (std::size_t e = 0; e < size; ++e) send[e] = W[e] - theta[j][e];
        }
        for (std::size_t e = 0; e < size; ++e) {
          double const x = feedback == "ef21" ? send[e] - memory[j][e] : feedback == "ef14" ? memory[j][e] + send[e] : send[e];
          double const r = up * x;
          if (feedback == "ef21") memory[j][e] += r;
          if (feedback == "ef14") memory[j][e] = x - r;
          R[e] += r;
        }
      }
      if (!ends) continue;
      for (std::size_t e = 0; e < size; ++e) G[e] = (feedback == "ef21" ? G[e] : 0) + R[e] / n;
      if (local.form == LocalForm::gradient) {
        along(X, G, t, decay);
      } else if (local.outer == Outer::lmo) {
        along(X, G, t * local.rate, 0);
      } else {
        for (std::size_t e = 0; e < size; ++e) {
          u[e] = local.momentum * u[e] + G[e];
          X[e] -= local.rate * (local.outer == Outer::nesterov ? G[e] + local.momentum * u[e] : G[e]);
        }
      }
      for (std::size_t e = 0; e < size; ++e) W[e] += down * (X[e] - W[e]);
    }
    return W;
  }
};

struct FromLoops : LocalSteps {
  double worst = 0;
  void compare(Loops const& loops) {
    auto s = test::settings("frobenius", loops.up == 1 ? "identity" : "damp:" + std::to_string(loops.up),
                            loops.down == 1 ? "identity" : "damp:" + std::to_string(loops.down), loops.radius);
    s.beta = loops.beta;
    s.decay = loops.decay;
    s.method = loops.adam ? "adamw" : "ef21-muon";
    s.own["feedback"] = loops.feedback;
    auto o = rounds(loops.n, static_cast<std::uint64_t>(loops.H), static_cast<std::uint64_t>(loops.total));
    auto const wanted = o.local;
    o.local = loops.local;
    o.local.steps = wanted.steps, o.local.total = wanted.total;
    auto const kaon = run(s, o, loops.total);
    test::Quadratic<double> objective(layers, loops.n, 77);
    std::vector<Matrix<double, Space>> start;
    for (auto const& l : layers) start.emplace_back("kaon::test::X", l.rows, l.cols);
    objective.initialize(Space(), start);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const x = test::to_host(start[i]).a;
      std::vector<std::vector<double>> target;
      for (int j = 0; j < loops.n; ++j) {
        StreamKey const key{77, Purpose::test, 1, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)};
        target.emplace_back();
        for (std::size_t e = 0; e < x.size(); ++e) target.back().push_back(random_normal(key, e));
      }
      auto const expected = loops(x, target, multiplier), w = test::to_host(kaon->W()[i]).a;
      for (std::size_t e = 0; e < x.size(); ++e) worst = std::max(worst, std::abs(w[e] - expected[e]));
    }
  }
  void report(char const* what, double tolerance) const {
    std::printf("%s: %.2e from plain loops in fp64, tolerance %.0e\n", what, worst, tolerance);
    EXPECT_LE(worst, tolerance) << what;
    EXPECT_GT(worst, 0) << "nothing was compared";
  }
};

TEST_F(FromLoops, UpdatesOfMuon) {
  for (auto const outer : {Outer::average, Outer::nesterov, Outer::lmo})
    for (double const up : {1.0, 0.5})
      for (double const down : {1.0, 0.75})
        for (int const total : {9, 11}) {
          Loops l{3, 3, total, 0.05};
          l.decay = 0.2;
          l.up = up, l.down = down;
          l.local.outer = outer;
          l.local.rate = outer == Outer::average ? 0.8 : 0.7;
          compare(l);
        }
  report("updates of Muon", 5e-15);
}

TEST_F(FromLoops, UpdatesOfMuonWithEveryFeedback) {
  for (std::string const feedback : {"ef21", "ef14", "none"}) {
    Loops l{4, 2, 10, 0.05};
    l.up = 0.5;
    l.feedback = feedback;
    l.local.outer = Outer::nesterov;
    l.local.rate = 0.7;
    compare(l);
  }
  report("updates with feedback", 5e-15);
}

TEST_F(FromLoops, UpdatesOfAdamW) {
  for (double const up : {1.0, 0.5}) {
    Loops l{3, 4, 10, 0.02};
    l.adam = true;
    l.decay = 0.3;
    l.up = up;
    l.local.outer = up == 1 ? Outer::average : Outer::nesterov;
    compare(l);
  }
  report("updates of AdamW", 5e-15);
}

TEST_F(FromLoops, Gradients) {
  for (double const up : {1.0, 0.5})
    for (int const total : {9, 11}) {
      Loops l{3, 3, total, 0.05};
      l.up = up, l.down = 0.75;
      l.decay = 0.2;
      l.local.form = LocalForm::gradient;
      l.local.walk = 0.5;
      compare(l);
    }
  report("gradients", 5e-15);
}

// Every step of a round is a place to stop at: the state goes through a registry, as a checkpoint's does.
TEST_F(LocalSteps, GoOnFromAnyStepToTheSameBits) {
  for (auto const form : {LocalForm::update, LocalForm::gradient})
    for (std::string const method : {"ef21-muon", "adamw"}) {
      if (method == "adamw" && form == LocalForm::gradient) continue;
      auto s = test::settings("frobenius", "top:0.3", "bits:4");
      s.method = method;
      auto o = rounds(3, 4, 11, Start::dense);
      o.local.form = form;
      if (form == LocalForm::update) o.local.outer = Outer::nesterov;
      o.nesterov = true;
      auto const straight = test::bytes_of(*run(s, o, 11));
      for (int at = 1; at < 11; ++at) {
        auto const before = run(s, o, at);
        Registry from, to;
        before->register_state(from);
        test::Quadratic<double> objective(layers, 3, 77);
        Engine<double> after(Space(), self, layers, {s, s}, o);
        after.register_state(to);
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t f = 0; f < from.size(); ++f) {
          std::vector<unsigned char> bytes(from[f].written.elements() * size_of(from[f].type));
          from[f].get(bytes.data());
          to[f].set(bytes.data());
        }
        EXPECT_EQ(test::bytes_of(after), test::bytes_of(*before)) << "what was read is what is written, step " << at;
        for (int k = at; k < 11; ++k) after.step(objective, static_cast<std::uint64_t>(k), multiplier(k), false);
        EXPECT_EQ(test::bytes_of(after), straight) << method << ", from step " << at;
      }
    }
}

// At a round's end the workers' points are of no use any more, and checkpoints have W for all of them: such a state can be
// resized, another one cannot.
TEST_F(LocalSteps, PointsRestAtTheEndOfARound) {
  auto const s = test::settings("frobenius", "top:0.3", "bits:4");
  for (int const steps : {0, 4, 5, 8}) {
    auto const kaon = run(s, rounds(3, 4, 100), steps);
    auto const bytes = test::bytes_of(*kaon);
    auto const &points = bytes.at("/ef21-muon/workers/point/a"), &W = bytes.at("/model/W/a");
    ASSERT_EQ(points.size(), 3 * W.size());
    bool same = true;
    for (std::size_t b = 0; b < points.size(); ++b) same = same && points[b] == W[b % W.size()];
    EXPECT_EQ(same, steps % 4 == 0) << steps;
  }
}

TEST_F(LocalSteps, SendOncePerRound) {
  auto const packets = [&](char const* spec, std::size_t i) {
    return packet_header_bytes + make_compressor<double, Space>(spec, layers[i].rows, layers[i].cols)->bytes_bound();
  };
  for (auto const form : {LocalForm::update, LocalForm::gradient}) {
    auto o = rounds(3, 4, 10);
    o.local.form = form;
    auto const kaon = run(test::settings("frobenius", "bits:4", "bits:2"), o, 10);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      auto const& bytes = kaon->exchange().bytes(static_cast<int>(i));
      EXPECT_EQ(bytes.up, 3 * 3 * packets("bits:4", i)) << "3 rounds of 3 workers";
      EXPECT_EQ(bytes.down, 3 * 3 * packets("bits:2", i));
    }
  }
}

TEST_F(LocalSteps, LossesAreToldOnceWhenTheRoundEnds) {
  auto const s = test::settings("frobenius", "identity", "identity");
  auto const o = rounds(3, 4, 10);
  test::Quadratic<double> objective(layers, 3, 77);
  auto const told = [&](int collected_at) {
    Engine<double> kaon(Space(), self, layers, {s, s}, o);
    kaon.initialize(objective);
    std::vector<StepLoss> all;
    for (int k = 0; k < 10; ++k) {
      auto const report = kaon.step(objective, static_cast<std::uint64_t>(k), 1, false);
      EXPECT_EQ(report.ends_round, k % 4 == 3 || k == 9);
      EXPECT_EQ(report.losses.empty(), !report.ends_round);
      all.insert(all.end(), report.losses.begin(), report.losses.end());
      if (k != collected_at) continue;
      auto const some = kaon.collect_losses();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  };
  auto const straight = told(-1);
  ASSERT_EQ(straight.size(), 10u);
  for (int const at : {1, 4, 7}) {
    auto const all = told(at);
    ASSERT_EQ(all.size(), 10u) << at;
    for (std::size_t k = 0; k < 10; ++k) {
      EXPECT_EQ(all[k].step, k);
      EXPECT_EQ(all[k].loss, straight[k].loss);
      EXPECT_EQ(all[k].worker_loss, straight[k].worker_loss);
    }
  }
  EXPECT_LT(straight[3].loss, straight[0].loss) << "a worker that walks to its own minimum gets nearer to it";
}

TEST_F(LocalSteps, FiguresTellOfTheUpdates) {
  auto s = test::settings("frobenius", "top:0.3", "identity");
  auto o = rounds(2, 3, 9);
  test::Quadratic<double> objective(layers, 2, 77);
  Engine<double> kaon(Space(), self, layers, {s, s}, o);
  kaon.initialize(objective);
  for (int k = 0; k < 9; ++k) {
    auto const report = kaon.step(objective, static_cast<std::uint64_t>(k), 1, true);
    ASSERT_EQ(report.layers.empty(), k % 3 != 2);
    if (k % 3 != 2) continue;
    for (auto const& layer : report.layers) {
      EXPECT_GT(layer["update_norm"], 0);
      EXPECT_GE(layer["alpha_up"], 0.3);
      double const rho = layer["update_correlation"];
      if (k == 2)
        EXPECT_EQ(rho, 0) << "there is none before";
      else
        EXPECT_TRUE(rho > 0.5 && rho <= 1 + 1e-12) << rho << ": far from the minimum updates resemble each other";
    }
  }
}

TEST_F(LocalSteps, WhatCannotBeIsRefused) {
  auto const refusal = [&](LayerSettings const& s, std::function<void(LocalSettings&)> const& change) -> std::string {
    auto o = rounds(2, 3, 9);
    change(o.local);
    try {
      run(s, o, 3);
    } catch (UsageError const& e) {
      return e.what();
    }
    return "";
  };
  auto s = test::settings("frobenius", "identity", "identity");
  EXPECT_EQ(refusal(s, [](LocalSettings& l) { l.rate = 0; }), "local steps: outer_rate is 0, and must be positive and finite");
  EXPECT_EQ(refusal(s, [](LocalSettings& l) { l.momentum = 1; }), "local steps: outer_momentum is 1, and must be in [0, 1)");
  EXPECT_EQ(refusal(s, [](LocalSettings& l) { l.form = LocalForm::gradient, l.outer = Outer::lmo; }),
            "local steps: with local_form = gradient a round is a step of the server's oracle; outer is for update");
  s.method = "muon";
  EXPECT_EQ(refusal(s, [](LocalSettings&) {}),
            "layer a: the method muon has no local steps; ef21-muon and adamw have, and local_steps = 0 is without");
  s.method = "adamw";
  EXPECT_EQ(refusal(s, [](LocalSettings& l) { l.outer = Outer::lmo; }),
            "layer a: the method adamw has no outer = lmo: it has no norm for the server's oracle");
  EXPECT_EQ(refusal(s, [](LocalSettings& l) { l.form = LocalForm::gradient; }),
            "layer a: the method adamw has no local_form = gradient: it has no norm for the server's oracle");

  auto const kaon = run(test::settings("frobenius", "identity", "identity"), rounds(2, 3, 9), 2);
  test::Quadratic<double> objective(layers, 2, 77);
  EXPECT_THROW(kaon->step(objective, 5, 1, false), UsageError) << "a step is left out";
}

}  // namespace
}  // namespace kaon
