#ifndef LION_EXAMPLE_HPP
#define LION_EXAMPLE_HPP

#include <kaon/method/dense.hpp>
#include <kaon/method/load.hpp>
#include <kaon/method/owned.hpp>
#include <kaon/method/registry.hpp>

/// Lion (arXiv 2302.06675, Algorithm 2), data-parallel: gradients are added on the way, the momentum m lives at the layer's
/// owner.
///   c ← lion_beta1·m + (1 − lion_beta1)·g;  W ← (1 − t·decay)·W − t·sign(c);  m ← lion_beta2·m + (1 − lion_beta2)·g
template <class T>
class Lion final : public kaon::Method<T> {
 public:
  using Space = kaon::Space;
  using Array = kaon::Matrix<T, Space>;

  static kaon::MethodTraits traits() {
    kaon::MethodKey beta1, beta2;
    beta1.name = "lion_beta1", beta1.fallback = 0.9, beta1.high = 1, beta1.high_open = true;
    beta1.help = "method lion: weight of the OLD momentum in the direction";
    beta2.name = "lion_beta2", beta2.fallback = 0.99, beta2.high = 1, beta2.high_open = true;
    beta2.help = "method lion: weight of the OLD momentum in the new one";
    return {
        "lion", "signs of a momentum, data-parallel; radius is the learning rate", {"radius", "weight_decay"}, {beta1, beta2}};
  }
  static std::unique_ptr<kaon::Method<T>> make(kaon::MethodLayers of) { return std::make_unique<Lion>(std::move(of)); }

  // 1. Before there is a plan: codecs, constants; what is sent, and what the owner's work costs.
  explicit Lion(kaon::MethodLayers of) : of_(std::move(of)) {
    for (auto const& l : of_.layers) identity_.push_back(kaon::make_compressor<T, Space>("identity", l.rows, l.cols));
  }
  kaon::LayerFlows flows(int layer) const override {
    auto f = kaon::dense_flows<T>(shape(layer), *identity_[at(layer)]);
    f.up = kaon::Up::ordered_sum;
    return f;
  }
  double cost(int layer) const override { return 8.0 * shape(layer).rows * shape(layer).cols; }

  // 2. State, where the plan wants it; what a checkpoint holds of it.
  void place(kaon::Plan const& plan, int rank, std::vector<Array> const&) override {
    served_ = kaon::served_of(of_.mine, plan, rank);
    owned_ = kaon::owned_of(of_.mine, plan, rank);
    m_ = kaon::owned_matrices<T>("lion::m", of_.layers, served_);
    direction_ = kaon::owned_matrices<T>("lion::direction", of_.layers, served_);
  }
  void initialize(Space const& exec) override {
    for (auto const& m : m_) Kokkos::deep_copy(exec, m, T(0));
  }
  void register_state(kaon::Registry& registry) const override {
    for (int const i : of_.mine) kaon::register_owned<T>(registry, "/lion/m/", of_.layers, i, owned_, served_, m_);
  }
  double check(kaon::Communicator const& comm, double) const override {
    kaon::refuse_not_finite<T>(comm, of_.layers, m_, "the momentum m");
    return 0;
  }

  // 3. A step: the mean gradient at the server, the step of W, and W elsewhere.
  void on_gradient(kaon::StepContext<T>& cx, int layer, int, kaon::ConstMatrix<T, Space> const& gradient) override {
    run(cx, "lion::average",
        Average{direction_[at(layer)].data(), m_[at(layer)].data(), gradient.data(), key(layer, "lion_beta1"),
                key(layer, "lion_beta2")},
        gradient.size());
  }
  void serve(kaon::StepContext<T>& cx, int layer) override {
    auto const& s = of_.settings[at(layer)];
    double const t = s.radius * cx.multiplier;
    auto const& W = cx.W[at(layer)];
    run(cx, "lion::move", Move{W.data(), direction_[at(layer)].data(), static_cast<T>(t), static_cast<T>(1 - t * s.decay)},
        W.size());
    kaon::send_model<T>(cx, layer, *identity_[at(layer)]);
    if (cx.measure && owned_[at(layer)]) cx.measure->template server<T>(cx.exec, layer, 0, m_[at(layer)]);
  }
  void follow(kaon::StepContext<T>& cx, int layer) override {
    kaon::take_model<T>(cx, layer, shape(layer).name, *identity_[at(layer)]);
  }

  // 4. What a measured step says of a layer: squared norms that were taken, and the columns that come of them.
  kaon::Figures const& figures() const override {
    static kaon::Figures const all{
        {}, {"the momentum m"}, {"momentum_norm"}, [](std::span<double const> squares, int) -> std::vector<double> {
          return {std::sqrt(squares[0])};
        }};
    return all;
  }

  // Kernels: public, as nvcc asks for.
  struct Average {
    T* c;
    T* m;
    T const* g;
    T beta1, beta2;
    KOKKOS_FUNCTION void operator()(std::int64_t i) const {
      c[i] = beta1 * m[i] + (T(1) - beta1) * g[i];
      m[i] = beta2 * m[i] + (T(1) - beta2) * g[i];
    }
  };
  struct Move {
    T* w;
    T const* c;
    T t, keep;
    KOKKOS_FUNCTION void operator()(std::int64_t i) const {
      T const x = c[i];
      w[i] = keep * w[i] - (x > T(0) ? t : x < T(0) ? -t : x);  // a NaN stays one
    }
  };

 private:
  static std::size_t at(int layer) { return static_cast<std::size_t>(layer); }
  kaon::Layer const& shape(int layer) const { return of_.layers[at(layer)]; }
  T key(int layer, char const* name) const {
    return static_cast<T>(kaon::own_number(traits(), shape(layer), of_.settings[at(layer)], name));
  }
  template <class Body>
  static void run(kaon::StepContext<T>& cx, char const* label, Body const& body, std::size_t n) {
    Kokkos::parallel_for(
        label, Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>(cx.exec, 0, static_cast<std::int64_t>(n)), body);
  }

  kaon::MethodLayers of_;
  std::vector<std::unique_ptr<kaon::Compressor<T, Space>>> identity_;
  std::vector<bool> served_, owned_;
  std::vector<Array> m_, direction_;
};

#endif
