#include <kaon/objective/least_squares.hpp>

#include <kaon/core/error.hpp>
#include <kaon/core/reduce.hpp>
#include <kaon/linalg/gemm.hpp>
#include <kaon/objective/fingerprint_field.hpp>
#include <kaon/objective/least_squares_problem.hpp>
#include <kaon/random/stream.hpp>

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>

namespace kaon {
namespace {

template <class T>
struct ScaledSquare {
  ConstMatrix<T, Space> a;
  double scale;
  KOKKOS_INLINE_FUNCTION double operator()(std::int64_t i) const {
    double const v = static_cast<double>(a.data()[i]);
    return v * v * scale;
  }
};

template <class T>
struct AddNoise {
  Matrix<T, Space> a;
  StreamKey key;
  double deviation;
  KOKKOS_INLINE_FUNCTION void operator()(std::int64_t i) const {
    a.data()[i] += static_cast<T>(deviation * random_normal(key, static_cast<std::uint64_t>(i)));
  }
};

template <class T>
Matrix<T, Space> upload(std::string const& label, std::vector<double> const& data, std::size_t rows, std::size_t cols) {
  Matrix<T, Space> d(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), rows, cols);
  auto h = Kokkos::create_mirror_view(Kokkos::HostSpace{}, d);
  for (std::size_t i = 0; i < data.size(); ++i) h.data()[i] = static_cast<T>(data[i]);
  Kokkos::deep_copy(d, h);
  return d;
}

/// Every rank reads the whole file, and what it has read is hashed at once.
class ProblemContents final : public Contents {
 public:
  ProblemContents(std::string const& path, std::uint64_t fingerprint) : path_(path), found_(fingerprint) {}
  std::string kind() const override { return "problem file"; }
  std::string where() const override {
    std::error_code ignored;
    return std::filesystem::absolute(path_, ignored).lexically_normal().string();
  }
  std::string copy() const override { return where(); }
  std::int64_t blocks() const override { return 0; }
  void hash(std::int64_t, std::int64_t, std::uint64_t*) const override {}
  std::uint64_t combine(std::vector<std::uint64_t> const&) const override { return found_; }

 private:
  std::string path_;
  std::uint64_t found_;
};

}  // namespace

template <class T>
LeastSquares<T>::LeastSquares(std::string const& path, int workers, double noise, std::uint64_t seed)
    : path_(path), workers_(workers), noise_(noise), seed_(seed) {
  if (!(noise >= 0) || !std::isfinite(noise))
    throw UsageError(fmt::format("the gradient noise must be zero or positive, not {}", noise));
  auto const p = read_problem(path);
  if (workers < 1 || p.workers != static_cast<std::size_t>(workers))
    throw InputError(
        fmt::format("problem file {}: dataset /A holds {} workers, the deck says workers = {}: change the deck or the file", path,
                    p.workers, workers));
  constexpr auto limit = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (p.samples > limit || p.rows > limit || p.cols > limit)
    throw InputError(fmt::format("problem file {}: dataset /A or /B is too large", path));
  contents_ = std::make_unique<ProblemContents>(path, fingerprint_of(p));
  samples_ = p.samples;
  layers_ = {{"x", static_cast<int>(p.rows), static_cast<int>(p.cols)}};
  A_ = upload<T>("kaon::least_squares::A", p.A, p.workers * p.samples, p.rows);
  B_ = upload<T>("kaon::least_squares::B", p.B, p.workers * p.samples, p.cols);
  X0_ = upload<T>("kaon::least_squares::X0", p.X0, p.rows, p.cols);
  R_ = Matrix<T, Space>("kaon::least_squares::R", p.samples, p.cols);
  G_ = Matrix<T, Space>("kaon::least_squares::G", p.rows, p.cols);
  partials_ = Vector<double, Space>("kaon::least_squares::partials",
                                    static_cast<std::size_t>(reduce_blocks(static_cast<std::int64_t>(p.samples * p.cols))));
  piece_ = Scalar<double, Space>("kaon::least_squares::piece");
}

template <class T>
std::unique_ptr<Objective<T>> LeastSquares<T>::make(SectionValues const& values, int const workers, std::uint64_t const seed) {
  auto const& own = values["least-squares"];
  return std::make_unique<LeastSquares>(own.text("problem"), workers, own.real("noise"), seed);
}

template <class T>
void LeastSquares<T>::initialize(Space const& exec, Point const& X) {
  require(X.size() == 1 && X[0].extent(0) == X0_.extent(0) && X[0].extent(1) == X0_.extent(1),
          "LeastSquares: X has another shape");
  Kokkos::deep_copy(exec, X[0], X0_);
}

template <class T>
ConstMatrix<T, Space> LeastSquares<T>::block(Matrix<T, Space> const& stacked, int worker) const {
  return ConstMatrix<T, Space>(stacked.data() + static_cast<std::size_t>(worker) * samples_ * stacked.extent(1), samples_,
                               stacked.extent(1));
}

template <class T>
void LeastSquares<T>::residual(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, int worker) {
  require(W.size() == 1 && W.rows(0) == X0_.extent(0) && W.cols(0) == X0_.extent(1), "LeastSquares: W has another shape");
  require(worker >= 0 && worker < workers_, "LeastSquares: no such worker");
  Kokkos::deep_copy(exec, R_, block(B_, worker));
  gemm<T>(exec, R_, Op::none, block(A_, worker), Op::none, W[0], T(1), T(-1));
  reduce_sum(exec, "kaon::least_squares::loss", loss, partials_, static_cast<std::int64_t>(R_.size()),
             ScaledSquare<T>{R_, 0.5 / static_cast<double>(samples_)});
}

template <class T>
void LeastSquares<T>::gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                               Sink const& sink) {
  int const worker = share.worker;
  require(share.micro == 0, "LeastSquares: no such micro-batch");
  residual(exec, loss, W, worker);
  this->backward_begins();
  gemm<T>(exec, G_, Op::transpose, block(A_, worker), Op::none, R_, static_cast<T>(1.0 / static_cast<double>(samples_)), T(0));
  if (noise_ > 0) {
    auto const entries = static_cast<std::int64_t>(G_.size());
    StreamKey const key{seed_, Purpose::gradient_noise, static_cast<std::uint32_t>(share.step), 0,
                        static_cast<std::uint32_t>(worker)};
    Kokkos::parallel_for("kaon::least_squares::noise",
                         Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>(exec, 0, entries),
                         AddNoise<T>{G_, key, noise_ / std::sqrt(static_cast<double>(entries))});
  }
  sink(0, G_);
}

template <class T>
std::pair<double, double> LeastSquares<T>::validate_piece(Space const& exec, ConstPoint const& W, int piece) {
  residual(exec, piece_, W, piece);
  double loss = 0;
  Kokkos::deep_copy(exec, loss, piece_);
  exec.fence();
  return {loss, 1.0};
}

template <class T>
void LeastSquares<T>::register_state(Registry& registry, int const first_worker, int const worker_count) {
  registry.push_back(fingerprint_field(*contents_, first_worker == 0 && worker_count > 0, true));
}

template <class T>
std::string LeastSquares<T>::describe() const {
  return fmt::format("least squares, {}: {} workers, {} samples each, X {}×{}, noise {}", path_, workers_, samples_,
                     layers_[0].rows, layers_[0].cols, noise_);
}

template class LeastSquares<float>;
template class LeastSquares<double>;

}  // namespace kaon
