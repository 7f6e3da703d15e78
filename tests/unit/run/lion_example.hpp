#ifndef LION_EXAMPLE_HPP
#define LION_EXAMPLE_HPP

#include <kaon/method/dense.hpp>
#include <kaon/method/registry.hpp>

/// Lion (arXiv 2302.06675, Algorithm 2), data-parallel: gradients are added on the way, the momentum m lives at the layer's
/// owner.
///   c ← lion_beta1·m + (1 − lion_beta1)·g;  W ← (1 − t·decay)·W − t·sign(c);  m ← lion_beta2·m + (1 − lion_beta2)·g
template <class T>
class Lion final : public kaon::DenseMethod<T> {
 public:
  using Space = kaon::Space;
  using Array = kaon::Matrix<T, Space>;

  static kaon::MethodTraits traits() {
    kaon::Key beta1{.section = "group", .name = "lion_beta1", .type = kaon::KeyType::real, .fallback = "0.9"};
    beta1.low = 0, beta1.high = 1, beta1.high_open = true;
    beta1.help = "method lion: weight of the OLD momentum in the direction";
    auto beta2 = beta1;
    beta2.name = "lion_beta2", beta2.fallback = "0.99";
    beta2.help = "method lion: weight of the OLD momentum in the new one";
    return {
        "lion", "signs of a momentum, data-parallel; radius is the learning rate", {"radius", "weight_decay"}, {beta1, beta2}};
  }
  static std::unique_ptr<kaon::Method<T>> make(kaon::MethodLayers of) { return std::make_unique<Lion>(std::move(of)); }

  // 1. Before there is a plan: what is kept from step to step (/lion/m/<layer>), and what the owner's work costs.
  explicit Lion(kaon::MethodLayers of) : kaon::DenseMethod<T>(std::move(of), "lion", {"m"}) {
    auto const own = traits();
    for (std::size_t i = 0; i < this->of().layers.size(); ++i) {
      auto const key = [&](char const* name) {
        return static_cast<T>(kaon::own_number(own, this->of().layers[i], this->of().settings[i], name));
      };
      betas_.push_back({key("lion_beta1"), key("lion_beta2")});
    }
  }
  double cost(int layer) const override { return 8.0 * this->layer_of(layer).rows * this->layer_of(layer).cols; }

  // 2. Room for what is kept between on_gradient and serve, where the plan wants it.
  void place(kaon::Plan const& plan, int rank, std::vector<Array> const& W) override {
    kaon::DenseMethod<T>::place(plan, rank, W);
    direction_.resize(W.size());
    for (int const layer : this->of().mine)
      if (this->serves(layer)) direction_[at(layer)] = Array("lion::direction", W[at(layer)].extent(0), W[at(layer)].extent(1));
  }

  // 3. A step: the mean gradient at the server, and the step of W.
  void on_gradient(kaon::StepContext<T>& cx, int layer, int, kaon::ConstMatrix<T, Space> const& gradient) override {
    run(cx, "lion::average",
        Average{direction_[at(layer)].data(), this->state(0, layer).data(), gradient.data(), betas_[at(layer)].first,
                betas_[at(layer)].second},
        gradient.size());
  }
  void serve(kaon::StepContext<T>& cx, int layer) override {
    auto const& s = this->settings_of(layer);
    double const t = s.radius * cx.multiplier;
    auto const& W = cx.W[at(layer)];
    run(cx, "lion::move", Move{W.data(), direction_[at(layer)].data(), static_cast<T>(t), static_cast<T>(1 - t * s.decay)},
        W.size());
    this->send(cx, layer);
    if (cx.measure && this->owns(layer)) cx.measure->template server<T>(cx.exec, layer, 0, this->state(0, layer));
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
  template <class Body>
  static void run(kaon::StepContext<T>& cx, char const* label, Body const& body, std::size_t n) {
    Kokkos::parallel_for(
        label, Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>(cx.exec, 0, static_cast<std::int64_t>(n)), body);
  }

  std::vector<std::pair<T, T>> betas_;  // layer
  std::vector<Array> direction_;
};

#endif
