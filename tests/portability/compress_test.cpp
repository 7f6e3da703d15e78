#include "report.hpp"

#include <kaon/compress/compressor.hpp>

#include "../unit/compress/harness.hpp"

namespace kaon {
namespace compress_test {

using namespace test;

template <class B>
struct PortableCompressors : ::testing::Test {};
TYPED_TEST_SUITE(PortableCompressors, Backends, BackendNames);

// What a back end's sums may change: the last bit of a block's bfloat16 scale; a whole subspace, where directions are close.
double allowed(std::string const& spec) {
  if (spec.find("rank") != std::string::npos) return 0.05;
  if (spec.find("bits:") != std::string::npos || spec.find("dither") != std::string::npos ||
      spec.find("sign") != std::string::npos)
    return 0x1p-7;
  return 0;
}

// What a back end may change in decoding given bytes: nothing, but for the product of two factors, at most 53 terms in an order
// of its library's own.
template <class T>
double allowed_in_decoding(std::string const& spec) {
  return spec.find("rank") != std::string::npos ? ulps<T>(2 * 53) : 0;
}

TYPED_TEST(PortableCompressors, DecodeToWhatTheSerialBackendSends) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  auto const x = rounded<T>(random_matrix(70, 53, 31));
  for (auto const& spec : all_specs()) {
    Harness<T, Exec> here(spec, x.rows, x.cols), receiver(spec, x.rows, x.cols);
    Harness<T, Kokkos::DefaultHostExecutionSpace> there(spec, x.rows, x.cols);
    auto const sent = here.compress(x), reference = there.compress(x);
    HostMatrix const zero(x.rows, x.cols);
    auto const decoded = here.decompress(sent, zero);
    record<TypeParam>("compressor " + spec, relative_error(decoded, there.decompress(reference, zero)), allowed(spec));
    // Sender and receivers are of one kind of device and must agree to the last bit.
    record<TypeParam>("decoding by a receiver of the same kind, all compressors",
                      relative_error(receiver.decompress(sent, zero), decoded), 0);
    // Any back end can read what any other one wrote.
    double const bound = allowed_in_decoding<T>(spec);
    record<TypeParam>(
        bound > 0 ? "decoding of the host's bytes, products of factors" : "decoding of the host's bytes, all others",
        relative_error(here.decompress(reference, zero), there.decompress(reference, zero)), bound);
  }
}

TYPED_TEST(PortableCompressors, Contract) {
  using T = typename TypeParam::T;
  using Exec = typename TypeParam::Exec;
  for (auto const& spec : all_specs()) {
    double worst = 0;
    for (auto const& input : inputs()) {
      auto const x = rounded<T>(input.x);
      Harness<T, Exec> h(spec, x.rows, x.cols);
      // One draw of a random compressor may fall short of its mean: the contraction suite measures that.
      if (!h.c->is_random()) worst = std::max(worst, h.c->guaranteed_alpha() - alpha(h.apply(x), x));
    }
    record<TypeParam>("guaranteed over measured contraction, all deterministic compressors", worst, 1e-6);
  }
}

}  // namespace compress_test
}  // namespace kaon
