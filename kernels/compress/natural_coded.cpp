#include <kaon/compress/natural_coded.hpp>
#include <kaon/core/instantiate.hpp>

namespace kaon {

template <class T, class Exec>
NaturalCoded<T, Exec>::NaturalCoded(int rows, int cols, bool stochastic)
    : Compressor<T, Exec>(rows, cols),
      natural_(rows, cols, stochastic),
      codec_(static_cast<std::uint64_t>(this->entries())),
      plain_("kaon::compress::natural_plain", natural_.bytes_bound()) {
  require(natural_.bytes_bound() == codec_.plain_bytes(), "natural:coded: another layout of natural");
}

template <class T, class Exec>
bool NaturalCoded<T, Exec>::plausible(std::size_t length) const {
  return length % 8 == 0 && length >= codec_.bytes_least() && length <= codec_.bytes_bound();
}

template <class T, class Exec>
void NaturalCoded<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload,
                                     Out<Scalar<std::uint64_t, Exec>> const& length, In<ConstMatrix<T, Exec>> const& x,
                                     Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  natural_.compress(exec, plain_, length, x, {}, key);
  codec_.encode(exec, payload, length, plain_);
}

template <class T, class Exec>
void NaturalCoded<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                           std::size_t length) {
  this->check_decompress(y, payload, length);
  codec_.decode(exec, plain_, payload, length);
  natural_.decompress_add(exec, y, plain_, plain_.extent(0));
}

#define KAON_KERNEL(T, Exec) template class NaturalCoded<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
