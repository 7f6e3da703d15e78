// The transformer's forward and backward pass against the matrix products alone that it cannot do without.
#include "bench.hpp"
#include "matrices.hpp"

#include <kaon/nn/initialize.hpp>
#include <kaon/nn/linear.hpp>
#include <kaon/objective/gpt_network.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

namespace kaon::bench {
namespace network_races {

using Real = float;
using Network = GptNetwork<Real>;

/// Parameters as training has them after a while: none of them zero.
struct Setting {
  GptShape shape;
  std::vector<Matrix<Real, Exec>> parameters;
  Vector<std::int32_t, Exec> inputs, targets;
  Setting(Exec const& exec, GptShape const& s) : shape(s) {
    shape.zero_projections = false;
    auto const all = shape.parameters();
    for (std::size_t i = 0; i < all.size(); ++i) {
      Matrix<Real, Exec> const X("kaon::bench::parameter", static_cast<std::size_t>(all[i].rows),
                                 static_cast<std::size_t>(all[i].cols));
      fill_normal<Real>(exec, X, {8102, Purpose::test, 0, static_cast<std::uint32_t>(i), 0},
                        shape.deviation(static_cast<int>(i)));
      parameters.push_back(X);
    }
    inputs = tokens(8103);
    targets = tokens(8104);
  }
  Vector<std::int32_t, Exec> tokens(std::uint64_t seed) const {
    Vector<std::int32_t, Exec> const t("kaon::bench::tokens", static_cast<std::size_t>(shape.tokens()));
    auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, t);
    for (std::size_t i = 0; i < host.extent(0); ++i)
      host(i) =
          static_cast<std::int32_t>(random_word({seed, Purpose::test, 0, 0, 0}, i) % static_cast<std::uint32_t>(shape.vocab));
    Kokkos::deep_copy(t, host);
    return t;
  }
};

/// Y = XWᵀ, dX = dYW and dW = dYᵀX of every linear layer, each with its own weights. Rows that are read are never written, so
/// that they stay normal numbers however often this runs.
class Products {
 public:
  Products(Exec const& exec, std::shared_ptr<Setting const> setting)
      : setting_(std::move(setting)),
        in_{rows(exec, shape().width), rows(exec, shape().hidden()), rows(exec, shape().vocab)},
        out_{rows(exec, shape().width), rows(exec, shape().hidden()), rows(exec, shape().vocab)},
        gradient_("kaon::bench::gradient", static_cast<std::size_t>(shape().width) *
                                               static_cast<std::size_t>(std::max(shape().hidden(), shape().vocab))) {}

  void operator()(Exec const& exec) const {
    for (int i = 0; i < shape().layers; ++i)
      block(i, [&](auto const& W, Rows x, Rows y) { linear<Real>(exec, out_[y], in_[x], W); });
    auto const& head = setting_->parameters[static_cast<std::size_t>(GptIndex::head(shape()))];
    linear<Real>(exec, out_[logits], in_[narrow], head);
    backward(exec, head, narrow, logits);
    for (int i = shape().layers - 1; i >= 0; --i) block(i, [&](auto const& W, Rows x, Rows y) { backward(exec, W, x, y); });
  }

 private:
  enum Rows { narrow, wide, logits, kinds };
  GptShape const& shape() const { return setting_->shape; }
  Matrix<Real, Exec> rows(Exec const& exec, int columns) const {
    return normal_matrix(exec, "kaon::bench::rows", static_cast<int>(shape().tokens()), columns, 8101);
  }
  void backward(Exec const& exec, Matrix<Real, Exec> const& W, Rows x, Rows y) const {
    Matrix<Real, Exec> const G(gradient_.data(), W.extent(0), W.extent(1));
    linear_backward_weight<Real>(exec, G, in_[y], in_[x]);
    linear_backward_input<Real>(exec, out_[x], in_[y], W);
  }
  template <class F>
  void block(int i, F const& f) const {
    auto const w = [&](GptIndex::Part part) { return setting_->parameters[static_cast<std::size_t>(GptIndex::block(i, part))]; };
    for (auto const part : {GptIndex::q, GptIndex::k, GptIndex::v, GptIndex::o}) f(w(part), narrow, narrow);
    f(w(GptIndex::up), narrow, wide);
    f(w(GptIndex::down), wide, narrow);
  }
  std::shared_ptr<Setting const> setting_;
  Matrix<Real, Exec> in_[kinds], out_[kinds];
  Vector<Real, Exec> gradient_;
};

Race race(std::string const& name, GptShape const& shape, Asked const& asked, Asked const& peers) {
  Race r;
  r.name = "network/" + name;
  r.kernel = "transformer, forward and backward";
  r.floor = "its matrix products alone";
  r.asked = asked;
  r.make = [=](Exec const& exec) {
    auto const setting = std::make_shared<Setting>(exec, shape);
    auto const network = std::make_shared<Network>(setting->shape);
    auto const products = std::make_shared<Products>(exec, setting);
    Network::ConstPoint const W(setting->parameters.begin(), setting->parameters.end());
    Scalar<double, Exec> const loss("kaon::bench::loss");
    double const weight = 1.0 / static_cast<double>(shape.tokens());
    return Pair{[=] { network->gradient(exec, loss, W, setting->inputs, setting->targets, weight, [](int, auto const&) {}); },
                [=] { (*products)(exec); }};
  };
  r.peers = fmt::format("network {} {} {} {} {} {} {}", shape.layers, shape.heads, shape.width, shape.context, shape.vocab,
                        shape.batch, shape.tied ? 1 : 0);
  r.peers_asked = peers;
  return r;
}

}  // namespace network_races

void add_network(Suite& suite) {
  using namespace network_races;
  constexpr auto faster = Asked::Sense::at_least;
  constexpr auto times = Asked::Sense::at_most;
  GptShape small;  // 4 layers, 4 heads, width 128, context 128, vocabulary 256, batch 8
  suite.races.push_back(race("0.84M", small, {times, 1.5, 1.25}, {faster, 1, 1.5}));
  GptShape large;
  large.layers = 12;
  large.heads = 6;
  large.width = 768;
  large.context = 64;
  large.vocab = 50257;
  large.batch = 4;
  large.tied = true;
  suite.races.push_back(race("124M", large, {times, 1.25, 1.1}, {faster, 1, 1.5}));
}

}  // namespace kaon::bench
