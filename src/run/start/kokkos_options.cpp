#include <kaon/core/compat.hpp>
#include <kaon/core/error.hpp>
#include <kaon/deck/nearest.hpp>
#include <kaon/run/start/kokkos_options.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace kaon {

namespace {

constexpr int renamed = 30700;  // the release that renamed options
constexpr char const* threads_now = "--kokkos-num-threads";
constexpr char const* threads_then = "--kokkos-threads";

enum class Value { none, number, threads, text };

/// now, then: the name since and before `renamed`; "": there was none.
struct Option {
  char const *now, *then;
  Value value;
};
constexpr Option known[] = {
    {threads_now, threads_then, Value::threads},
    {"--kokkos-device-id", "--kokkos-device-id", Value::number},
    {"--kokkos-num-devices", "--kokkos-num-devices", Value::text},  // also 2,1: how many, and one to leave out
    {"--kokkos-map-device-id-by", "", Value::text},
    {"--kokkos-numa", "--kokkos-numa", Value::number},
    {"--kokkos-disable-warnings", "--kokkos-disable-warnings", Value::none},
    {"--kokkos-tune-internals", "--kokkos-tune-internals", Value::none},
    {"--kokkos-print-configuration", "", Value::none},
    {"--kokkos-help", "--kokkos-help", Value::none},
    {"--kokkos-tools-libs", "--kokkos-tools-library", Value::text},
    {"--kokkos-tools-args", "--kokkos-tools-args", Value::text},
    {"--kokkos-tools-help", "--kokkos-tools-help", Value::none},
};
/// Other names, of whatever release.
constexpr char const* also[][2] = {{"--kokkos-device", "--kokkos-device-id"}, {"--kokkos-ndevices", "--kokkos-num-devices"}};

Option const& option_named(std::string name, std::string const& given) {
  for (auto const& [other, real] : also)
    if (name == other) name = real;
  std::vector<std::string> names;
  for (auto const& o : known) {
    if (name == o.now || name == o.then) return o;
    names.emplace_back(o.now);
  }
  throw UsageError(fmt::format("no Kokkos has the option {}; the nearest is {}", given, nearest(name, names)));
}

int cpus() { return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))); }

bool whole(std::string_view text, long& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

std::string version_text(int v) { return fmt::format("{}.{}.{:02}", v / 10000, v / 100 % 100, v % 100); }

}  // namespace

int thread_count(std::string const& name, std::string_view text, int cpus) {
  long n = 0;
  if (!whole(text, n) || n < 1)
    throw UsageError(
        fmt::format("{} = '{}' is no number of threads: write a whole number from 1 on, or leave it unset for a fair "
                    "share of the cores",
                    name, text));
  long const most = std::min<long>(most_kokkos_threads, static_cast<long>(most_threads_of_a_cpu) * cpus);
  if (n > most)
    throw UsageError(
        fmt::format("{} = {}: at most {} threads a rank can be meant on this host ({} for each of its {} CPUs, and "
                    "Kokkos has room for {}); leave it unset for a fair share of the cores",
                    name, text, most, most_threads_of_a_cpu, cpus, most_kokkos_threads));
  return static_cast<int>(n);
}

void check_thread_environment() {
  if (char const* const n = std::getenv("KOKKOS_NUM_THREADS")) thread_count("KOKKOS_NUM_THREADS", n, cpus());
  if (char const* const n = std::getenv("OMP_NUM_THREADS")) {
    std::string_view const list = n;  // a number for each level of nesting; Kokkos has one
    for (std::size_t at = 0; at <= list.size();) {
      auto const comma = std::min(list.find(',', at), list.size());
      auto word = list.substr(at, comma - at);
      while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
      while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
      thread_count("OMP_NUM_THREADS", word, cpus());
      at = comma + 1;
    }
  }
}

std::vector<std::string> kokkos_options(std::vector<std::string> const& given, int version) {
  std::vector<std::string> out;
  for (auto const& word : given) {
    auto const sign = word.find('=');
    std::string const bare = word.substr(0, sign), value = sign == std::string::npos ? "" : word.substr(sign + 1);
    auto const& option = option_named(bare, word);
    std::string const name = version >= renamed ? option.now : option.then;
    if (name.empty()) throw UsageError(fmt::format("Kokkos {} has no option {}", version_text(version), bare));
    if (option.value == Value::none) {
      if (sign != std::string::npos && version < renamed) throw UsageError(fmt::format("{}: {} takes no value", word, bare));
      out.push_back(sign == std::string::npos ? name : name + "=" + value);
      continue;
    }
    if (value.empty()) throw UsageError(fmt::format("{}: write {}=VALUE", word, bare));
    if (option.value == Value::threads) {
      thread_count(bare, value, cpus());
      unsetenv("KOKKOS_NUM_THREADS");  // some releases refuse to choose between the two
    }
    if (long n = 0; option.value == Value::number && (!whole(value, n) || n < 0))
      throw UsageError(fmt::format("{}: '{}' is no whole number from 0 on", word, value));
    out.push_back(name + "=" + value);
  }
  return out;
}

std::vector<std::string> kokkos_options(std::vector<std::string> const& given) { return kokkos_options(given, KOKKOS_VERSION); }

std::string kokkos_threads_option(int threads) {
  return fmt::format("{}={}", KOKKOS_VERSION >= renamed ? threads_now : threads_then, threads);
}

int chosen_threads(std::vector<std::string> const& options) {
  int found = 0;
  for (auto const& o : options)
    for (std::string const name : {threads_now, threads_then})
      if (o.rfind(name + "=", 0) == 0) found = std::atoi(o.c_str() + name.size() + 1);
  for (char const* const name : {"KOKKOS_NUM_THREADS", "OMP_NUM_THREADS"})
    if (char const* const n = std::getenv(name); n && found == 0) found = std::atoi(n);
  return found;
}

}  // namespace kaon
