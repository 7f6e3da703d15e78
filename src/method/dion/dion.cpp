#include <kaon/method/dion/dion.hpp>

#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/decode.hpp>
#include <kaon/method/dense.hpp>

#include <algorithm>

namespace kaon {

template <class T>
Dion<T>::Dion(MethodLayers of)
    : of_(std::move(of)),
      constants_(of_.layers.size()),
      left_(of_.layers.size()),
      right_(of_.layers.size()),
      one_("kaon::method::one") {
  Kokkos::deep_copy(one_, 1.0);
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    auto const& l = layer_of(layer);
    auto const& c = constants_[i] = dion::constants_of(l, settings_of(layer));
    left_[i] = make_compressor<T, Space>("identity", l.rows, c.dense ? l.cols : c.rank);
    if (!c.dense) right_[i] = make_compressor<T, Space>("identity", l.cols, c.rank);
  }
}

template <class T>
LayerFlows Dion<T>::flows(int layer) const {
  auto f = dense_flows<T>(layer_of(layer), left(layer));  // an identity's bounds, and those of partial gradients
  if (constants(layer).dense) {
    f.up = Up::ordered_sum;
  } else {
    auto const encoding = encoding_of(right(layer).spec());
    f.second = {encoding, encoding, right(layer).bytes_bound(), right(layer).bytes_bound()};
  }
  return f;
}

// Of the server alone: what every rank does weighs on none more than on others.
template <class T>
double Dion<T>::cost(int layer) const {
  double const m = layer_of(layer).rows, n = layer_of(layer).cols, r = constants(layer).rank;
  double const orthonormal = 8 * m * r * r;
  return constants(layer).dense ? orthonormal + 8 * m * n * r : orthonormal + of_.optimizer.workers * (m + n) * r;
}

template <class T>
void Dion<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const&) {
  state_ = std::make_unique<DionState<T>>(of_, constants_, plan, rank);
  orth_.resize(of_.layers.size());
  for (int const layer : of_.mine) {
    if (!state_->serves(layer)) continue;
    int const rows = layer_of(layer).rows, r = constants(layer).rank;
    auto at = std::find_if(workspaces_.begin(), workspaces_.end(), [&](auto const& w) { return w.rows == rows && w.rank == r; });
    if (at == workspaces_.end())
      at = workspaces_.insert(at, Workspace{rows, r, std::make_unique<Orthonormalizer<T, Space>>(rows, r)});
    orth_[static_cast<std::size_t>(layer)] = at->orth.get();
  }
}

template <class T>
bool Dion<T>::steps_everywhere() const {
  return std::any_of(of_.mine.begin(), of_.mine.end(), [&](int i) { return !constants(i).dense; });
}

// Worker j: M_j ← M_j + gradient, M_jQ up. Of a dense layer the server, with the mean.
template <class T>
void Dion<T>::on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, constants(layer).dense ? Phase::aggregate : Phase::compress);
  auto const M = constants(layer).dense ? state_->M(layer) : state_->M(layer, worker);
  axpy<T>(cx.exec, M, T(1), gradient);
  if (constants(layer).dense) return;
  auto const Y = scratch(cx, 0, layer_of(layer).rows, layer);
  gemm<T>(cx.exec, Y, Op::none, M, Op::none, state_->Q(layer));
  post(cx, cx.exchange, layer, worker, left(layer), Y);
}

// P = orth of the mean of M_jQ, down.
template <class T>
void Dion<T>::serve(StepContext<T>& cx, int layer) {
  if (constants(layer).dense) return serve_dense(cx, layer);
  InPhase const phase(cx.timer, Phase::aggregate);
  gather(cx, cx.exchange, layer, left(layer), state_->P(layer));
  cx.timer.change(Phase::lmo);
  orth(layer)(cx.exec, state_->P(layer));
  send(cx, cx.exchange, layer, left(layer), state_->P(layer));
}

template <class T>
void Dion<T>::hear(StepContext<T>& cx, int layer) {
  take(cx, cx.exchange, layer, left(layer), state_->P(layer));
}

// Worker j: M_jᵀP up.
template <class T>
void Dion<T>::answer(StepContext<T>& cx, int layer, int worker) {
  InPhase const phase(cx.timer, Phase::compress);
  auto const M = state_->M(layer, worker);
  auto const R = scratch(cx, 0, layer_of(layer).cols, layer);
  gemm<T>(cx.exec, R, Op::transpose, M, Op::none, state_->P(layer));
  if (cx.measure) cx.measure->template worker<T>(cx.exec, layer, worker, dion::worker_momentum, M);
  post(cx, cx.exchange.second(), layer, worker, right(layer), R);
}

// R̄ = the mean of M_jᵀP, down; the step.
template <class T>
void Dion<T>::conclude(StepContext<T>& cx, int layer) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const R = scratch(cx, 0, layer_of(layer).cols, layer);
  gather(cx, cx.exchange.second(), layer, right(layer), R);
  send(cx, cx.exchange.second(), layer, right(layer), R);
  cx.timer.change(Phase::lmo);
  renew(cx, layer, R);
  if (!cx.measure || !state_->owns(layer)) return;
  cx.measure->template server<T>(cx.exec, layer, dion::right, R);
  cx.measure->template server<T>(cx.exec, layer, dion::model, cx.W[static_cast<std::size_t>(layer)]);
}

