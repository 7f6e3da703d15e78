#include "report.hpp"

#include <kaon/nn/activation.hpp>
#include <kaon/nn/attention.hpp>
#include <kaon/nn/cross_entropy.hpp>
#include <kaon/nn/embedding.hpp>
#include <kaon/nn/initialize.hpp>
#include <kaon/nn/norm.hpp>
#include <kaon/nn/rotary.hpp>

#include "../unit/nn/reference.hpp"

namespace kaon {
namespace nn_test {

using namespace test;

template <class B>
struct PortableNetwork : ::testing::Test {};
TYPED_TEST_SUITE(PortableNetwork, Backends, BackendNames);

template <class Exec>
void fill_words(Exec const& exec, Vector<std::uint32_t, Exec> const& words, StreamKey const& key) {
  Kokkos::parallel_for(
      "kaon::test::words", Kokkos::RangePolicy<Exec>(exec, 0, static_cast<int>(words.size())),
      KOKKOS_LAMBDA(int const i) { words(i) = random_word(key, static_cast<std::uint64_t>(i)); });
}

constexpr int context = 19, heads = 3, width = 8, sequences = 4, rows = sequences * context, cols = heads * width;

TYPED_TEST(PortableNetwork, Attention) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto const q = random_matrix(rows, cols, 11), k = random_matrix(rows, cols, 12), v = random_matrix(rows, cols, 13);
  auto const g = random_matrix(rows, cols, 14);
  AttentionShape const shape{sequences, heads, context, width};
  AttentionWorkspace<T, Exec> const work(shape);
  Matrix<T, Exec> const Y("kaon::test::Y", rows, cols), dQ("kaon::test::dQ", rows, cols), dK("kaon::test::dK", rows, cols),
      dV("kaon::test::dV", rows, cols);
  Vector<T, Exec> const P("kaon::test::P", sequences * heads * context * context);
  auto const Q = to_device<T, Exec>(q), K = to_device<T, Exec>(k), V = to_device<T, Exec>(v);
  attention<T>(exec, Y, P, shape, work, Q, K, V);
  attention_backward<T>(exec, dQ, dK, dV, shape, work, to_device<T, Exec>(g), Y, P, Q, K, V);
  exec.fence();
  auto const reference = [&](HostMatrix const& a, HostMatrix const& b, HostMatrix const& c) {
    return attention_reference(a, b, c, context, heads);
  };
  record<TypeParam>("attention", relative_error(to_host(Y), reference(q, k, v)), ulps<T>(64));
  // Central differences of the fp64 reference are good to 1e-9.
  double const bound = ulps<T>(128) + 1e-8;
  auto const along = [&](auto&& f) { return [&, f](HostMatrix const& at) { return inner(f(at), g); }; };
  record<TypeParam>(
      "attention, gradient of queries",
      relative_error(to_host(dQ), numerical_gradient(along([&](HostMatrix const& at) { return reference(at, k, v); }), q)),
      bound);
  record<TypeParam>(
      "attention, gradient of keys",
      relative_error(to_host(dK), numerical_gradient(along([&](HostMatrix const& at) { return reference(q, at, v); }), k)),
      bound);
  record<TypeParam>(
      "attention, gradient of values",
      relative_error(to_host(dV), numerical_gradient(along([&](HostMatrix const& at) { return reference(q, k, at); }), v)),
      bound);
}

TYPED_TEST(PortableNetwork, Norms) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  auto const x = random_matrix(rows, cols, 15), g = random_matrix(rows, cols, 16);
  Matrix<T, Exec> const Y("kaon::test::Y", rows, cols), dX("kaon::test::dX", rows, cols),
      table("kaon::test::table", context, width);
  Vector<T, Exec> const scale("kaon::test::scale", rows), factors("kaon::test::factors", rows * heads);
  rms_norm<T>(exec, Y, scale, to_device<T, Exec>(x));
  rms_norm_backward<T>(exec, dX, to_device<T, Exec>(g), Y, scale, false);
  auto const R = to_device<T, Exec>(x), dR = to_device<T, Exec>(g);
  fill_rotary_table<T>(exec, table);
  norm_and_rotate<T>(exec, R, factors, table, heads);
  norm_and_rotate_backward<T>(exec, dR, R, factors, table, heads);
  exec.fence();
  auto const rotated = [&](HostMatrix const& at) { return norm_and_rotate_reference(at, context, heads); };
  record<TypeParam>("RMS norm", relative_error(to_host(Y), rms_norm_reference(x)), ulps<T>(32));
  record<TypeParam>("QK norm and rotary embedding", relative_error(to_host(R), rotated(x)), ulps<T>(32));
  double const bound = ulps<T>(64) + 1e-8;
  record<TypeParam>(
      "RMS norm, gradient",
      relative_error(to_host(dX), numerical_gradient([&](HostMatrix const& at) { return inner(rms_norm_reference(at), g); }, x)),
      bound);
  record<TypeParam>(
      "QK norm and rotary embedding, gradient",
      relative_error(to_host(dR), numerical_gradient([&](HostMatrix const& at) { return inner(rotated(at), g); }, x)), bound);
}

