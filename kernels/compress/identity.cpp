#include <kaon/compress/detail.hpp>
#include <kaon/compress/identity.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {
namespace {

template <class T>
struct CopyValues {
  T* to;
  T const* from;
  std::int64_t count;  // what lies between it and the end of the range is padding
  KOKKOS_FUNCTION void operator()(std::int64_t i) const { to[i] = i < count ? from[i] : T(0); }
};

}  // namespace

template <class T, class Exec>
void Identity<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload,
                                 Out<Scalar<std::uint64_t, Exec>> const& length, In<ConstMatrix<T, Exec>> const& x,
                                 Out<Matrix<T, Exec>> const&, StreamKey const&) {
  this->check_compress(payload, x);
  auto const n = this->entries();
  auto* const values = reinterpret_cast<T*>(payload.data());
  auto const padded = static_cast<std::int64_t>(this->bytes_bound() / sizeof(T));
  Kokkos::parallel_for("kaon::compress::identity", Kokkos::RangePolicy<Exec>(exec, 0, padded),
                       CopyValues<T>{values, x.data(), n});
  detail::set_length(exec, length, this->bytes_bound());
}

template <class T, class Exec>
void Identity<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                       std::size_t length) {
  this->check_decompress(y, payload, length);
  auto const* const values = reinterpret_cast<T const*>(payload.data());
  Kokkos::parallel_for("kaon::compress::identity_assign", Kokkos::RangePolicy<Exec>(exec, 0, this->entries()),
                       CopyValues<T>{y.data(), values, this->entries()});
}

#define KAON_KERNEL(T, Exec) template class Identity<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
