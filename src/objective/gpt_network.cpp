#include <kaon/core/error.hpp>
#include <kaon/nn/activation.hpp>
#include <kaon/nn/embedding.hpp>
#include <kaon/nn/linear.hpp>
#include <kaon/nn/norm.hpp>
#include <kaon/nn/rotary.hpp>
#include <kaon/objective/gpt_network.hpp>

namespace kaon {
namespace {

template <class T>
Matrix<T, Space> rows_of(char const* label, std::int64_t rows, int columns) {
  return Matrix<T, Space>(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), static_cast<std::size_t>(rows),
                          static_cast<std::size_t>(columns));
}

template <class T>
Vector<T, Space> entries_of(char const* label, std::int64_t n) {
  return Vector<T, Space>(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), static_cast<std::size_t>(n));
}

}  // namespace

template <class T>
GptNetwork<T>::GptNetwork(GptShape const& shape)
    : shape_((shape.check(), shape)),
      layers_(shape.parameters()),
      heads_{shape.batch, shape.heads, shape.context, shape.head_width()} {
  auto const n = shape.tokens();
  int const d = shape.width;
  int const hidden = shape.hidden();
  for (int i = 0; i < shape.layers; ++i) {
    Block b;
    b.y1 = rows_of<T>("kaon::gpt::y1", n, d);
    b.q = rows_of<T>("kaon::gpt::q", n, d);
    b.k = rows_of<T>("kaon::gpt::k", n, d);
    b.v = rows_of<T>("kaon::gpt::v", n, d);
    b.mixed = rows_of<T>("kaon::gpt::mixed", n, d);
    b.y2 = rows_of<T>("kaon::gpt::y2", n, d);
    b.up = rows_of<T>("kaon::gpt::up", n, hidden);
    b.act = rows_of<T>("kaon::gpt::act", n, hidden);
    b.scale1 = entries_of<T>("kaon::gpt::scale1", n);
    b.scale_q = entries_of<T>("kaon::gpt::scale_q", n * shape.heads);
    b.scale_k = entries_of<T>("kaon::gpt::scale_k", n * shape.heads);
    b.scale2 = entries_of<T>("kaon::gpt::scale2", n);
    b.P = entries_of<T>("kaon::gpt::P", n * shape.heads * shape.context);
    blocks_.push_back(b);
  }
  x_ = rows_of<T>("kaon::gpt::x", n, d);
  embedded_ = rows_of<T>("kaon::gpt::embedded", n, d);
  last_ = rows_of<T>("kaon::gpt::last", n, d);
  logits_ = rows_of<T>("kaon::gpt::logits", n, shape.vocab);
  scale_embedded_ = entries_of<T>("kaon::gpt::scale_embedded", n);
  scale_last_ = entries_of<T>("kaon::gpt::scale_last", n);
  dx_ = rows_of<T>("kaon::gpt::dx", n, d);
  dy_ = rows_of<T>("kaon::gpt::dy", n, d);
  dq_ = rows_of<T>("kaon::gpt::dq", n, d);
  dk_ = rows_of<T>("kaon::gpt::dk", n, d);
  dv_ = rows_of<T>("kaon::gpt::dv", n, d);
  dhidden_ = rows_of<T>("kaon::gpt::dhidden", n, hidden);
  block_gradient_ = entries_of<T>("kaon::gpt::block_gradient", std::int64_t{d} * hidden);
  table_gradient_ = rows_of<T>("kaon::gpt::table_gradient", shape.vocab, d);
  table_ = rows_of<T>("kaon::gpt::rotary", shape.context, shape.head_width());
  attention_ = AttentionWorkspace<T, Space>(heads_);
  cross_entropy_ = CrossEntropyWorkspace<Space>(n);
  Space const exec;
  fill_rotary_table<T>(exec, table_);
  exec.fence();
}

template <class T>
void GptNetwork<T>::check(ConstPoint const& W, TokenVector const& inputs, TokenVector const& targets) const {
  require(W.size() == layers_.size(), "GptNetwork: another number of parameter matrices");
  for (std::size_t i = 0; i < W.size(); ++i)
    require(W.rows(i) == static_cast<std::size_t>(layers_[i].rows) && W.cols(i) == static_cast<std::size_t>(layers_[i].cols),
            "GptNetwork: a parameter matrix has another shape");
  auto const n = static_cast<std::size_t>(shape_.tokens());
  require(inputs.extent(0) == n && targets.extent(0) == n, "GptNetwork: inputs and targets need batch·context tokens");
}

template <class T>
void GptNetwork<T>::block_forward(Space const& exec, ConstPoint const& W, int const block) {
  auto const& b = blocks_[static_cast<std::size_t>(block)];
  auto const w = [&](GptIndex::Part part) { return W[static_cast<std::size_t>(GptIndex::block(block, part))]; };
  rms_norm<T>(exec, b.y1, b.scale1, x_);
  linear<T>(exec, b.q, b.y1, w(GptIndex::q));
  linear<T>(exec, b.k, b.y1, w(GptIndex::k));
  linear<T>(exec, b.v, b.y1, w(GptIndex::v));
  norm_and_rotate<T>(exec, b.q, b.scale_q, table_, shape_.heads);
  norm_and_rotate<T>(exec, b.k, b.scale_k, table_, shape_.heads);
  attention<T>(exec, b.mixed, b.P, heads_, attention_, b.q, b.k, b.v);
  linear<T>(exec, x_, b.mixed, w(GptIndex::o), T(1));
  rms_norm<T>(exec, b.y2, b.scale2, x_);
  linear<T>(exec, b.up, b.y2, w(GptIndex::up));
  relu_squared<T>(exec, b.act, b.up);
  linear<T>(exec, x_, b.act, w(GptIndex::down), T(1));
}