TYPED_TEST(PortableNetwork, TokensAndLoss) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  constexpr int vocabulary = 61;
  auto const table = random_matrix(vocabulary, cols, 17), logits = random_matrix(rows, vocabulary, 18),
             g = random_matrix(rows, cols, 19);
  Vector<std::int32_t, Exec> const tokens("kaon::test::tokens", rows);
  auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, tokens);
  for (int i = 0; i < rows; ++i) host(i) = (i * 37 + 5) % vocabulary;
  Kokkos::deep_copy(tokens, host);
  Matrix<T, Exec> const Y("kaon::test::Y", rows, cols), dE("kaon::test::dE", vocabulary, cols);
  embed<T>(exec, Y, tokens, to_device<T, Exec>(table));
  embed_backward<T>(exec, dE, tokens, to_device<T, Exec>(g), false);
  auto const L = to_device<T, Exec>(logits);
  Scalar<double, Exec> const loss("kaon::test::loss");
  cross_entropy<T>(exec, loss, L, CrossEntropyWorkspace<Exec>(rows), tokens, 1.0 / rows, true);
  auto const U = to_device<T, Exec>(g);
  relu_squared<T>(exec, U, U);
  exec.fence();
  HostMatrix rows_of(rows, cols), gathered(vocabulary, cols), slope(rows, vocabulary), squared(rows, cols);
  double expected = 0;
  for (int i = 0; i < rows; ++i) {
    int const token = host(i);
    for (int c = 0; c < cols; ++c) {
      rows_of(i, c) = table(token, c);
      gathered(token, c) += g(i, c);
      squared(i, c) = g(i, c) > 0 ? g(i, c) * g(i, c) : 0;
    }
    double sum = 0;
    for (int v = 0; v < vocabulary; ++v) sum += std::exp(logits(i, v));
    expected += (std::log(sum) - logits(i, token)) / rows;
    for (int v = 0; v < vocabulary; ++v) slope(i, v) = (std::exp(logits(i, v)) / sum - (v == token ? 1 : 0)) / rows;
  }
  double got = 0;
  Kokkos::deep_copy(got, loss);
  record<TypeParam>("embedding", relative_error(to_host(Y), rows_of), ulps<T>(1));
  record<TypeParam>("embedding, gradient", relative_error(to_host(dE), gathered), ulps<T>(8));
  record<TypeParam>("cross entropy", std::abs(got - expected) / expected, ulps<T>(16));
  record<TypeParam>("cross entropy, gradient", relative_error(to_host(L), slope), ulps<T>(32));
  record<TypeParam>("squared rectifier", relative_error(to_host(U), squared), ulps<T>(4));
}

TYPED_TEST(PortableNetwork, RandomNumbers) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  Exec const exec;
  StreamKey const key{20, Purpose::initialise, 3, 4, 5};
  Matrix<T, Exec> const X("kaon::test::X", 33, 77);
  fill_normal<T>(exec, X, key, 0.5);
  Vector<std::uint32_t, Exec> const words("kaon::test::words", 1001);
  fill_words(exec, words, key);
  exec.fence();
  auto const w = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, words);
  int differing = 0;
  for (std::size_t i = 0; i < 1001; ++i) differing += w(i) != random_word(key, i);
  record<TypeParam>("random words that differ from the host's", differing, 0);
  HostMatrix normal(33, 77);
  for (std::size_t i = 0; i < normal.a.size(); ++i) normal.a[i] = 0.5 * random_normal(key, i);
  record<TypeParam>("normal random numbers", relative_error(to_host(X), normal), ulps<T>(8));
}

}  // namespace nn_test
}  // namespace kaon
