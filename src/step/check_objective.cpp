#include <kaon/step/check_objective.hpp>

#include <kaon/core/error.hpp>
#include <kaon/step/share_check.hpp>

#include <xxhash.h>

#include <cmath>
#include <string>
#include <vector>

namespace kaon {

namespace {

// Hash of the bits; `what` must be finite.
template <class T>
std::uint64_t bits_of(ConstMatrix<T, Space> const& m, std::string const& what) {
  auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, m);
  for (std::size_t e = 0; e < host.size(); ++e)
    if (!std::isfinite(host.data()[e])) throw UsageError("the objective gives a NaN or an infinity: " + what);
  return XXH3_64bits(host.data(), host.size() * sizeof(T));
}

template <class T>
class Shares {
 public:
  Shares(Space const& exec, Objective<T>& objective, Model<T> const& W)
      : exec_(exec), objective_(objective), W_(W), check_(objective.layers()), loss_("kaon::step::checked_loss") {}

  // Hashes of the layers' gradients, and the loss's last.
  std::vector<std::uint64_t> operator()(Share const& share) {
    auto const& layers = objective_.layers();
    std::vector<std::uint64_t> bits(layers.size() + 1);
    check_.begin(share);
    objective_.gradient(exec_, loss_, W_, share, [&](int i, ConstMatrix<T, Space> const& g) {
      check_.take(i, g.extent(0), g.extent(1), g.span_is_contiguous());
      exec_.fence();
      auto const k = static_cast<std::size_t>(i);
      bits[k] = bits_of<T>(g, "the gradient of layer " + layers[k].name + ", " + text_of(share));
    });
    check_.end();
    exec_.fence();
    double loss = 0;
    Kokkos::deep_copy(loss, loss_);
    if (!std::isfinite(loss)) throw UsageError("the objective gives a NaN or an infinity: the loss, " + text_of(share));
    bits.back() = XXH3_64bits(&loss, sizeof loss);
    return bits;
  }

 private:
  Space exec_;
  Objective<T>& objective_;
  Model<T> const& W_;
  ShareCheck check_;
  Scalar<double, Space> loss_;
};

template <class T>
typename Objective<T>::Point start_of(Space const& exec, Objective<T>& objective) {
  typename Objective<T>::Point X;
  for (auto const& l : objective.layers())
    X.emplace_back("kaon::step::checked_start", static_cast<std::size_t>(l.rows), static_cast<std::size_t>(l.cols));
  objective.initialize(exec, X);
  exec.fence();
  return X;
}

}  // namespace

template <class T>
void check_objective(Space const& exec, Objective<T>& objective, int workers, std::uint64_t step) {
  auto const X = start_of(exec, objective), again = start_of(exec, objective);
  for (std::size_t i = 0; i < X.size(); ++i) {
    auto const what = "the starting point of layer " + objective.layers()[i].name;
    if (bits_of<T>(X[i], what) != bits_of<T>(again[i], what)) throw UsageError(what + " is another one the second time");
  }
  Model<T> const W(X.begin(), X.end());
  Shares<T> shares(exec, objective, W);
  std::vector<std::vector<std::uint64_t>> first;
  std::vector<Share> order;
  for (int j = 0; j < workers; ++j)
    for (int b = 0; b < objective.micro_batches(); ++b) {
      order.push_back({j, step, b});
      first.push_back(shares(order.back()));
    }
  for (std::size_t k = order.size(); k-- > 0;) {
    auto const second = shares(order[k]);
    for (std::size_t i = 0; i < second.size(); ++i)
      if (second[i] != first[k][i])
        throw UsageError(
            "the same share gives other bits the second time: " +
            (i < objective.layers().size() ? "the gradient of layer " + objective.layers()[i].name : "the loss") + ", " +
            text_of(order[k]) +
            "; results may depend on worker, step, micro-batch, W and registered state alone, and sums need a fixed order");
  }
}

template void check_objective<float>(Space const&, Objective<float>&, int, std::uint64_t);
template void check_objective<double>(Space const&, Objective<double>&, int, std::uint64_t);

}  // namespace kaon
