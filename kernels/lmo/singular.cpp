// The norms of singular values, by exact factors: the weights are chosen on the host, where the few singular values are.
#include <kaon/core/error.hpp>
#include <kaon/core/instantiate.hpp>
#include <kaon/linalg/elementwise.hpp>
#include <kaon/lmo/detail.hpp>
#include <kaon/lmo/norms.hpp>
#include <kaon/polar/gram_eigen.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace kaon {

std::vector<double> singular_weights(LmoSettings const& settings, std::vector<double> const& s) {
  std::vector<double> w(s.size(), 0.0);
  require(!s.empty() && s[0] > 0, "singular_weights: needs a value that is not zero");
  auto const k = static_cast<std::size_t>(settings.k);
  double const nuclear = std::accumulate(s.begin(), s.end(), 0.0);
  bool const one = settings.norm == "nuclear" || (settings.norm == "ky-fan" && s[0] >= nuclear / settings.k);
  if (one) {
    w[0] = 1;
  } else if (settings.norm == "schatten") {
    // 1/p + 1/q = 1. Relative to s₁, so that no power over- or underflows but to a zero that is one: p near 1 makes q large.
    double const q = settings.p / (settings.p - 1);
    double sum = 0;
    for (double const x : s) sum += x > 0 ? std::pow(x / s[0], q) : 0.0;
    double const largest = std::pow(sum, -1 / settings.p);  // ‖s‖_q^{−(q−1)}·s₁^{q−1}, since (q − 1)/q = 1/p
    for (std::size_t i = 0; i < s.size(); ++i) w[i] = s[i] > 0 ? std::pow(s[i] / s[0], q - 1) * largest : 0.0;
  } else {
    std::size_t const count = settings.norm == "dual-ky-fan" ? std::min(k, s.size()) : s.size();
    double const each = settings.norm == "ky-fan" ? 1.0 / settings.k : 1.0;
    for (std::size_t i = 0; i < count; ++i) w[i] = s[i] > 0 ? each : 0.0;
  }
  return w;
}

namespace singular_norm {

template <class T, class Exec>
class SingularLmo final : public Lmo<T, Exec> {
 public:
  SingularLmo(LmoSettings const& settings, int rows, int cols, double scale)
      : Lmo<T, Exec>(rows, cols, scale),
        settings_(settings),
        factors_(rows, cols),
        partials_("kaon::lmo_singular::partials", static_cast<std::size_t>(norm_workspace(rows, cols))) {}

  void apply(Exec const& exec, Out<Matrix<T, Exec>> const& Z, In<ConstMatrix<T, Exec>> const& G) override {
    this->check(Z, G);
    if (!factors_.factor(exec, G)) return fill<T>(exec, Z, std::numeric_limits<T>::quiet_NaN());
    auto const& s = factors_.values();
    if (s[0] == 0) return fill<T>(exec, Z, T(0));
    factors_.compose(exec, Z, G, singular_weights(settings_, s));
    kaon::scale<T>(exec, Z, static_cast<T>(-this->scale()));
  }

  void dual_norm(Exec const& exec, Out<Scalar<double, Exec>> const& result, In<ConstMatrix<T, Exec>> const& G,
                 In<ConstMatrix<T, Exec>> const& Z) override {
    this->check(Z, G);
    lmo_detail::minus_dot<T>(exec, result, partials_, G, Z);
  }

 private:
  LmoSettings settings_;
  SingularFactors<T, Exec> factors_;
  Vector<double, Exec> partials_;
};

}  // namespace singular_norm

template <class T, class Exec>
std::unique_ptr<Lmo<T, Exec>> make_singular_lmo(LmoSettings const& settings, int rows, int cols, double scale) {
  return std::make_unique<singular_norm::SingularLmo<T, Exec>>(settings, rows, cols, scale);
}

namespace {

// Beyond these ends p is spectral or nuclear to rounding, and s^{q−1} would under- or overflow.
void check_p(NormBlock const& b) {
  double const p = b.settings.p;
  if (!(p >= 1.01 && p <= 1000))
    throw UsageError("norm 'schatten': p must lie in 1.01 ... 1000, not " + std::to_string(p) +
                     "; for the ends take 'nuclear' (p = 1) and 'spectral' (p infinite)");
}

void check_k(NormBlock const& b) {
  int const k = b.settings.k, most = std::min(b.rows, b.cols);
  if (k < 1 || k > most)
    throw UsageError("norm '" + b.settings.norm + "': k must lie in 1 ... " + std::to_string(most) + " for blocks of " +
                     std::to_string(b.rows) + " x " + std::to_string(b.cols) + ", not " + std::to_string(k));
}

}  // namespace

NormTraits singular_norm_traits(std::string const& name) {
  auto* const check = name == "schatten" ? check_p : name == "nuclear" ? nullptr : check_k;
  return {name,  lmo_scales(), spectral_rms, check, [](NormBlock const& b) { return gram_polar_cost(b.rows, b.cols); },
          never, never};
}

#define KAON_KERNEL(T, Exec) \
  template std::unique_ptr<Lmo<T, Exec>> make_singular_lmo<T, Exec>(LmoSettings const&, int, int, double);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
