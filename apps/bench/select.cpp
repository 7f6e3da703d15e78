// TopK against memcpy, index coding against the entropy, message sizes against dense floats.
#include "bench.hpp"

#include <kaon/codec/index_code.hpp>
#include <kaon/compress/natural_coded.hpp>
#include <kaon/compress/select.hpp>
#include <kaon/compress/topk.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <memory>

namespace kaon::bench {
namespace select_races {

constexpr std::int64_t entries = std::int64_t{1} << 24;
constexpr std::int64_t percents[] = {1, 5, 15};
constexpr std::size_t packet_header = 48;

struct Normal {
  float* x;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    x[i] = static_cast<float>(random_normal({21, Purpose::test, 0, 0, 0}, static_cast<std::uint64_t>(i)));
  }
};

/// Normal entries, and the largest `percent` of them by index.
struct Selection {
  std::int64_t kept;
  Vector<float, Exec> x{"kaon::bench::x", static_cast<std::size_t>(entries)}, values;
  Vector<std::uint32_t, Exec> indices;
  TopSelector<float, Exec> select;
  Selection(Exec const& exec, std::int64_t percent)
      : kept(entries * percent / 100),
        values("kaon::bench::values", static_cast<std::size_t>(kept)),
        indices("kaon::bench::indices", static_cast<std::size_t>(kept)),
        select(entries, kept) {
    Kokkos::parallel_for("kaon::bench::fill", Kokkos::RangePolicy<Exec>(exec, 0, entries), Normal{x.data()});
    select(exec, indices, values, x);
  }
};

struct Coding : Selection {
  IndexCodec<Exec> codec;
  Bytes<Exec> bytes;
  Vector<std::uint32_t, Exec> other;
  Scalar<std::uint64_t, Exec> length{"kaon::bench::length"};
  std::uint64_t used = 0;
  Coding(Exec const& exec, std::int64_t percent)
      : Selection(exec, percent),
        codec(entries, static_cast<std::uint64_t>(kept)),
        bytes("kaon::bench::bytes", codec.bytes_bound()),
        other("kaon::bench::other", static_cast<std::size_t>(kept)) {
    encode(exec);
    exec.fence();
    Kokkos::deep_copy(used, length);
  }
  void encode(Exec const& exec) const { codec.encode(exec, bytes, length, 0, indices); }
  void decode(Exec const& exec) const { codec.decode(exec, other, bytes, used); }
};

/// memcpy on a host, a device's own copy elsewhere.
template <class View>
void copy_array(Exec const& exec, View const& to, View const& from) {
  if constexpr (runs_on_host<Exec>)
    std::memcpy(to.data(), from.data(), from.size() * sizeof(typename View::value_type));
  else
    Kokkos::deep_copy(exec, to, from);
}

Pair select_against_copy(Exec const& exec, std::int64_t percent) {
  auto const s = std::make_shared<Selection>(exec, percent);
  Vector<float, Exec> const copy("kaon::bench::copy", static_cast<std::size_t>(entries));
  return {[s, exec] { s->select(exec, s->indices, s->values, s->x); }, [s, copy, exec] { copy_array(exec, copy, s->x); }};
}

Pair code_against_copy(Exec const& exec, std::int64_t percent, bool decode) {
  auto const s = std::make_shared<Coding>(exec, percent);
  Vector<std::uint32_t, Exec> const copy("kaon::bench::copy", static_cast<std::size_t>(s->kept));
  auto const floor = [s, copy, exec] { copy_array(exec, copy, s->indices); };
  if (decode) return {[s, exec] { s->decode(exec); }, floor};
  return {[s, exec] { s->encode(exec); }, floor};
}

/// CPU time of this thread on a host, time passed on a device.
double seconds_now() {
  if (runs_on_host<Exec>) {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double million_indices_a_second(Exec const& exec, std::int64_t percent, bool decode) {
  Coding const s(exec, percent);
  std::vector<double> times;
  for (int i = 0; i < 16; ++i) {
    double const begin = seconds_now();
    decode ? s.decode(exec) : s.encode(exec);
    exec.fence();
    if (i > 0) times.push_back(seconds_now() - begin);
  }
  std::nth_element(times.begin(), times.begin() + 7, times.end());
  return 1e-6 * static_cast<double>(s.kept) / times[7];
}

double percent_over_entropy(Exec const& exec, std::int64_t percent) {
  Coding const s(exec, percent);
  double const n = static_cast<double>(entries), k = static_cast<double>(s.kept);
  double const entropy = (std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1)) / std::log(2.0);
  return 100 * (8 * static_cast<double>(s.used) / entropy - 1);
}

/// Dense floats over Top 15 % with `values`, both with a packet header.
template <class Values>
double times_smaller(Exec const& exec, Values const& values) {
  constexpr int side = 4096;
  Matrix<float, Exec> const x("kaon::bench::x", side, side);
  Kokkos::parallel_for("kaon::bench::fill", Kokkos::RangePolicy<Exec>(exec, 0, entries), Normal{x.data()});
  auto const kept = static_cast<int>(TopK<float, Exec>::count(0.15, side, side));
  TopK<float, Exec> top(side, side, 0.15, values(kept));
  Bytes<Exec> const payload("kaon::bench::payload", top.bytes_bound());
  Scalar<std::uint64_t, Exec> const length("kaon::bench::length");
  top.compress(exec, payload, length, x, {}, {});
  exec.fence();
  std::uint64_t bytes = 0;
  Kokkos::deep_copy(bytes, length);
  return static_cast<double>(packet_header + sizeof(float) * entries) / static_cast<double>(packet_header + bytes);
}

}  // namespace select_races

void add_select(Suite& suite) {
  using namespace select_races;
  for (auto const percent : percents) {
    auto const share = fmt::format("{} %", percent);
    double const kept = static_cast<double>(entries * percent / 100);
    suite.races.push_back({fmt::format("select/top{}", percent),
                           "exact TopK, " + share + " of 2^24 floats",
                           "copy of the array",
                           {Asked::Sense::at_most, 3, 2},
                           [percent](Exec const& exec) { return select_against_copy(exec, percent); },
                           {},
                           {},
                           0,
                           8.0 * entries});
    for (bool const decode : {false, true}) {
      std::string const what = decode ? "decode" : "encode";
      suite.races.push_back({fmt::format("select/index_{}{}", what, percent),
                             "index " + what + ", " + share,
                             "copy of the indices",
                             {},
                             [percent, decode](Exec const& exec) { return code_against_copy(exec, percent, decode); },
                             {},
                             {},
                             kept,
                             8.0 * kept});
      suite.counts.push_back({fmt::format("select/index_{}_rate{}", what, percent),
                              "index " + what + ", " + share,
                              "M/s",
                              {Asked::Sense::at_least, 100, 300},
                              [percent, decode](Exec const& exec) { return million_indices_a_second(exec, percent, decode); }});
    }
    suite.counts.push_back({fmt::format("select/index_over_entropy{}", percent),
                            "index code over entropy, " + share,
                            "%",
                            {Asked::Sense::at_most, 3, 1.5},
                            [percent](Exec const& exec) { return percent_over_entropy(exec, percent); }});
  }
  suite.counts.push_back({"select/message_natural",
                          "dense float over Top 15 % + natural",
                          "x",
                          {Asked::Sense::at_least, 15, 20},
                          [](Exec const& exec) {
                            return times_smaller(exec, [](int k) { return std::make_unique<Natural<float, Exec>>(1, k, false); });
                          }});
  suite.counts.push_back({"select/message_natural_coded",
                          "dense float over Top 15 % + natural:coded",
                          "x",
                          {Asked::Sense::at_least, 15, 20},
                          [](Exec const& exec) {
                            return times_smaller(exec,
                                                 [](int k) { return std::make_unique<NaturalCoded<float, Exec>>(1, k, false); });
                          }});
}

}  // namespace kaon::bench
