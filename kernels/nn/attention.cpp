#include <kaon/nn/attention.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/nn/exponential.hpp>
#include <kaon/nn/rows.hpp>
#include <kaon/nn/tile.hpp>

#include <cmath>

namespace kaon {
namespace {

std::size_t entries(AttentionShape const& s, int per_position) {
  return static_cast<std::size_t>(s.sequences) * static_cast<std::size_t>(s.heads) * static_cast<std::size_t>(s.context) *
         static_cast<std::size_t>(per_position);
}

template <class M>
void check_operand(M const& X, AttentionShape const& s, char const* what) {
  require(X.extent(0) == static_cast<std::size_t>(s.sequences) * static_cast<std::size_t>(s.context) &&
              X.extent(1) == static_cast<std::size_t>(s.heads) * static_cast<std::size_t>(s.head_width),
          what);
}

template <class P, class W>
void check_buffers(P const& p, W const& workspace, AttentionShape const& s) {
  require(std::int64_t{s.context} * s.context <= 0x7fffffff && std::int64_t{s.context} * s.heads * s.head_width <= 0x7fffffff,
          "attention: a context of more than 46340, or context x width beyond 2^31: offsets in a sequence are 32 bits");
  require(p.extent(0) == entries(s, s.context), "attention: P must have sequences·heads·context² entries");
  require(workspace.transposed.extent(0) >= entries(s, s.head_width) && workspace.scores.extent(0) >= entries(s, s.context),
          "attention: workspace made for another shape");
}

// Row i is worked on, and zero, up to here: whole lanes vectorize without a remainder, and tile::product asks for zeros up to the
// end of the tile row.
KOKKOS_INLINE_FUNCTION int padded(int const i, int const context) {
  int const end = (i / rows::lanes + 1) * rows::lanes;
  return end < context ? end : context;
}

// Row i of the scores, entries 0…i, in place; those behind them may hold anything.
template <class T>
KOKKOS_INLINE_FUNCTION void softmax_row(T* const p, int const i, int const context) {
  int const n = padded(i, context);
  T const first = p[0];
  T const top = rows::serial_max<T>(n, [=](int const j) { return j <= i ? p[j] : first; });
  for (int j = 0; j < n; ++j) {
    T const e = exponential((j <= i ? p[j] : top) - top);
    p[j] = j <= i ? e : T(0);
  }
  T const factor = T(1) / rows::serial_sum<T>(n, [=](int const j) { return p[j]; });
  for (int j = 0; j < n; ++j) p[j] *= factor;
}

// Row i of dS from that of dY Vᵀ, in place.
template <class T>
KOKKOS_INLINE_FUNCTION void softmax_row_backward(T* KOKKOS_RESTRICT const s, T const* KOKKOS_RESTRICT const p, T const mean,
                                                 T const scale, int const i, int const context) {
  int const n = padded(i, context);
  for (int j = 0; j < n; ++j) {
    T const d = j <= i ? s[j] - mean : T(0);
    T const weight = j <= i ? p[j] : T(0);
    s[j] = scale * (weight * d);
  }
}

static_assert(rows::lanes % tile::rows<float, Kokkos::DefaultHostExecutionSpace> == 0);

}  // namespace

template <class T, class Exec>
AttentionWorkspace<T, Exec>::AttentionWorkspace(AttentionShape const& shape)
    : transposed("kaon::nn::attention_transposed", entries(shape, shape.head_width)),
      scores("kaon::nn::attention_scores", entries(shape, shape.context)) {}

template <class T, class Exec>
void attention(Exec const& exec, Out<Matrix<T, Exec>> const& Y, Out<Vector<T, Exec>> const& P, AttentionShape const& shape,
               AttentionWorkspace<T, Exec> const& workspace, In<ConstMatrix<T, Exec>> const& Q, In<ConstMatrix<T, Exec>> const& K,
               In<ConstMatrix<T, Exec>> const& V) {
  check_operand(Y, shape, "attention: Y has another shape");
  check_operand(Q, shape, "attention: Q has another shape");
  check_operand(K, shape, "attention: K has another shape");
  check_operand(V, shape, "attention: V has another shape");
  check_buffers(P, workspace, shape);
  require(Y.size() == 0 || (Y.data() != Q.data() && Y.data() != K.data() && Y.data() != V.data()),
          "attention: the output is also an input");
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const n = shape.context;
  int const w = shape.head_width;
  int const heads = shape.heads;
  int const ld = heads * w;
  T const scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(w)));
  auto const transposed = workspace.transposed;
  Kokkos::parallel_for(
      "kaon::nn::attention", Policy(exec, shape.sequences * heads, fixed_team_size<Exec>), KOKKOS_LAMBDA(Member const& team) {
        auto const head = static_cast<std::int64_t>(team.league_rank());
        std::int64_t const first = (head / heads) * n * ld + (head % heads) * w;
        T* const kt = transposed.data() + head * w * n;
        T* const p = P.data() + head * n * n;
        tile::transpose(team, kt, K.data() + first, ld, n, w);
        team.team_barrier();
        tile::product<T, Exec, tile::Causal::output>(team, p, n, {Q.data() + first, ld, 1}, kt, n, n, n, w, scale);
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [=](int const i) { softmax_row<T>(p + i * n, i, n); });
        team.team_barrier();
        tile::product<T, Exec, tile::Causal::left>(team, Y.data() + first, ld, {p, n, 1}, V.data() + first, ld, n, w, n, T(1));
      });
}