template <class T>
void GptNetwork<T>::hidden_states(Space const& exec, ConstPoint const& W, TokenVector const& inputs) {
  embed<T>(exec, embedded_, inputs, W[0]);
  rms_norm<T>(exec, embedded_, scale_embedded_, embedded_);
  Kokkos::deep_copy(exec, x_, embedded_);
  for (int i = 0; i < shape_.layers; ++i) block_forward(exec, W, i);
  rms_norm<T>(exec, last_, scale_last_, x_);
  linear<T>(exec, logits_, last_, W[static_cast<std::size_t>(GptIndex::head(shape_))]);
}

template <class T>
void GptNetwork<T>::forward(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, TokenVector const& inputs,
                            TokenVector const& targets, double const weight) {
  check(W, inputs, targets);
  hidden_states(exec, W, inputs);
  cross_entropy<T>(exec, loss, logits_, cross_entropy_, targets, weight, false);
}

template <class T>
void GptNetwork<T>::gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, TokenVector const& inputs,
                             TokenVector const& targets, double const weight, Sink const& sink,
                             std::function<void()> const& backward_begins) {
  check(W, inputs, targets);
  hidden_states(exec, W, inputs);
  cross_entropy<T>(exec, loss, logits_, cross_entropy_, targets, weight, true);
  if (backward_begins) backward_begins();
  int const head = GptIndex::head(shape_);
  linear_backward_weight<T>(exec, table_gradient_, logits_, last_);
  if (!shape_.tied) sink(head, table_gradient_);
  linear_backward_input<T>(exec, dy_, logits_, W[static_cast<std::size_t>(head)]);
  rms_norm_backward<T>(exec, dx_, dy_, last_, scale_last_, false);
  for (int i = shape_.layers - 1; i >= 0; --i) {
    mlp_backward(exec, W, i, sink);
    attention_part_backward(exec, W, i, sink);
  }
  rms_norm_backward<T>(exec, dx_, dx_, embedded_, scale_embedded_, false);
  embed_backward<T>(exec, table_gradient_, inputs, dx_, shape_.tied);
  sink(GptIndex::embed(), table_gradient_);
}

template <class T>
void GptNetwork<T>::mlp_backward(Space const& exec, ConstPoint const& W, int const block, Sink const& sink) {
  auto const& b = blocks_[static_cast<std::size_t>(block)];
  auto const up = GptIndex::block(block, GptIndex::up);
  auto const down = GptIndex::block(block, GptIndex::down);
  weight_gradient(exec, down, dx_, b.act, sink);
  linear_backward_input<T>(exec, dhidden_, dx_, W[static_cast<std::size_t>(down)]);
  relu_squared_backward<T>(exec, dhidden_, b.up);
  weight_gradient(exec, up, dhidden_, b.y2, sink);
  linear_backward_input<T>(exec, dy_, dhidden_, W[static_cast<std::size_t>(up)]);
  rms_norm_backward<T>(exec, dx_, dy_, b.y2, b.scale2, true);
}

template <class T>
void GptNetwork<T>::attention_part_backward(Space const& exec, ConstPoint const& W, int const block, Sink const& sink) {
  auto const& b = blocks_[static_cast<std::size_t>(block)];
  auto const index = [=](GptIndex::Part part) { return GptIndex::block(block, part); };
  auto const w = [&](GptIndex::Part part) { return W[static_cast<std::size_t>(index(part))]; };
  weight_gradient(exec, index(GptIndex::o), dx_, b.mixed, sink);
  linear_backward_input<T>(exec, dy_, dx_, w(GptIndex::o));
  attention_backward<T>(exec, dq_, dk_, dv_, heads_, attention_, dy_, b.mixed, b.P, b.q, b.k, b.v);
  norm_and_rotate_backward<T>(exec, dq_, b.q, b.scale_q, table_, shape_.heads);
  norm_and_rotate_backward<T>(exec, dk_, b.k, b.scale_k, table_, shape_.heads);
  weight_gradient(exec, index(GptIndex::v), dv_, b.y1, sink);
  weight_gradient(exec, index(GptIndex::k), dk_, b.y1, sink);
  weight_gradient(exec, index(GptIndex::q), dq_, b.y1, sink);
  linear_backward_input<T>(exec, dy_, dv_, w(GptIndex::v));
  linear_backward_input<T>(exec, dy_, dk_, w(GptIndex::k), T(1));
  linear_backward_input<T>(exec, dy_, dq_, w(GptIndex::q), T(1));
  rms_norm_backward<T>(exec, dx_, dy_, b.y1, b.scale1, true);
}

template <class T>
void GptNetwork<T>::weight_gradient(Space const& exec, int const layer, M const& dY, M const& X, Sink const& sink) {
  M const G(block_gradient_.data(), dY.extent(1), X.extent(1));
  linear_backward_weight<T>(exec, G, dY, X);
  sink(layer, G);
}

template class GptNetwork<float>;
template class GptNetwork<double>;

}  // namespace kaon
