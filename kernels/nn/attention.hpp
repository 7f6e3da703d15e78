#ifndef KAON_NN_ATTENTION_HPP
#define KAON_NN_ATTENTION_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// B sequences of T positions, H heads of w entries. Token rows are ordered (sequence, position); head h has columns
/// [h·w, (h+1)·w) of Q, K, V and Y, all (B·T)×(H·w).
struct AttentionShape {
  int sequences = 0;
  int heads = 0;
  int context = 0;
  int head_width = 0;
};

/// What attention needs besides its operands; allocated once and shared by all layers of a network.
template <class T, class Exec>
struct AttentionWorkspace {
  AttentionWorkspace() = default;
  explicit AttentionWorkspace(AttentionShape const& shape);
  Vector<T, Exec> transposed;  ///< B·H·w·T: keys or values, each head transposed
  Vector<T, Exec> scores;      ///< B·H·T·T: gradient of the scores
};

/// Causal attention (Vaswani et al., 2017, eq. 1), for every sequence and head: P = softmax over s ≤ t of Q Kᵀ/√w, Y = P V.
/// P, B·H·T·T entries ordered (sequence, head, t, s), is kept for the backward pass; entries with s > t mean nothing.
template <class T, class Exec>
void attention(Exec const& exec, Out<Matrix<T, Exec>> const& Y, Out<Vector<T, Exec>> const& P, AttentionShape const& shape,
               AttentionWorkspace<T, Exec> const& workspace, In<ConstMatrix<T, Exec>> const& Q, In<ConstMatrix<T, Exec>> const& K,
               In<ConstMatrix<T, Exec>> const& V);

/// Gradients of attention: dV = Pᵀ dY, dS = P ∘ (dY Vᵀ − rowsum(dY ∘ Y))/√w, dQ = dS K, dK = dSᵀ Q (Dao et al., 2022, app. B).
/// One team has a whole head, so every sum has one owner and a fixed order. Outputs must be no inputs.
template <class T, class Exec>
void attention_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dQ, Out<Matrix<T, Exec>> const& dK,
                        Out<Matrix<T, Exec>> const& dV, AttentionShape const& shape, AttentionWorkspace<T, Exec> const& workspace,
                        In<ConstMatrix<T, Exec>> const& dY, In<ConstMatrix<T, Exec>> const& Y, In<ConstVector<T, Exec>> const& P,
                        In<ConstMatrix<T, Exec>> const& Q, In<ConstMatrix<T, Exec>> const& K, In<ConstMatrix<T, Exec>> const& V);

}  // namespace kaon

#endif
