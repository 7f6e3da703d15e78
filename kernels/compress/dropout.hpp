#ifndef KAON_COMPRESS_DROPOUT_HPP
#define KAON_COMPRESS_DROPOUT_HPP

#include <kaon/compress/registry.hpp>

namespace kaon {

/// With probability P what another compressor D sends (default: every value as it is), else nothing. For every norm in which D
/// has α_D: E‖C(x) − x‖² = P E‖D(x) − x‖² + (1 − P)‖x‖² ≤ (1 − P α_D)‖x‖², so α = P α_D. The coin is a function of the key
/// alone and is thrown on the host; on a drop the state of D stays as it is.
///
/// Payload: a u64, 1 or 0, then, after 1, D's payload. bytes = 8 on a drop, else 8 + bytes of D. The receiver goes by the length.
template <class T, class Exec>
class Dropout final : public Compressor<T, Exec> {
 public:
  /// `inner`: of the shape rows×cols, not one that replaces(); null: every value. Throws UsageError unless 0 < probability ≤ 1.
  Dropout(int rows, int cols, double probability, std::unique_ptr<Compressor<T, Exec>> inner);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    part.expect(2, 2);
    return std::make_unique<Dropout>(part.rows, part.cols, part.real(1),
                                     part.follower ? part.follower(part.rows, part.cols) : nullptr);
  }
  std::string spec() const override;
  std::size_t bytes_bound() const override { return 8 + inner_->bytes_bound(); }
  double guaranteed_alpha() const override { return probability_ * inner_->guaranteed_alpha(); }
  bool is_random() const override { return probability_ < 1 || inner_->is_random(); }
  bool fixed_length() const override { return false; }
  bool plausible(std::size_t length) const override { return length == 8 || (length > 8 && inner_->plausible(length - 8)); }
  std::pair<int, int> state_shape() const override { return inner_->state_shape(); }
  void initialize_state(Exec const& exec, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override {
    inner_->initialize_state(exec, state, key);
  }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  double probability_;
  bool plain_;
  std::unique_ptr<Compressor<T, Exec>> inner_;
};

}  // namespace kaon

#endif
