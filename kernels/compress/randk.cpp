#include <kaon/compress/detail.hpp>
#include <kaon/compress/randk.hpp>
#include <kaon/linalg/elementwise.hpp>

#include <algorithm>

namespace kaon {
namespace {

inline constexpr std::uint64_t stream_seed = 3;

struct WriteSeed {
  std::uint64_t* word;
  std::uint64_t seed;
  KOKKOS_FUNCTION void operator()(std::int64_t) const { *word = seed; }
};

/// Counts the seed in.
template <class Exec>
struct AddSeedLength {
  Scalar<std::uint64_t, Exec> length;
  KOKKOS_FUNCTION void operator()(std::int64_t) const { length() += 8; }
};

template <class Exec>
struct Draw {
  Scalar<Permutation, Exec> to;
  Permutation permutation;
  std::uint64_t const* seed;
  KOKKOS_FUNCTION void operator()(std::int64_t) const {
    Permutation p = permutation;
    p.seed(*seed);
    to() = p;
  }
};

/// value[i] ← x[π(i)].
template <class T>
struct Take {
  T* value;
  T const* x;
  KOKKOS_INLINE_FUNCTION void operator()(std::uint32_t i, std::uint32_t at) const { value[i] = x[at]; }
};
/// y[π(i)] ← y[π(i)] + value[i].
template <class T>
struct Put {
  T* y;
  T const* value;
  KOKKOS_INLINE_FUNCTION void operator()(std::uint32_t i, std::uint32_t at) const { y[at] += value[i]; }
};

/// f(i, π(i)) for the i of one chunk; the rounds of a whole chunk vectorise.
template <class F, class Exec>
struct ForKept {
  static constexpr int chunk = runs_on_host<Exec> ? 16 : 1;
  Scalar<Permutation, Exec> permutation;
  std::uint32_t kept;
  F f;
  KOKKOS_FUNCTION void operator()(std::int64_t c) const {
    Permutation const p = permutation();
    auto const begin = static_cast<std::uint32_t>(c) * chunk;
    std::uint32_t at[chunk];
    for (int j = 0; j < chunk; ++j) at[j] = p.rounds(begin + static_cast<std::uint32_t>(j));
    for (int j = 0; j < chunk; ++j) {
      std::uint32_t const i = begin + static_cast<std::uint32_t>(j);
      if (i < kept) f(i, p.finish(at[j]));
    }
  }
};

template <class F, class Exec>
void for_kept(Exec const& exec, char const* label, Scalar<Permutation, Exec> const& permutation, std::int64_t kept, F const& f) {
  constexpr int chunk = ForKept<F, Exec>::chunk;
  Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec>(exec, 0, (kept + chunk - 1) / chunk),
                       ForKept<F, Exec>{permutation, static_cast<std::uint32_t>(kept), f});
}

template <class Exec>
void draw(Exec const& exec, Scalar<Permutation, Exec> const& permutation, std::int64_t n, unsigned char const* seed) {
  Kokkos::parallel_for("kaon::compress::rand_draw", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                       Draw<Exec>{permutation, Permutation::of_size(n), reinterpret_cast<std::uint64_t const*>(seed)});
}

}  // namespace

template <class T, class Exec>
std::int64_t RandK<T, Exec>::count(double fraction, int rows, int cols) {
  auto const n = static_cast<std::int64_t>(rows) * cols;
  return std::clamp<std::int64_t>(detail::floor_fraction(fraction, static_cast<double>(n)), 1, n);
}

template <class T, class Exec>
RandK<T, Exec>::RandK(int rows, int cols, double fraction, ValueCoder<T, Exec> values)
    : Compressor<T, Exec>(rows, cols),
      fraction_(fraction),
      kept_(count(fraction, rows, cols)),
      values_(std::move(values)),
      value_("kaon::compress::rand_value", 1, static_cast<std::size_t>(kept_)),
      permutation_("kaon::compress::rand_permutation") {
  require(values_ != nullptr && values_->rows() == 1 && values_->cols() == kept_, "rand: values of another shape");
}

template <class T, class Exec>
std::string RandK<T, Exec>::spec() const {
  auto const head = "rand:" + detail::shortest(fraction_);
  return values_->replaces() ? head : head + "+" + values_->spec();
}

template <class T, class Exec>
double RandK<T, Exec>::guaranteed_alpha() const {
  return values_->guaranteed_alpha() * static_cast<double>(kept_) / static_cast<double>(this->entries());
}

template <class T, class Exec>
void RandK<T, Exec>::compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                              In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const&, StreamKey const& key) {
  this->check_compress(payload, x);
  Words const w = random_words(detail::second_stream(key, stream_seed), 0);
  std::uint64_t const seed = w.v[0] | static_cast<std::uint64_t>(w.v[1]) << 32;
  Kokkos::parallel_for("kaon::compress::rand_seed", Kokkos::RangePolicy<Exec>(exec, 0, 1),
                       WriteSeed{reinterpret_cast<std::uint64_t*>(payload.data()), seed});
  draw(exec, permutation_, this->entries(), payload.data());
  for_kept(exec, "kaon::compress::rand", permutation_, kept_, Take<T>{value_.data(), x.data()});
  values_->compress(exec, detail::bytes_from(payload, 8, values_->bytes_bound()), length, value_, {}, key);
  Kokkos::parallel_for("kaon::compress::rand_length", Kokkos::RangePolicy<Exec>(exec, 0, 1), AddSeedLength<Exec>{length});
}

template <class T, class Exec>
void RandK<T, Exec>::decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                                    std::size_t length) {
  this->check_decompress(y, payload, length);
  if (!values_->replaces()) fill<T>(exec, value_, T(0));
  values_->decompress_add(exec, value_, detail::bytes_from(payload, 8, length - 8), length - 8);
  draw(exec, permutation_, this->entries(), payload.data());
  for_kept(exec, "kaon::compress::rand_add", permutation_, kept_, Put<T>{y.data(), value_.data()});
}

#define KAON_KERNEL(T, Exec) template class RandK<T, Exec>;
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
