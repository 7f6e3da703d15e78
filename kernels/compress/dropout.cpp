#include <kaon/compress/damping.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/dropout.hpp>

namespace kaon {
namespace {

inline constexpr std::uint64_t stream_coin = 4;

/// payload starts with `kept`, whose 8 bytes are added to the length of what follows.
template <class Exec>
struct WriteHead {
  std::uint64_t* head;
  Scalar<std::uint64_t, Exec> length;
  std::uint64_t kept;
  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    *head = kept;
    length() = kept != 0 ? length() + 8 : 8;
  }
};

}  // namespace

template <class T, class Exec>
Dropout<T, Exec>::Dropout(int rows, int cols, double probability, std::unique_ptr<Compressor<T, Exec>> inner)
    : Compressor<T, Exec>(rows, cols), probability_(probability), plain_(inner == nullptr), inner_(std::move(inner)) {
  if (!(probability > 0 && probability <= 1))
    throw UsageError("dropout:" + detail::shortest(probability) + ": the probability is not in (0, 1]");
  if (plain_) inner_ = std::make_unique<Damping<T, Exec>>(rows, cols, 1.0);
  require(inner_->rows() == rows && inner_->cols() == cols && !inner_->replaces(), "dropout: unfit inner compressor");
}

template <class T, class Exec>
std::string Dropout<T, Exec>::spec() const {
  auto const head = "dropout:" + detail::shortest(probability_);
  return plain_ ? head : head + "+" + inner_->spec();
}

template <class T, class Exec>
void Dropout<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                                In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) {
  this->check_compress(payload, x);
  bool const kept = random_uniform(detail::second_stream(key, stream_coin), 0) < probability_;
  if (kept) inner_->compress(exec, detail::bytes_from(payload, 8, inner_->bytes_bound()), length, x, state, key);
  Kokkos::parallel_for(
      "kaon::compress::dropout", Kokkos::RangePolicy<Exec>(exec, 0, 1),
      WriteHead<Exec>{reinterpret_cast<std::uint64_t*>(payload.data()), length, kept ? std::uint64_t{1} : std::uint64_t{0}});
}

template <class T, class Exec>
void Dropout<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                      std::size_t length) {
  this->check_decompress(y, payload, length);
  if (length > 8) inner_->decompress_add(exec, y, detail::bytes_from(payload, 8, length - 8), length - 8);
}

#define KAON_KERNEL(T, Exec) template class Dropout<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
