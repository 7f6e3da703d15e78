#ifndef KAON_NN_INITIALIZE_HPP
#define KAON_NN_INITIALIZE_HPP

#include <kaon/core/types.hpp>
#include <kaon/random/stream.hpp>

namespace kaon {

/// X(i, j) = deviation · z, z the (i·columns + j)-th standard normal number of the stream `key`. Zeros when deviation is 0.
template <class T, class Exec>
void fill_normal(Exec const& exec, Out<Matrix<T, Exec>> const& X, StreamKey const& key, double deviation);

}  // namespace kaon

#endif
