#include <kaon/compress/damping.hpp>
#include <kaon/compress/detail.hpp>

#include <cmath>

namespace kaon {
namespace {

template <class T>
struct ScaledValues {
  T* to;
  T const* from;
  std::int64_t count;  // what lies between it and the end of the range is padding
  T gamma;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const { to[i] = i < count ? gamma * from[i] : T(0); }
};

template <class T>
struct AddValues {
  T* y;
  T const* value;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const { y[i] += value[i]; }
};

}  // namespace

template <class T, class Exec>
Damping<T, Exec>::Damping(int rows, int cols, double gamma) : Compressor<T, Exec>(rows, cols), gamma_(gamma) {
  if (!(gamma > 0 && gamma < 2)) throw UsageError("damp:" + detail::shortest(gamma) + ": the factor is not between 0 and 2");
}

template <class T, class Exec>
std::string Damping<T, Exec>::spec() const {
  return "damp:" + detail::shortest(gamma_);
}

template <class T, class Exec>
double Damping<T, Exec>::guaranteed_alpha() const {
  double const rounding = gamma_ == 1 ? 0 : sizeof(T) == 4 ? 0x1p-22 : 0x1p-51;
  double const left = std::fabs(1 - gamma_) + rounding;
  return left < 1 ? (1 - left) * (1 + left) : 0;
}

template <class T, class Exec>
void Damping<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const&) {
  this->check_compress(payload, x);
  auto const padded = static_cast<std::int64_t>(bytes_bound() / sizeof(T));
  Kokkos::parallel_for("kaon::compress::damp", Kokkos::RangePolicy<Exec>(exec, 0, padded),
                       ScaledValues<T>{reinterpret_cast<T*>(payload.data()), x.data(), this->entries(), static_cast<T>(gamma_)});
  detail::set_length(exec, length, bytes_bound());
}

template <class T, class Exec>
void Damping<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                      std::size_t length) {
  this->check_decompress(y, payload, length);
  Kokkos::parallel_for("kaon::compress::damp_add", Kokkos::RangePolicy<Exec>(exec, 0, this->entries()),
                       AddValues<T>{y.data(), reinterpret_cast<T const*>(payload.data())});
}

#define KAON_KERNEL(T, Exec) template class Damping<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
