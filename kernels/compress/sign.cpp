#include <kaon/codec/pack.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/sign.hpp>

#include <limits>

namespace kaon {
namespace {

template <class T>
struct NegativeBit {
  T const* x;
  KOKKOS_INLINE_FUNCTION std::uint32_t operator()(std::uint64_t i) const { return x[i] < T(0) ? 1U : 0U; }
};

template <class Exec>
struct WriteMean {
  double* to;
  Scalar<double, Exec> sum;
  double count;
  KOKKOS_FUNCTION void operator()(std::int64_t) const { *to = sum() / count; }
};

template <class T>
struct AddSigns {
  T* y;
  std::int64_t count;
  double const* scale;
  std::uint64_t const* signs;
  double top;
  KOKKOS_FUNCTION void operator()(std::int64_t w) const {
    double const s = *scale > top ? top : *scale < -top ? -top : *scale;
    T const value = static_cast<T>(s);
    std::uint64_t const word = signs[w];
    int const here = static_cast<int>(count - 64 * w < 64 ? count - 64 * w : 64);
    T* const out = y + 64 * w;
    for (int j = 0; j < here; ++j) out[j] += (word >> j & 1U) != 0 ? -value : value;
  }
};

}  // namespace

template <class T, class Exec>
Sign<T, Exec>::Sign(int rows, int cols)
    : Compressor<T, Exec>(rows, cols),
      sum_("kaon::compress::sign_sum"),
      partials_("kaon::compress::sign_partials", static_cast<std::size_t>(norm_workspace(rows, cols))) {}

template <class T, class Exec>
std::size_t Sign<T, Exec>::bytes_bound() const {
  return 8 + packed_bytes(static_cast<std::uint64_t>(this->entries()), 1);
}

template <class T, class Exec>
void Sign<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                             In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const&) {
  this->check_compress(payload, x);
  sum_abs<T>(exec, sum_, partials_, x);
  Kokkos::parallel_for("kaon::compress::sign_scale", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                       WriteMean<Exec>{reinterpret_cast<double*>(payload.data()), sum_, static_cast<double>(this->entries())});
  pack_codes<1>(exec, "kaon::compress::sign", detail::bytes_from(payload, 8, bytes_bound() - 8),
                static_cast<std::uint64_t>(this->entries()), NegativeBit<T>{x.data()});
  detail::set_length(exec, length, bytes_bound());
}

template <class T, class Exec>
void Sign<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                   std::size_t length) {
  this->check_decompress(y, payload, length);
  auto const words = static_cast<std::int64_t>(packed_words(static_cast<std::uint64_t>(this->entries()), 1));
  auto const* const head = payload.data();
  Kokkos::parallel_for(
      "kaon::compress::sign_add", Kokkos::RangePolicy<Exec>(exec, 0, words),
      AddSigns<T>{y.data(), this->entries(), reinterpret_cast<double const*>(head),
                  reinterpret_cast<std::uint64_t const*>(head + 8), static_cast<double>(std::numeric_limits<T>::max())});
}

#define KAON_KERNEL(T, Exec) template class Sign<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
