#include "codecs.hpp"

#include "fenced.hpp"

#include <kaon/random/stream.hpp>

#include <algorithm>

namespace kaon::fuzz {
namespace {

using Exec = Kokkos::Serial;
using Unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;

template <class T>
class CodecOf : public Codec {
 public:
  CodecOf(std::string const& spec, int rows, int cols)
      : compressor_(make_compressor<T, Exec>(spec, rows, cols)),
        payload_(compressor_->bytes_bound() + 4096),
        y_(static_cast<std::size_t>(compressor_->entries()) * sizeof(T)) {}
  std::string spec() const override { return compressor_->spec(); }
  std::size_t bytes_bound() const override { return compressor_->bytes_bound(); }

  Input compressed(std::uint64_t seed) override {
    StreamKey const key{seed, Purpose::test, 0, 0, 0};
    Matrix<T, Exec> x("kaon::fuzz::x", rows(), cols());
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(random_normal(key, i));
    auto const [m, n] = compressor_->state_shape();
    Matrix<T, Exec> state("kaon::fuzz::state", static_cast<std::size_t>(m), static_cast<std::size_t>(n));
    if (m > 0) compressor_->initialize_state(exec_, state, key);
    Bytes<Exec> payload("kaon::fuzz::payload", bytes_bound());
    Scalar<std::uint64_t, Exec> length("kaon::fuzz::length");
    compressor_->compress(exec_, payload, length, x, state, key);
    return {payload.data(), payload.data() + length()};
  }

  void decompress(InputView payload) override {
    if (payload.size() > bytes_bound() + 4096) payload = payload.first(bytes_bound() + 4096);
    auto* const from = payload_.last(payload.size());
    std::copy(payload.begin(), payload.end(), from);
    auto* const to = reinterpret_cast<T*>(y_.last(static_cast<std::size_t>(compressor_->entries()) * sizeof(T)));
    Kokkos::View<T**, Kokkos::LayoutRight, DeviceOf<Exec>, Unmanaged> const y(to, rows(), cols());
    Kokkos::deep_copy(y, T(1));
    Kokkos::View<unsigned char const*, Kokkos::LayoutRight, DeviceOf<Exec>, Unmanaged> const bytes(from, payload.size());
    compressor_->decompress_add(exec_, y, bytes, payload.size());
    demand(compressor_->plausible(payload.size()), spec() + " took a payload of a length that is not plausible");
  }

 private:
  std::size_t rows() const { return static_cast<std::size_t>(compressor_->rows()); }
  std::size_t cols() const { return static_cast<std::size_t>(compressor_->cols()); }
  Exec exec_;
  std::unique_ptr<Compressor<T, Exec>> compressor_;
  Fenced payload_, y_;
};

}  // namespace

std::unique_ptr<Codec> make_codec(std::string const& spec, int rows, int cols, bool in_double) {
  if (in_double) return std::make_unique<CodecOf<double>>(spec, rows, cols);
  return std::make_unique<CodecOf<float>>(spec, rows, cols);
}

}  // namespace kaon::fuzz
