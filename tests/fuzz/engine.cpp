// libFuzzer's entry points. The environment variable KAON_FUZZ_TARGET names the target.
#include "setup.hpp"
#include "target.hpp"

#include <cstdio>

namespace {
kaon::fuzz::Target const* chosen = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  static kaon::fuzz::Setup const setup;
  char const* const name = std::getenv("KAON_FUZZ_TARGET");
  try {
    chosen = &kaon::fuzz::target(name ? name : "");
  } catch (kaon::Error const& e) {
    std::fprintf(stderr, "KAON_FUZZ_TARGET: %s\n", e.what());
    std::exit(static_cast<int>(e.code()));
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
  kaon::fuzz::feed(*chosen, {data, size});
  return 0;
}
