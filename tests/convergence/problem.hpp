// Least squares with everything that the theorems ask for, computed on the host in fp64.
#ifndef KAON_CONVERGENCE_PROBLEM_HPP
#define KAON_CONVERGENCE_PROBLEM_HPP

#include <kaon/core/error.hpp>
#include <kaon/linalg/svd_host.hpp>
#include <kaon/objective/least_squares.hpp>
#include <kaon/objective/least_squares_problem.hpp>
#include <kaon/support/backends.hpp>

#include <unistd.h>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

namespace kaon::test {

/// f(X) = (1/n) Σ ‖A_j X − B_j‖²_F / (2r); the B_j come from different solutions, so the workers disagree at the optimum.
class TheoryProblem {
 public:
  static constexpr int workers = 4, samples = 20, rows = 12, cols = 8;
  static constexpr std::uint64_t seed = 20251;

  TheoryProblem() : file_(std::filesystem::temp_directory_path() / ("kaon-theory-" + std::to_string(::getpid()) + ".h5")) {
    p_.workers = workers, p_.samples = samples, p_.rows = rows, p_.cols = cols;
    p_.X0.assign(rows * cols, 0.0);
    for (int j = 0; j < workers; ++j) {
      auto const a = random_matrix(samples, rows, seed + 10 + j), x = random_matrix(rows, cols, seed + 20 + j);
      auto const common = random_matrix(rows, cols, seed);
      for (int s = 0; s < samples; ++s) {
        for (int i = 0; i < rows; ++i) p_.A.push_back(a(s, i));
        for (int c = 0; c < cols; ++c) {
          double b = 0;
          for (int i = 0; i < rows; ++i) b += a(s, i) * (common(i, c) + 0.5 * x(i, c));
          p_.B.push_back(b);
        }
      }
    }
    write_problem(file_, p_);
    solve();
  }
  ~TheoryProblem() { std::filesystem::remove(file_); }
  TheoryProblem(TheoryProblem const&) = delete;
  TheoryProblem& operator=(TheoryProblem const&) = delete;

  LeastSquares<double> objective(double noise, std::uint64_t noise_seed) const { return {file_, workers, noise, noise_seed}; }
  double gap() const { return value(HostMatrix(rows, cols)) - least_; }  ///< D0 = f(X⁰) − f*

  /// f at X, and ∇f(X) when asked for.
  double value(HostMatrix const& X, HostMatrix* gradient = nullptr) const {
    if (gradient) *gradient = HostMatrix(rows, cols);
    double sum = 0;
    for (int s = 0; s < workers * samples; ++s) {
      double const* const a = p_.A.data() + s * rows;
      for (int c = 0; c < cols; ++c) {
        double r = -p_.B[static_cast<std::size_t>(s * cols + c)];
        for (int i = 0; i < rows; ++i) r += a[i] * X(i, c);
        sum += r * r;
        if (gradient)
          for (int i = 0; i < rows; ++i) (*gradient)(i, c) += a[i] * r / (workers * samples);
      }
    }
    return sum / (2.0 * workers * samples);
  }

  /// H of ∇f(X) − ∇f(Y) = H(X − Y): worker j's, or the mean for j < 0.
  HostMatrix hessian(int j) const {
    HostMatrix h(rows, rows);
    int const first = j < 0 ? 0 : j * samples, count = j < 0 ? workers * samples : samples;
    for (int s = first; s < first + count; ++s)
      for (int i = 0; i < rows; ++i)
        for (int k = 0; k < rows; ++k) h(i, k) += p_.A[s * rows + i] * p_.A[s * rows + k] / count;
    return h;
  }

 private:
  // X* = V S⁻¹ Uᵀ B of the stacked problem.
  void solve() {
    auto const svd = svd_host<double>(workers * samples, rows, p_.A);
    HostMatrix x(rows, cols);
    for (int k = 0; k < rows; ++k)
      for (int c = 0; c < cols; ++c) {
        double ub = 0;
        for (int s = 0; s < workers * samples; ++s) ub += svd.u[s * rows + k] * p_.B[s * cols + c];
        for (int i = 0; i < rows; ++i) x(i, c) += svd.vt[k * rows + i] * ub / svd.s[k];
      }
    HostMatrix g;
    least_ = value(x, &g);
    double residual = 0;
    for (double v : g.a) residual += v * v;
    require(std::sqrt(residual) < 1e-12, "the optimum of the test problem was not found");
  }

  std::string file_;
  LeastSquaresProblem p_;
  double least_ = 0;
};

/// A norm of matrices with its dual, and the smoothness constant that a Hessian H has in it: ‖HΔ‖_* ≤ L‖Δ‖.
struct Geometry {
  std::string name;
  static double frobenius(HostMatrix const& g) {
    double s = 0;
    for (double v : g.a) s += v * v;
    return std::sqrt(s);
  }
  double dual(HostMatrix const& g) const {
    if (name == "frobenius") return frobenius(g);
    double s = 0;
    if (name == "max-abs")
      for (double v : g.a) s += std::abs(v);
    else
      for (double v : svd_host<double>(g.rows, g.cols, g.a).s) s += v;
    return s;
  }
  /// frobenius: σ₁(H). max-abs: ‖HΔ‖_ℓ1 ≤ Σ|H| · (columns of Δ). spectral: ‖HΔ‖_nuclear ≤ tr H, for H ⪰ 0.
  double smoothness(HostMatrix const& h) const {
    if (name == "frobenius") return svd_host<double>(h.rows, h.cols, h.a).s[0];
    double s = 0;
    for (int i = 0; i < h.rows; ++i)
      for (int k = 0; k < h.cols; ++k) s += name == "max-abs" ? TheoryProblem::cols * std::abs(h(i, k)) : i == k ? h(i, k) : 0.0;
    return s;
  }
};

/// L of f, and the mean and root mean square of the workers' L_j.
struct Smoothness {
  double whole = 0, mean = 0, rms = 0;
  Smoothness(TheoryProblem const& p, Geometry const& g) : whole(g.smoothness(p.hessian(-1))) {
    for (int j = 0; j < TheoryProblem::workers; ++j) {
      double const l = g.smoothness(p.hessian(j));
      mean += l / TheoryProblem::workers;
      rms += l * l / TheoryProblem::workers;
    }
    rms = std::sqrt(rms);
  }
};

}  // namespace kaon::test

#endif
