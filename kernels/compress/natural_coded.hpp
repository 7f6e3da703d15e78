#ifndef KAON_COMPRESS_NATURAL_CODED_HPP
#define KAON_COMPRESS_NATURAL_CODED_HPP

#include <kaon/codec/exponent_code.hpp>
#include <kaon/compress/natural.hpp>

namespace kaon {

/// Natural compression (compress/natural.hpp: the same values) whose exponents are entropy-coded where that pays: about 3.6 bits
/// a value for Gaussian entries instead of 9, 2.1 for the largest 15 % of them. The values of Natural's zeros have no sign.
///
/// Payload: codec/exponent_code.hpp; never more than 8 bytes longer than Natural's. Its length is known on the device only.
template <class T, class Exec>
class NaturalCoded final : public Compressor<T, Exec> {
 public:
  NaturalCoded(int rows, int cols, bool stochastic);
  std::string spec() const override { return natural_.spec() + ":coded"; }
  std::size_t bytes_bound() const override { return codec_.bytes_bound(); }
  double guaranteed_alpha() const override { return natural_.guaranteed_alpha(); }
  bool is_random() const override { return natural_.is_random(); }
  bool fixed_length() const override { return false; }
  bool plausible(std::size_t length) const override;
  void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) override;
  void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                      std::size_t length) override;

 private:
  Natural<T, Exec> natural_;
  ExponentCodec<Exec> codec_;
  Bytes<Exec> plain_;  // Natural's payload
};

}  // namespace kaon

#endif
