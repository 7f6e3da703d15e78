#ifndef KAON_LINALG_ELEMENTWISE_HPP
#define KAON_LINALG_ELEMENTWISE_HPP

#include <kaon/core/types.hpp>

namespace kaon {

// One read and one write of memory each. All operands have one shape and are contiguous (whole rows), else std::invalid_argument.
// An output may be one of the inputs, entry for entry. Asynchronous on the instance.

/// Y ← value.
template <class T, class Exec>
void fill(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T value);

/// Y ← X.
template <class T, class Exec>
void copy(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X);

/// Y ← a·Y.
template <class T, class Exec>
void scale(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a);

/// Y ← Y + a·X.
template <class T, class Exec>
void axpy(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstMatrix<T, Exec>> const& X);

/// Y ← Y + T(a·s())·X with the number s read on the device.
template <class T, class Exec>
void axpy_scaled(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstScalar<double, Exec>> const& s,
                 In<ConstMatrix<T, Exec>> const& X);

/// Y ← T(a·s())·X with the number s read on the device.
template <class T, class Exec>
void copy_scaled(Exec const& exec, Out<Matrix<T, Exec>> const& Y, T a, In<ConstScalar<double, Exec>> const& s,
                 In<ConstMatrix<T, Exec>> const& X);

/// M ← (T(1) − beta)·M + beta·G, rounded in this order: the momentum of method.md §2, where beta weights the new gradient.
template <class T, class Exec>
void lerp(Exec const& exec, Out<Matrix<T, Exec>> const& M, T beta, In<ConstMatrix<T, Exec>> const& G);

/// D ← A − B.
template <class T, class Exec>
void difference(Exec const& exec, Out<Matrix<T, Exec>> const& D, In<ConstMatrix<T, Exec>> const& A,
                In<ConstMatrix<T, Exec>> const& B);

}  // namespace kaon

#endif
