#ifndef KAON_LINALG_NORMS_HPP
#define KAON_LINALG_NORMS_HPP

#include <kaon/core/reduce.hpp>
#include <kaon/core/types.hpp>

#include <cstdint>

namespace kaon {

// Sums in double, in an order fixed by the shape and the back end; results stay on the device. Matrices are contiguous (whole
// rows). `partials` is workspace of the size named; the same buffer may serve calls that follow one another on one instance.

/// Doubles of workspace for the sums over a whole rows×cols matrix.
inline std::int64_t norm_workspace(std::int64_t rows, std::int64_t cols) { return reduce_blocks(rows * cols); }

/// result() = Σ a², the squared Frobenius norm.
template <class T, class Exec>
void sum_squares(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                 In<ConstMatrix<T, Exec>> const& A);

/// result() = Σ |a|.
template <class T, class Exec>
void sum_abs(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
             In<ConstMatrix<T, Exec>> const& A);

/// result() = max |a| (0 for an empty matrix; a NaN is passed over).
template <class T, class Exec>
void max_abs(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
             In<ConstMatrix<T, Exec>> const& A);

/// result() = ⟨A, B⟩ = Σ a·b, products in double. A and B have one shape.
template <class T, class Exec>
void dot(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
         In<ConstMatrix<T, Exec>> const& A, In<ConstMatrix<T, Exec>> const& B);

/// result() = number of entries that are a NaN or an infinity.
template <class T, class Exec>
void count_nonfinite(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                     In<ConstMatrix<T, Exec>> const& A);

/// Rows that one task of the column sums adds; part of the arithmetic.
inline constexpr std::int64_t column_block = 256;

/// Doubles of workspace for column_sum_squares.
inline std::int64_t column_workspace(std::int64_t rows, std::int64_t cols) {
  return (rows + column_block - 1) / column_block * cols;
}

/// result(j) = Σ_i a_ij²; result has A's columns, partials at least column_workspace(rows, cols).
template <class T, class Exec>
void column_sum_squares(Exec const& exec, Out<Vector<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
                        In<ConstMatrix<T, Exec>> const& A);

/// result(i) = Σ_j a_ij²; result has A's rows.
template <class T, class Exec>
void row_sum_squares(Exec const& exec, Out<Vector<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& A);

}  // namespace kaon

#endif
