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

template <class T, class Exec>
class FusedLmo final : public Lmo<T, Exec> {
 public:
  FusedLmo(std::unique_ptr<Lmo<T, Exec>> block, int blocks)
      : Lmo<T, Exec>(block->rows() * blocks, block->cols(), block->scale()),
        block_(std::move(block)),
        blocks_(static_cast<std::size_t>(blocks)),
        duals_("kaon::lmo_fused::duals", blocks_),
        partials_("kaon::lmo_fused::partials", static_cast<std::size_t>(reduce_blocks(blocks))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    for (std::size_t b = 0; b < blocks_; ++b)
      block_->apply(exec, Kokkos::subview(Z, rows_of(b), Kokkos::ALL), Kokkos::subview(G, rows_of(b), Kokkos::ALL));
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    for (std::size_t b = 0; b < blocks_; ++b)
      block_->dual_norm(exec, Scalar<double, Exec>(duals_.data() + b), Kokkos::subview(G, rows_of(b), Kokkos::ALL),
                        Kokkos::subview(Z, rows_of(b), Kokkos::ALL));
    total(exec, result, partials_, duals_);
  }

 private:
  std::pair<std::size_t, std::size_t> rows_of(std::size_t b) const {
    auto const rows = static_cast<std::size_t>(block_->rows());
    return {b * rows, (b + 1) * rows};
  }

  std::unique_ptr<Lmo<T, Exec>> block_;
  std::size_t blocks_;
  Vector<double, Exec> duals_, partials_;
};

}  // namespace fused_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_fused_lmo(std::unique_ptr<Lmo<T, Exec>> block, int blocks) {
  return std::make_unique<fused_norm::FusedLmo<T, Exec>>(std::move(block), blocks);
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Lmo<T, Exec>> make_fused_lmo<T, Exec>(std::unique_ptr<Lmo<T, Exec>>, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
