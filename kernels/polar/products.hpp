// The four products of a step of the iteration, on stacks of `batch` matrices: in one of three arithmetics.
#ifndef KAON_POLAR_PRODUCTS_HPP
#define KAON_POLAR_PRODUCTS_HPP

#include <kaon/core/types.hpp>
#include <kaon/linalg/tpl/half_gemm.hpp>

namespace kaon {

enum class PolarArithmetic {
  plain,      ///< gemms
  symmetric,  ///< products that use symmetry
  half        ///< every operand rounded to bf16 before its product, sums and results in fp32 (T = float only)
};

template <class T, class Exec>
class PolarProducts {
 public:
  /// l×s matrices, l ≥ s. Makes the workspace of half. Throws UsageError for half with T = double.
  PolarProducts(PolarArithmetic arithmetic, int l, int s, int batch);

  /// R ← XᵀX.
  void gram(Exec const& exec, Out<Matrix<T, Exec>> const& R, In<ConstMatrix<T, Exec>> const& X) const;
  /// P ← a·I + b·R + c·R².
  void quadratic(Exec const& exec, Out<Matrix<T, Exec>> const& P, T a, T b, T c, In<ConstMatrix<T, Exec>> const& R) const;
  /// C ← A·B for symmetric, commuting A and B; square: C ← A·A.
  void commuting(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A,
                 In<ConstMatrix<T, Exec>> const& B) const;
  void square(Exec const& exec, Out<Matrix<T, Exec>> const& C, In<ConstMatrix<T, Exec>> const& A) const;
  /// Y ← X·Q, l×s; with `wide` Y ← Q·Xᵀ = (X·Q)ᵀ, s×l.
  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Y, In<ConstMatrix<T, Exec>> const& X,
             In<ConstMatrix<T, Exec>> const& Q, bool wide) const;

 private:
  PolarArithmetic arithmetic_;
  int l_, s_, batch_;
  HalfMatrix<Exec> long_, square_;
};

}  // namespace kaon

#endif
