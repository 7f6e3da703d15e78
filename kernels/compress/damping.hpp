#ifndef KAON_COMPRESS_DAMPING_HPP
#define KAON_COMPRESS_DAMPING_HPP

#include <kaon/compress/registry.hpp>

namespace kaon {

/// C(x) = γx, 0 < γ < 2. C(x) − x = −(1 − γ)x, so ‖C(x) − x‖² = (1 − γ)²‖x‖² in every norm: α = 1 − (1 − γ)², less what rounding
/// γ and γx to T takes; γ = 1 sends x exactly.
///
/// Payload: the mn values of type T, row-major, padded to 8 bytes. bytes = 8⌈mn·sizeof(T)/8⌉.
template <class T, class Exec>
class Damping final : public Compressor<T, Exec> {
 public:
  /// Throws UsageError unless 0 < gamma < 2.
  Damping(int rows, int cols, double gamma);
  static std::unique_ptr<Compressor<T, Exec>> make(SpecPart<T, Exec> const& part) {
    part.expect(2, 2);
    return std::make_unique<Damping>(part.rows, part.cols, part.real(1));
  }
  std::string spec() const override;
  std::size_t bytes_bound() const override { return (static_cast<std::size_t>(this->entries()) * sizeof(T) + 7) / 8 * 8; }
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  double gamma_;
};

}  // namespace kaon

#endif