template <class T, class Exec>
void attention_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dQ, Out<Matrix<T, Exec>> const& dK,
                        Out<Matrix<T, Exec>> const& dV, AttentionShape const& shape, AttentionWorkspace<T, Exec> const& workspace,
                        In<ConstMatrix<T, Exec>> const& dY, In<ConstMatrix<T, Exec>> const& Y, In<ConstVector<T, Exec>> const& P,
                        In<ConstMatrix<T, Exec>> const& Q, In<ConstMatrix<T, Exec>> const& K, In<ConstMatrix<T, Exec>> const& V) {
  Matrix<T, Exec> const outputs[] = {dQ, dK, dV};
  ConstMatrix<T, Exec> const inputs[] = {dY, Y, Q, K, V};
  for (auto const& out : outputs) {
    check_operand(out, shape, "attention_backward: a gradient has another shape");
    for (auto const& in : inputs)
      require(out.size() == 0 || out.data() != in.data(), "attention_backward: an output is also an input");
  }
  require(dQ.size() == 0 || (dQ.data() != dK.data() && dQ.data() != dV.data() && dK.data() != dV.data()),
          "attention_backward: two outputs are the same");
  for (auto const& in : inputs) check_operand(in, shape, "attention_backward: an input has another shape");
  check_buffers(P, workspace, shape);
  using Policy = Kokkos::TeamPolicy<Exec>;
  using Member = typename Policy::member_type;
  int const n = shape.context;
  int const w = shape.head_width;
  int const heads = shape.heads;
  int const ld = heads * w;
  T const scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(w)));
  auto const transposed = workspace.transposed;
  auto const scores = workspace.scores;
  Kokkos::parallel_for(
      "kaon::nn::attention_backward", Policy(exec, shape.sequences * heads, fixed_team_size<Exec>),
      KOKKOS_LAMBDA(Member const& team) {
        auto const head = static_cast<std::int64_t>(team.league_rank());
        std::int64_t const first = (head / heads) * n * ld + (head % heads) * w;
        T* const vt = transposed.data() + head * w * n;
        T* const s = scores.data() + head * n * n;
        T const* const p = P.data() + head * n * n;
        T const* const y = Y.data() + first;
        T const* const dy = dY.data() + first;
        tile::transpose(team, vt, V.data() + first, ld, n, w);
        tile::product<T, Exec, tile::Causal::transposed>(team, dV.data() + first, ld, {p, 1, n}, dy, ld, n, w, n, T(1));
        team.team_barrier();
        tile::product<T, Exec, tile::Causal::output>(team, s, n, {dy, ld, 1}, vt, n, n, n, w, T(1));
        team.team_barrier();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), [=](int const i) {
          T const mean = rows::serial_sum<T>(w, [=](int const c) { return dy[i * ld + c] * y[i * ld + c]; });
          softmax_row_backward<T>(s + i * n, p + i * n, mean, scale, i, n);
        });
        team.team_barrier();
        tile::product<T, Exec, tile::Causal::left>(team, dQ.data() + first, ld, {s, n, 1}, K.data() + first, ld, n, w, n, T(1));
        tile::product<T, Exec, tile::Causal::transposed>(team, dK.data() + first, ld, {s, 1, n}, Q.data() + first, ld, n, w, n,
                                                         T(1));
      });
}

#define KAON_KERNEL(T, Exec)                                                                                                     \
  template struct AttentionWorkspace<T, Exec>;                                                                                   \
  template void attention<T, Exec>(Exec const&, Out<Matrix<T, Exec>> const&, Out<Vector<T, Exec>> const&, AttentionShape const&, \
                                   AttentionWorkspace<T, Exec> const&, In<ConstMatrix<T, Exec>> const&,                          \
                                   In<ConstMatrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&);                            \
  template void attention_backward<T, Exec>(                                                                                     \
      Exec const&, Out<Matrix<T, Exec>> const&, Out<Matrix<T, Exec>> const&, Out<Matrix<T, Exec>> const&, AttentionShape const&, \
      AttentionWorkspace<T, Exec> const&, In<ConstMatrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,                      \
      In<ConstVector<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&, In<ConstMatrix<T, Exec>> const&,                         \
      In<ConstMatrix<T, Exec>> const&);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
