#ifndef KAON_NN_EMBEDDING_HPP
#define KAON_NN_EMBEDDING_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Y(p,:) = E(tokens(p),:). Y is N×d, E is vocabulary×d. Every token must lie in [0, vocabulary): the data room checks that when
/// it loads tokens, the kernel does not.
template <class T, class Exec>
void embed(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstVector<std::int32_t, Exec>> const& tokens,
           In<ConstMatrix<T, Exec>> const& E);

/// dE(v,:) ← Σ_{p: tokens(p) = v} dY(p,:), added to what dE holds when `accumulate` (a tied head). Each column is summed by one
/// thread in ascending p: no atomics, fixed order.
template <class T, class Exec>
void embed_backward(Exec const& exec, Out<Matrix<T, Exec>> const& dE, In<ConstVector<std::int32_t, Exec>> const& tokens,
                    In<ConstMatrix<T, Exec>> const& dY, bool accumulate);

}  // namespace kaon

#endif
