#include <kaon/core/instantiate.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/lmo/norms.hpp>

#include <utility>

namespace kaon {
namespace fused_norm {

template <class Exec>
void total(Exec const& exec, Out<Scalar<double, Exec>> const& result, Out<Vector<double, Exec>> const& partials,
           In<ConstVector<double, Exec>> const& duals) {
  reduce_sum(
      exec, "kaon::lmo_fused_dual", result, partials, static_cast<std::int64_t>(duals.extent(0)),
      KOKKOS_LAMBDA(std::int64_t const b) { return duals(b); });
}

/// stacked ← the blocks of A (m×n, a grid of blocks of rows×cols) one below the other, row of blocks by row of blocks: one
/// launch. `back`: the other way round.
template <class T, class Exec>
struct Move {
  using Member = typename Kokkos::TeamPolicy<Exec>::member_type;
  T *to, *stacked;
  T const *from, *stacked_from;
  int rows, cols, across;  ///< of a block, and blocks beside one another
  bool back;

  KOKKOS_FUNCTION void operator()(Member const& team) const {
    std::int64_t const i = team.league_rank();
    std::int64_t const n = std::int64_t{cols} * across;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, static_cast<int>(n)), [&](int const j) {
      std::int64_t const block = i / rows * across + j / cols;
      std::int64_t const there = (block * rows + i % rows) * cols + j % cols;
      if (back)
        to[i * n + j] = stacked_from[there];
      else
        stacked[there] = from[i * n + j];
    });
  }
};

template <class T, class Exec>
class FusedLmo final : public Lmo<T, Exec> {
 public:
  FusedLmo(std::unique_ptr<Lmo<T, Exec>> block, int rows, int cols, int row_blocks, int col_blocks)
      : Lmo<T, Exec>(rows, cols, block->scale()),
        block_(std::move(block)),
        blocks_(static_cast<std::size_t>(rows) * static_cast<std::size_t>(col_blocks) / static_cast<std::size_t>(block_->rows())),
        height_(rows / row_blocks),
        across_(col_blocks),
        duals_("kaon::lmo_fused::duals", blocks_),
        partials_("kaon::lmo_fused::partials", static_cast<std::size_t>(reduce_blocks(static_cast<std::int64_t>(blocks_)))) {
    if (col_blocks == 1) return;
    auto const height = blocks_ * static_cast<std::size_t>(block_->rows());
    auto const width = static_cast<std::size_t>(block_->cols());
    stacked_g_ = Matrix<T, Exec>("kaon::lmo_fused::stacked_g", height, width);
    stacked_z_ = Matrix<T, Exec>("kaon::lmo_fused::stacked_z", height, width);
  }

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    auto const g = stacked(exec, stacked_g_, G);
    Matrix<T, Exec> const z = across_ == 1 ? Z : stacked_z_;
    for (std::size_t b = 0; b < blocks_; ++b)
      block_->apply(exec, Kokkos::subview(z, rows_of(b), Kokkos::ALL), Kokkos::subview(g, rows_of(b), Kokkos::ALL));
    if (across_ > 1) move(exec, Move<T, Exec>{Z.data(), nullptr, nullptr, z.data(), height_, block_->cols(), across_, true});
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    auto const g = stacked(exec, stacked_g_, G);
    auto const z = stacked(exec, stacked_z_, Z);
    for (std::size_t b = 0; b < blocks_; ++b)
      block_->dual_norm(exec, Scalar<double, Exec>(duals_.data() + b), Kokkos::subview(g, rows_of(b), Kokkos::ALL),
                        Kokkos::subview(z, rows_of(b), Kokkos::ALL));
    total(exec, result, partials_, duals_);
  }

 private:
  std::pair<std::size_t, std::size_t> rows_of(std::size_t b) const {
    auto const rows = static_cast<std::size_t>(block_->rows());
    return {b * rows, (b + 1) * rows};
  }

  void move(Exec const& exec, Move<T, Exec> const& kernel) const {
    Kokkos::parallel_for("kaon::lmo_fused_move", Kokkos::TeamPolicy<Exec>(exec, this->rows(), fixed_team_size<Exec>), kernel);
  }

  /// A itself where its blocks lie below one another already.
  ConstMatrix<T, Exec> stacked(Exec const& exec, Matrix<T, Exec> const& buffer, ConstMatrix<T, Exec> const& A) const {
    if (across_ == 1) return A;
    move(exec, Move<T, Exec>{nullptr, buffer.data(), A.data(), nullptr, height_, block_->cols(), across_, false});
    return buffer;
  }

  std::unique_ptr<Lmo<T, Exec>> block_;
  std::size_t blocks_;  ///< calls of block_, each for a matrix or for all of them
  int height_, across_;
  Matrix<T, Exec> stacked_g_, stacked_z_;
  Vector<double, Exec> duals_, partials_;
};

}  // namespace fused_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_fused_lmo(std::unique_ptr<Lmo<T, Exec>> block, int rows, int cols, int row_blocks,
                                             int col_blocks) {
  return std::make_unique<fused_norm::FusedLmo<T, Exec>>(std::move(block), rows, cols, row_blocks, col_blocks);
}

#define KAON_KERNEL(T, Exec) \
  template std::unique_ptr<Lmo<T, Exec>> make_fused_lmo<T, Exec>(std::unique_ptr<Lmo<T, Exec>>, int, int, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
