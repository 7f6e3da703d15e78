#ifndef KAON_NN_LINEAR_HPP
#define KAON_NN_LINEAR_HPP

#include <kaon/linalg/panel_gemm.hpp>

namespace kaon {

// A linear layer W, out×in, maps token rows X, N×in, to Y = X Wᵀ, N×out. All three products are one panel_gemm each, with the shape
// checks of gemm; beta = 1 adds to what the output holds (the residual stream, or a second gradient).

/// Y ← X Wᵀ + beta · Y.
template <class T, class Exec>
void linear(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& W,
            T beta = 0) {
  panel_gemm<T>(exec, Y, Op::none, X, Op::transpose, W, T(1), beta);
}

/// dX ← dY W + beta · dX.
template <class T, class Exec>
void linear_backward_input(Exec const& exec, Out<Matrix<T, Exec>> const& dX, In<ConstMatrix<T, Exec>> const& dY,
                           In<ConstMatrix<T, Exec>> const& W, T beta = 0) {
  panel_gemm<T>(exec, dX, Op::none, dY, Op::none, W, T(1), beta);
}

/// dW ← dYᵀ X + beta · dW.
template <class T, class Exec>
void linear_backward_weight(Exec const& exec, Out<Matrix<T, Exec>> const& dW, In<ConstMatrix<T, Exec>> const& dY,
                            In<ConstMatrix<T, Exec>> const& X, T beta = 0) {
  panel_gemm<T>(exec, dW, Op::transpose, dY, Op::none, X, T(1), beta);
}

}  // namespace kaon

#endif