template <class T>
void Dion<T>::follow(StepContext<T>& cx, int layer) {
  if (constants(layer).dense) return take_model<T>(cx, layer, layer_of(layer).name, left(layer));
  auto const R = scratch(cx, 0, layer_of(layer).cols, layer);
  take(cx, cx.exchange.second(), layer, right(layer), R);
  renew(cx, layer, R);
}

// What every rank does with P and R̄.
template <class T>
void Dion<T>::renew(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& R) {
  auto const& P = state_->P(layer);
  state_->renew_Q(cx.exec, layer, R);
  auto const here = state_->here(layer);
  for (int j = here.first; j < here.end(); ++j)
    gemm<T>(cx.exec, state_->M(layer, j), Op::none, P, Op::transpose, R, static_cast<T>(-constants(layer).forget), T(1));
  move(cx, layer, P);
}

// W ← (1 − t·decay)W − t√(m/n)PQᵀ.
template <class T>
void Dion<T>::move(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& P) {
  auto const i = static_cast<std::size_t>(layer);
  auto const Z = cx.staging.scratch(1, layer_of(layer));
  gemm<T>(cx.exec, Z, Op::none, P, Op::transpose, state_->Q(layer), static_cast<T>(-constants(layer).scale));
  auto const motion = state_->owns(layer) ? cx.motion_of(layer) : Vector<double, Space>();
  move_along<T>(cx.exec, cx.W[i], Z, settings_of(layer).radius * cx.multiplier, one_, settings_of(layer).decay, motion,
                static_cast<double>(cx.step + 1));
}

// The whole step with M itself; Z's scratch holds P and R until then.
template <class T>
void Dion<T>::serve_dense(StepContext<T>& cx, int layer) {
  InPhase const phase(cx.timer, Phase::lmo);
  auto const& M = state_->M(layer);
  bool const measures = cx.measure && state_->owns(layer);
  if (measures) cx.measure->template server<T>(cx.exec, layer, dion::momentum, M);
  auto const P = scratch(cx, 0, layer_of(layer).rows, layer), R = scratch(cx, 1, layer_of(layer).cols, layer);
  gemm<T>(cx.exec, P, Op::none, M, Op::none, state_->Q(layer));
  orth(layer)(cx.exec, P);
  gemm<T>(cx.exec, R, Op::transpose, M, Op::none, P);
  if (measures) cx.measure->template server<T>(cx.exec, layer, dion::right, R);
  gemm<T>(cx.exec, M, Op::none, P, Op::transpose, R, static_cast<T>(-constants(layer).forget), T(1));
  state_->renew_Q(cx.exec, layer, R);
  move(cx, layer, P);
  send_model<T>(cx, layer, left(layer));
  if (measures) cx.measure->template server<T>(cx.exec, layer, dion::model, cx.W[static_cast<std::size_t>(layer)]);
}

template <class T>
void Dion<T>::post(StepContext<T>& cx, Exchange& stage, int layer, int worker, Codec& codec,
                   ConstMatrix<T, Space> const& values) {
  auto const length = cx.staging.encode(cx.exec, codec, values, Matrix<T, Space>(), {}, stage.up_payload(layer, worker));
  cx.timer.change(Phase::send);
  stage.post_up(layer, worker, length);
}

template <class T>
void Dion<T>::send(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, ConstMatrix<T, Space> const& values) {
  InPhase const phase(cx.timer, Phase::send);
  if (!stage.sends_down()) return stage.keep_down(layer, codec.bytes_bound());
  stage.post_down(layer, cx.staging.encode(cx.exec, codec, values, Matrix<T, Space>(), {}, stage.down_payload(layer)));
}

// The mean of the workers' packets, added in worker order.
template <class T>
void Dion<T>::gather(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, Matrix<T, Space> const& mean) {
  int const workers = of_.optimizer.workers;
  auto const one = cx.staging.scratch(1, codec.rows(), codec.cols());
  for (int j = 0; j < workers; ++j) {
    decode(cx.step, layer_of(layer).name, j,
           [&] { cx.staging.apply(cx.exec, codec, j == 0 ? mean : one, stage.take_up(layer, j)); });
    if (j > 0) axpy<T>(cx.exec, mean, T(1), one);
  }
  if (workers > 1) scale<T>(cx.exec, mean, T(1) / static_cast<T>(workers));
}

template <class T>
void Dion<T>::take(StepContext<T>& cx, Exchange& stage, int layer, Codec& codec, Matrix<T, Space> const& values) {
  auto const in = stage.take_down(layer);
  decode(stage.down_step(layer), layer_of(layer).name, -1, [&] { cx.staging.apply(cx.exec, codec, values, in); });
}

template class Dion<float>;
template class Dion<double>;

}  // namespace kaon
