#include <kaon/compress/column_top.hpp>
#include <kaon/compress/contraction.hpp>
#include <kaon/compress/topk.hpp>

#include <algorithm>
#include <cmath>

namespace kaon {
namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

bool is_sum(std::string const& norm) { return norm == "entry-l1" || norm == "column-sum" || norm == "row-sum"; }
bool is_monotone(std::string const& norm) { return is_sum(norm) || norm == "max-abs" || norm == "column" || norm == "row"; }

void check(std::string const& norm) {
  auto const& names = contraction_norms();
  if (std::find(names.begin(), names.end(), norm) != names.end()) return;
  std::string message = "no norm is called '" + norm + "'; known are";
  for (auto const& name : names) message += " " + name;
  throw UsageError(message);
}

/// Largest relative error of a kept value that sums of norms see (root of the mean square if random); 1 where unknown.
double value_error(std::string const& values) {
  if (values.empty()) return 0;
  if (values == "natural" || values == "natural:coded") return 1.0 / 3 + 1e-6;
  if (values == "natural:stochastic" || values == "natural:stochastic:coded") return std::sqrt(1.0 / 8);
  return 1;
}

/// `spec` in canonical form, `euclidean` its Euclidean α.
double alpha_in(std::string const& spec, double euclidean, int rows, int cols, std::string const& norm) {
  if (norm == "frobenius") return euclidean;
  auto const plus = spec.find('+');
  std::string const head = spec.substr(0, plus), rest = plus == std::string::npos ? "" : spec.substr(plus + 1);
  auto const colon = head.find(':');
  std::string const name = head.substr(0, colon), field = colon == std::string::npos ? "" : head.substr(colon + 1);

  if (name == "identity" || name == "damp") return euclidean;
  if (name == "dropout") return std::stod(field) * (rest.empty() ? 1.0 : guaranteed_alpha(rest, rows, cols, norm));
  if (name == "natural") return (field.rfind("stochastic", 0) == 0 ? is_sum(norm) : is_monotone(norm)) ? euclidean : 0;
  if (name == "rand") return is_sum(norm) && value_error(rest) < 1 ? euclidean : 0;
  double kept = 0;
  if (name == "top" && norm == "entry-l1")
    kept = static_cast<double>(TopK<float, Host>::count(std::stod(field), rows, cols)) / (static_cast<double>(rows) * cols);
  if (name == "columns" && norm == "column-sum")
    kept = static_cast<double>(ColumnTop<float, Host>::count(std::stod(field), cols)) / cols;
  double const gone = 1 - kept * (1 - value_error(rest));
  return 1 - gone * gone;
}

}  // namespace

std::vector<std::string> const& contraction_norms() {
  static std::vector<std::string> const names{"frobenius", "entry-l1",   "max-abs", "column", "row",
                                              "spectral",  "column-sum", "row-sum", "nuclear"};
  return names;
}

double guaranteed_alpha(std::string const& spec, int rows, int cols, std::string const& norm) {
  check(norm);
  auto const c = make_compressor<float, Host>(spec, rows, cols);
  return alpha_in(c->spec(), c->guaranteed_alpha(), rows, cols, norm);
}

double truncated_svd_alpha(int rank, int least, std::string const& norm) {
  check(norm);
  require(1 <= rank && rank <= least, "truncated_svd_alpha: needs 1 <= rank <= least");
  double const gone = 1 - static_cast<double>(rank) / least;
  if (gone == 0) return 1;
  return norm == "frobenius" ? 1 - gone : norm == "nuclear" ? 1 - gone * gone : 0;
}

}  // namespace kaon
