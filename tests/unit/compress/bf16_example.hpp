#ifndef BF16_EXAMPLE_HPP
#define BF16_EXAMPLE_HPP

#include <kaon/codec/bits.hpp>
#include <kaon/codec/pack.hpp>
#include <kaon/compress/registry.hpp>

/// Every value rounded to bfloat16: |error| ≤ 2⁻⁸|x|, so α = 1 − 2⁻¹⁶. Payload: 16 bits a value, packed; bytes = 8⌈mn/4⌉.
template <class T, class Exec>
class Bf16 final : public kaon::Compressor<T, Exec> {
 public:
  Bf16(int rows, int cols) : kaon::Compressor<T, Exec>(rows, cols) {}
  static std::unique_ptr<kaon::Compressor<T, Exec>> make(kaon::SpecPart<T, Exec> const& part) {
    part.expect(1, 1);  // the name and no fields; part.real(1), part.integer(1), part.option(…) read fields
    return std::make_unique<Bf16>(part.rows, part.cols);
  }
  std::string spec() const override { return "bf16"; }
  std::size_t bytes_bound() const override { return kaon::packed_bytes(count(), 16); }
  bool fixed_length() const override { return true; }
  double guaranteed_alpha() const override { return 1 - 0x1p-16 - 1e-6; }

  void compress(Exec const& exec, kaon::Out<kaon::Bytes<Exec>> const& payload,
                kaon::Out<kaon::Scalar<std::uint64_t, Exec>> const& length, kaon::In<kaon::ConstMatrix<T, Exec>> const& x,
                kaon::Out<kaon::Matrix<T, Exec>> const&, kaon::StreamKey const&) override {
    this->check_compress(payload, x);
    kaon::pack_codes<16>(exec, "bf16", payload, count(), Code{x.data()});
    Kokkos::deep_copy(exec, length, bytes_bound());
  }
  void decompress_add(Exec const& exec, kaon::Out<kaon::Matrix<T, Exec>> const& y,
                      kaon::In<kaon::ConstBytes<Exec>> const& payload, std::size_t length) override {
    this->check_decompress(y, payload, length);
    Kokkos::parallel_for("bf16_add", Kokkos::RangePolicy<Exec>(exec, 0, this->entries()),
                         Add{y.data(), reinterpret_cast<std::uint16_t const*>(payload.data())});
  }

  // Kernels: public, as nvcc asks for.
  struct Code {
    T const* x;
    KOKKOS_FUNCTION std::uint32_t operator()(std::uint64_t i) const { return kaon::to_bf16(static_cast<float>(x[i])); }
  };
  struct Add {
    T* y;
    std::uint16_t const* code;
    KOKKOS_FUNCTION void operator()(std::int64_t i) const { y[i] += static_cast<T>(kaon::from_bf16(code[i])); }
  };

 private:
  std::uint64_t count() const { return static_cast<std::uint64_t>(this->entries()); }
};

#endif
