#include <kaon/run/start/banner.hpp>
#include <kaon/run/start/blas_kernels.hpp>
#include <kaon/run/start/loaded_function.hpp>

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace kaon {

namespace {

/// OpenBLAS's cores of x86-64 without AVX2. What it takes for a CPU that it does not know is among them.
constexpr std::array older{"Prescott", "Core2",     "Penryn",     "Dunnington",  "Nehalem",      "Sandybridge",
                           "Atom",     "Nano",      "Opteron",    "Athlon",      "Opteron_SSE3", "Barcelona",
                           "Bobcat",   "Bulldozer", "Piledriver", "Steamroller", "Generic",      "Unknown"};

/// OpenBLAS's own choice, made anew as its loading makes it: it looks at the environment unless a choice stands.
bool choose_again(std::string const& core) {
  auto* const chosen = static_cast<void**>(dlsym(RTLD_DEFAULT, "gotoblas"));
  auto* const choose = loaded_function<void()>("gotoblas_dynamic_init");
  if (!chosen || !choose || blas_name().find("DYNAMIC_ARCH") == std::string::npos) return false;
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);
  *chosen = nullptr;
  choose();
  return true;
}

BlasKernels choose() {
  auto* const core = loaded_function<char*()>("openblas_get_corename");
  char const* const wish = std::getenv("OPENBLAS_CORETYPE");
  if (!core || (wish && *wish)) return {};
  std::string const taken = core(), instructions = cpu_instructions(), better = better_blas_core(taken, instructions);
  if (better.empty()) return {};
  if (choose_again(better) && better_blas_core(core(), instructions).empty())
    return {fmt::format("kernels chosen by Kaon: it took this CPU for a {}", taken), ""};
  return {"",
          fmt::format("{} does not know this CPU and runs kernels for a much older one ({}): products may take 3 times as long. "
                      "Cure: export OPENBLAS_CORETYPE={} before the program starts, or a newer OpenBLAS",
                      blas_name(), taken, better)};
}

}  // namespace

std::string cpu_instructions() {
  std::string all;
#if defined(__x86_64__) && defined(__GNUC__)
  auto const add = [&](bool has, char const* name) {
    if (has) all += all.empty() ? name : std::string(" ") + name;
  };
  __builtin_cpu_init();
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"),
      "avx512vl");
#endif
  return all;
}

std::string better_blas_core(std::string const& core, std::string const& instructions) {
  auto const has = [&](std::string const& name) {
    return (' ' + instructions + ' ').find(' ' + name + ' ') != std::string::npos;
  };
  for (auto const* name : older)
    if (core == name) return !has("avx2") || !has("fma") ? "" : has("avx512vl") ? "SKYLAKEX" : "HASWELL";
  return "";
}

BlasKernels const& choose_blas_kernels() {
  static BlasKernels const outcome = choose();
  return outcome;
}

}  // namespace kaon
