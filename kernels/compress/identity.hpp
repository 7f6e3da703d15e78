#ifndef KAON_COMPRESS_IDENTITY_HPP
#define KAON_COMPRESS_IDENTITY_HPP

#include <kaon/compress/compressor.hpp>

namespace kaon {

/// C(x) = x, bit for bit (NaN payloads too). Payload: the mn values of type T, row-major; 4mn (float) or 8mn (double) bytes
/// rounded up to a multiple of 8. The receiver assigns.
template <class T, class Exec>
class Identity final : public Compressor<T, Exec> {
 public:
  Identity(int rows, int cols) : Compressor<T, Exec>(rows, cols) {}
  std::string spec() const override { return "identity"; }
  bool replaces() const override { return true; }
  std::size_t bytes_bound() const override { return (static_cast<std::size_t>(this->entries()) * sizeof(T) + 7) / 8 * 8; }
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override { return 1; }
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;
};

}  // namespace kaon

#endif
