#include <kaon/method/ef21_muon/ef21_muon.hpp>

#include <kaon/core/error.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/linalg/update.hpp>
#include <kaon/method/decode.hpp>
#include <kaon/method/dense.hpp>
#include <kaon/method/load.hpp>
#include <kaon/method/measure.hpp>

namespace kaon {

template <class T>
Ef21Muon<T>::Ef21Muon(MethodLayers of, MethodTraits traits, Ef21Keeps const& keeps)
    : of_(std::move(of)),
      tools_(of_.layers, of_.settings, of_.mine),
      traits_(std::move(traits)),
      keeps_(keeps),
      one_("kaon::method::one"),
      dual_("kaon::method::dual_norm") {
  Kokkos::deep_copy(one_, 1.0);
}

template <class T>
LayerFlows Ef21Muon<T>::flows(int layer) const {
  auto& up = tools_.uplink(layer);
  auto& down = tools_.downlink(layer);
  auto& dense = tools_.dense(layer);
  auto f = dense_flows<T>(layer_of(layer), dense);
  f.up_encoding = encoding_of(up.spec());
  f.down_encoding = encoding_of(down.spec());
  f.up_bound = up.bytes_bound();
  f.down_bound = down.bytes_bound();
  if (of_.optimizer.start == Start::dense) f.dense_bound = dense.bytes_bound();
  return f;
}

template <class T>
double Ef21Muon<T>::cost(int layer) const {
  return oracle_cost(layer_of(layer), settings_of(layer));
}

template <class T>
void Ef21Muon<T>::place(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  make_oracles(plan, rank, false, true);
  place_state(plan, rank, W);
}

template <class T>
void Ef21Muon<T>::make_oracles(Plan const& plan, int rank, bool walks, bool at_servers) {
  auto needed = served_of(of_.mine, plan, rank);
  if (!at_servers) needed.assign(needed.size(), false);
  if (walks)
    for (int const i : of_.mine) needed[static_cast<std::size_t>(i)] = true;
  tools_.make_oracles(of_.layers, of_.settings, needed);
}

template <class T>
void Ef21Muon<T>::place_state(Plan const& plan, int rank, std::vector<Matrix<T, Space>> const& W) {
  state_ = std::make_unique<Ef21State<T>>(of_, traits_, keeps_, tools_, plan, rank, W);
}

template <class T>
StreamKey Ef21Muon<T>::key(Purpose purpose, StepContext<T> const& cx, int layer, int worker) const {
  return {of_.optimizer.seed, purpose, static_cast<std::uint32_t>(cx.step), static_cast<std::uint32_t>(layer),
          static_cast<std::uint32_t>(worker)};
}

// Worker j: update M_j, compress it, post. At a dense start M_j = G_j = gradient, and the packet is the gradient itself.
template <class T>
void Ef21Muon<T>::on_gradient(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& gradient) {
  InPhase const phase(cx.timer, Phase::compress);
  auto const& exec = cx.exec;
  T const beta = cx.dense ? T(1) : static_cast<T>(settings_of(layer).beta);
  auto const m = state_->M(layer, worker);
  if (beta == T(1))
    copy<T>(exec, m, gradient);
  else
    lerp<T>(exec, m, beta, gradient);

  Matrix<T, Space> target = m;
  if (of_.optimizer.nesterov && beta != T(1)) {
    target = cx.staging.scratch(0, layer_of(layer));
    blend<T>(exec, target, m, gradient, beta);
  }

  compress(cx, layer, worker, target);
}

template <class T>
void Ef21Muon<T>::compress(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& target) {
  auto const& exec = cx.exec;
  auto& codec = cx.dense ? tools_.dense(layer) : tools_.uplink(layer);
  auto const kind = state_->feedback(layer);
  bool const whole = codec.replaces();  // nothing is dropped
  auto const other = cx.staging.scratch(1, layer_of(layer));
  ConstMatrix<T, Space> from = target;
  if (kind == Feedback::ef21) {
    if (cx.measure || !whole) difference<T>(exec, other, target, state_->G(layer, worker));
    if (!whole) from = other;
  } else if (kind == Feedback::ef14 && !whole) {
    auto const e = state_->error(layer, worker);
    if (T const decay = static_cast<T>(state_->feedback_decay(layer)); decay != T(1)) scale<T>(exec, e, decay);
    axpy<T>(exec, e, T(1), target);
    from = e;
  }
  if (cx.measure) {
    cx.measure->template worker<T>(exec, layer, worker, ef21_muon::momentum, target);
    cx.measure->template worker<T>(exec, layer, worker, ef21_muon::up_shift,
                                   kind == Feedback::ef21 ? ConstMatrix<T, Space>(other) : from);
  }
  std::size_t const length =
      cx.staging.encode(exec, codec, from, state_->uplink_memory(layer, worker), key(Purpose::compress_up, cx, layer, worker),
                        cx.exchange.up_payload(layer, worker));
  if (kind == Feedback::ef21) {
    auto const g = state_->G(layer, worker);
    cx.staging.apply_encoded(exec, codec, g);
    if (cx.measure) difference<T>(exec, other, target, g);
  } else if (whole) {
    if (cx.measure) fill<T>(exec, other, T(0));
  } else if (kind == Feedback::ef14 || cx.measure) {
    fill<T>(exec, other, T(0));
    cx.staging.apply_encoded(exec, codec, other);
    if (kind == Feedback::ef14) {
      auto const e = state_->error(layer, worker);
      axpy<T>(exec, e, T(-1), other);
      if (cx.measure) copy<T>(exec, other, e);
    } else {
      difference<T>(exec, other, target, other);
    }
  }
  if (cx.measure) cx.measure->template worker<T>(exec, layer, worker, ef21_muon::up_rest, other);
  cx.timer.change(Phase::send);
  cx.exchange.post_up(layer, worker, length);
}

template <class T>
void Ef21Muon<T>::post_whole(StepContext<T>& cx, int layer, int worker, ConstMatrix<T, Space> const& value) {
  std::size_t const length =
      cx.staging.encode(cx.exec, tools_.uplink(layer), value, state_->uplink_memory(layer, worker),
                        key(Purpose::compress_up, cx, layer, worker), cx.exchange.up_payload(layer, worker));
  cx.timer.change(Phase::send);
  cx.exchange.post_up(layer, worker, length);
}

template <class T>
Matrix<T, Space> Ef21Muon<T>::gather(StepContext<T>& cx, int layer) {
  auto& codec = cx.dense ? tools_.dense(layer) : tools_.uplink(layer);
  int const workers = of_.optimizer.workers;
  T const share = T(1) / static_cast<T>(workers);
  auto const sum = cx.staging.scratch(0, layer_of(layer));
  auto const take = [&](int j, Matrix<T, Space> const& to) {
    decode(cx.step, layer_of(layer).name, j, [&] { cx.staging.apply(cx.exec, codec, to, cx.exchange.take_up(layer, j)); });
  };
  if (codec.replaces()) {
    auto const one = cx.staging.scratch(1, layer_of(layer));
    for (int j = 0; j < workers; ++j) {
      take(j, j == 0 ? sum : one);
      if (j > 0) axpy<T>(cx.exec, sum, T(1), one);
    }
    if (workers > 1) scale<T>(cx.exec, sum, share);
    if (!state_->keeps_G(layer)) return sum;
    copy<T>(cx.exec, state_->G(layer), sum);
  } else {
    fill<T>(cx.exec, sum, T(0));
    for (int j = 0; j < workers; ++j) take(j, sum);
    if (state_->feedback(layer) != Feedback::ef21) fill<T>(cx.exec, state_->G(layer), T(0));
    axpy<T>(cx.exec, state_->G(layer), share, sum);
  }
  return state_->G(layer);
}

template <class T>
void Ef21Muon<T>::move_by_oracle(StepContext<T>& cx, int layer, Matrix<T, Space> const& Y, Matrix<T, Space> const& D,
                                 double length, double decay, Vector<double, Space> const& motion) {
  auto& lmo = tools_.lmo(layer);
  auto z = cx.staging.scratch(0, layer_of(layer));
  if (z.data() == D.data()) z = cx.staging.scratch(1, layer_of(layer));
  lmo.apply(cx.exec, z, D);
  if (of_.optimizer.adaptive) lmo.dual_norm(cx.exec, dual_, D, z);
  move_along<T>(cx.exec, Y, z, length, of_.optimizer.adaptive ? dual_ : one_, decay, motion, static_cast<double>(cx.step + 1));
}

template <class T>
void Ef21Muon<T>::send_shift(StepContext<T>& cx, int layer, ConstMatrix<T, Space> const& G, Measure* measure) {
  auto& codec = tools_.downlink(layer);
  auto const& X = state_->X(layer);
  auto const& W = cx.W[static_cast<std::size_t>(layer)];
  auto const shift = cx.staging.scratch(1, layer_of(layer));
  if (measure || !codec.replaces()) difference<T>(cx.exec, shift, X, W);
  if (measure) measure->server<T>(cx.exec, layer, ef21_muon::down_shift, shift);
  auto const& from = codec.replaces() ? X : shift;
  auto const& memory = state_->downlink_memory(layer);
  auto const k = key(Purpose::compress_down, cx, layer, 0);
  if (cx.exchange.sends_down()) {
    auto const length = cx.staging.encode(cx.exec, codec, from, memory, k, cx.exchange.down_payload(layer));
    cx.timer.change(Phase::send);
    cx.exchange.post_down(layer, length);
    cx.timer.change(Phase::compress);
  } else {
    cx.exchange.keep_down(layer, cx.staging.encode_here(cx.exec, codec, from, memory, k));
  }
  if (state_->keeps_X(layer)) cx.staging.apply_encoded(cx.exec, codec, W);
  if (!measure) return;
  difference<T>(cx.exec, shift, X, W);
  measure->server<T>(cx.exec, layer, ef21_muon::down_rest, shift);
  measure->server<T>(cx.exec, layer, ef21_muon::model, W);
  measure->server<T>(cx.exec, layer, ef21_muon::estimate, G);
}

template <class T>
void Ef21Muon<T>::serve(StepContext<T>& cx, int layer) {
  InPhase const phase(cx.timer, Phase::aggregate);
  auto const G = gather(cx, layer);
  cx.timer.change(Phase::lmo);
  auto const& s = settings_of(layer);
  move_by_oracle(cx, layer, state_->X(layer), G, s.radius * cx.multiplier, s.decay, cx.motion_of(layer));
  cx.timer.change(Phase::compress);
  send_shift(cx, layer, G, state_->owns(layer) ? cx.measure : nullptr);
}

template <class T>
void Ef21Muon<T>::follow(StepContext<T>& cx, int layer) {
  auto const in = cx.exchange.take_down(layer);
  decode(cx.exchange.down_step(layer), layer_of(layer).name, -1,
         [&] { cx.staging.apply(cx.exec, tools_.downlink(layer), cx.W[static_cast<std::size_t>(layer)], in); });
}

template class Ef21Muon<float>;
template class Ef21Muon<double>;

}  // namespace kaon
