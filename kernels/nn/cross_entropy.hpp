#ifndef KAON_NN_CROSS_ENTROPY_HPP
#define KAON_NN_CROSS_ENTROPY_HPP

#include <kaon/core/types.hpp>

namespace kaon {

/// Workspace of cross_entropy for N token rows, allocated once.
template <class Exec>
struct CrossEntropyWorkspace {
  CrossEntropyWorkspace() = default;
  explicit CrossEntropyWorkspace(std::int64_t rows);
  Vector<double, Exec> losses;    ///< each row's loss in nats
  Vector<double, Exec> partials;  ///< of the sum
};

/// loss() = weight · Σ_i (log Σ_v exp L(i,v) − L(i, targets(i))) in nats, summed in double in a fixed order: weight = 1/N gives
/// the mean over tokens. With `gradient`, the logits L (N×vocabulary) are overwritten by the loss's gradient
/// weight · (softmax(L(i,:)) − e_targets(i)); otherwise they stay. Targets must lie in [0, vocabulary).
template <class T, class Exec>
void cross_entropy(Exec const& exec, Out<Scalar<double, Exec>> const& loss, Out<Matrix<T, Exec>> const& logits,
                   CrossEntropyWorkspace<Exec> const& workspace, In<ConstVector<std::int32_t, Exec>> const& targets,
                   double weight, bool gradient);

}  // namespace kaon

#endif
