// The transformer's loss in serial fp64, written from its definition; and what the GPT's tests share.
#ifndef KAON_TEST_OBJECTIVE_GPT_REFERENCE_HPP
#define KAON_TEST_OBJECTIVE_GPT_REFERENCE_HPP

#include <kaon/core/error.hpp>
#include <kaon/objective/gpt.hpp>
#include <kaon/support/backends.hpp>

#include <cmath>
#include <cstdio>

namespace kaon::test {

using Row = std::vector<double>;

inline Row matvec(HostMatrix const& W, Row const& x) {
  Row y(static_cast<std::size_t>(W.rows), 0.0);
  for (int i = 0; i < W.rows; ++i)
    for (int j = 0; j < W.cols; ++j) y[static_cast<std::size_t>(i)] += W(i, j) * x[static_cast<std::size_t>(j)];
  return y;
}

inline Row norm(Row x) {
  double square = 0;
  for (double v : x) square += v * v;
  for (double& v : x) v /= std::sqrt(square / static_cast<double>(x.size()) + 1e-6);
  return x;
}

inline Row head_of(Row const& x, int h, int w) { return Row(x.begin() + h * w, x.begin() + (h + 1) * w); }

inline Row rotate(Row const& x, int position) {
  Row y = x;
  std::size_t const half = x.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    double const angle = position * std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(half));
    y[i] = x[i] * std::cos(angle) + x[i + half] * std::sin(angle);
    y[i + half] = x[i + half] * std::cos(angle) - x[i] * std::sin(angle);
  }
  return y;
}

inline void add(Row& x, Row const& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

inline Row attend(std::vector<Row> const& q, std::vector<Row> const& k, std::vector<Row> const& v, std::size_t t, int heads) {
  int const w = static_cast<int>(v[0].size()) / heads;
  Row y;
  for (int h = 0; h < heads; ++h) {
    Row const query = rotate(norm(head_of(q[t], h, w)), static_cast<int>(t));
    Row mixed(static_cast<std::size_t>(w), 0.0);
    double total = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      Row const key = rotate(norm(head_of(k[s], h, w)), static_cast<int>(s));
      double score = 0;
      for (std::size_t c = 0; c < key.size(); ++c) score += query[c] * key[c];
      double const p = std::exp(score / std::sqrt(static_cast<double>(w)));
      total += p;
      for (std::size_t c = 0; c < key.size(); ++c) mixed[c] += p * head_of(v[s], h, w)[c];
    }
    for (double m : mixed) y.push_back(m / total);
  }
  return y;
}

/// Sum of the losses of one sequence, in nats.
inline double sequence_loss(GptShape const& shape, std::vector<HostMatrix> const& W, int const* inputs, int const* targets) {
  auto const n = static_cast<std::size_t>(shape.context);
  std::vector<Row> x(n), q(n), k(n), v(n);
  for (std::size_t t = 0; t < n; ++t)
    for (int j = 0; j < shape.width; ++j) x[t].push_back(W[0](inputs[t], j));
  for (auto& row : x) row = norm(row);
  for (int b = 0; b < shape.layers; ++b) {
    auto const* w = &W[static_cast<std::size_t>(1 + 6 * b)];
    for (std::size_t t = 0; t < n; ++t) {
      Row const y = norm(x[t]);
      q[t] = matvec(w[0], y), k[t] = matvec(w[1], y), v[t] = matvec(w[2], y);
    }
    for (std::size_t t = 0; t < n; ++t) add(x[t], matvec(w[3], attend(q, k, v, t, shape.heads)));
    for (auto& row : x) {
      Row up = matvec(w[4], norm(row));
      for (double& u : up) u = u > 0 ? u * u : 0;
      add(row, matvec(w[5], up));
    }
  }
  double loss = 0;
  for (std::size_t t = 0; t < n; ++t) {
    Row const logits = matvec(shape.tied ? W.front() : W.back(), norm(x[t]));
    double total = 0;
    for (double l : logits) total += std::exp(l);
    loss += std::log(total) - logits[static_cast<std::size_t>(targets[t])];
  }
  return loss;
}

inline GptShape tiny(bool tied) {
  GptShape s;
  s.layers = 2, s.heads = 2, s.width = 8, s.context = 6, s.vocab = 11, s.mlp_ratio = 2, s.batch = 2, s.tied = tied;
  return s;
}

inline std::vector<std::uint16_t> some_tokens(int n, int vocabulary, std::uint64_t seed = 61) {
  StreamKey const key{seed, Purpose::test, 0, 0, 0};
  std::vector<std::uint16_t> t;
  for (int i = 0; i < n; ++i)
    t.push_back(
        static_cast<std::uint16_t>(random_word(key, static_cast<std::uint64_t>(i)) % static_cast<std::uint32_t>(vocabulary)));
  return t;
}

inline std::unique_ptr<Batches> deal(GptShape const& s, int workers, std::vector<std::uint16_t> const& tokens,
                                     std::string const& order = "sequential", double fraction = 0.2) {
  DataSettings d;
  d.order = order;
  d.validation_fraction = fraction;
  d.validation_batches = 0;
  return std::make_unique<Batches>(Tokens(tokens, s.vocab), std::nullopt, d, BatchShape{workers, s.batch, s.context, s.vocab}, 5);
}

/// Parameters of size 1/√columns, so that every path carries gradient.
inline std::vector<HostMatrix> random_point(GptShape const& s, std::uint64_t seed) {
  std::vector<HostMatrix> W;
  for (auto const& l : s.parameters()) {
    W.push_back(random_matrix(l.rows, l.cols, seed++));
    for (auto& w : W.back().a) w /= std::sqrt(static_cast<double>(l.cols));
  }
  return W;
}

template <class T>
typename Objective<T>::Point point(std::vector<HostMatrix> const& W) {
  typename Objective<T>::Point P;
  for (auto const& w : W) P.push_back(to_device<T, Space>(w));
  return P;
}

template <class T>
typename Objective<T>::ConstPoint as_const(typename Objective<T>::Point const& P) {
  return {P.begin(), P.end()};
}

inline double value(Scalar<double, Space> const& s) {
  double v = 0;
  Kokkos::deep_copy(v, s);
  return v;
}

template <class View>
std::vector<int> host_tokens(View const& v) {
  auto const m = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, v);
  return {m.data(), m.data() + m.extent(0)};
}

}  // namespace kaon::test

#endif
