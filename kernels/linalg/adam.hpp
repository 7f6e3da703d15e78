#ifndef KAON_LINALG_ADAM_HPP
#define KAON_LINALG_ADAM_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// The averages of AdamW (arXiv 1711.05101, Algorithm 2, lines 7 and 8): m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², entry by
/// entry. All rows×cols; m and v are modified.
template <class T, class Exec>
void adam_averages(Exec const& exec, Out<Matrix<T, Exec>> const& m, Out<Matrix<T, Exec>> const& v,
                   In<ConstMatrix<T, Exec>> const& g, double beta1, double beta2);

/// Its step (lines 9 to 12): X ← (1 − rate·decay)·X − rate·(m/(1−β1^t)) / (√(v/(1−β2^t)) + ε), t the number of the averages'
/// steps, counted from 1. X is modified.
struct AdamStep {
  double rate, decay, beta1, beta2, epsilon;
  std::uint64_t t;
};
template <class T, class Exec>
void adam_move(Exec const& exec, Out<Matrix<T, Exec>> const& X, In<ConstMatrix<T, Exec>> const& m,
               In<ConstMatrix<T, Exec>> const& v, AdamStep const& step);

}  // namespace kaon

#endif
