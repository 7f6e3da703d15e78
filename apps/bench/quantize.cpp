// Quantisers against the plainest loop that moves the same bytes.
#include "bench.hpp"

#include <kaon/codec/bits.hpp>
#include <kaon/compress/compressor.hpp>

#include <memory>

namespace kaon::bench {
namespace quantize_races {

constexpr int rows = 4096, cols = 4096;
constexpr std::int64_t entries = std::int64_t{rows} * cols;
/// Values that one task of a floor handles: a loop that vectorises on a host, one value on a device.
constexpr std::int64_t strip = runs_on_host<Exec> ? 4096 : 1;

struct Normal {
  float* x;
  KOKKOS_FUNCTION void operator()(std::int64_t i) const {
    x[i] = static_cast<float>(random_normal({11, Purpose::test, 0, 0, 0}, static_cast<std::uint64_t>(i)));
  }
};

/// Reads 4 bytes and writes 1 for every value.
struct ReadFourWriteOne {
  float const* x;
  unsigned char* out;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    float const* const from = x + task * strip;
    unsigned char* const to = out + task * strip;
    for (std::int64_t i = 0; i < strip; ++i) to[i] = static_cast<unsigned char>(to_bits(from[i]) >> 23);
  }
};

/// Reads 1 byte and adds to 4 for every value.
struct ReadOneAddFour {
  unsigned char const* in;
  float* y;
  KOKKOS_FUNCTION void operator()(std::int64_t task) const {
    unsigned char const* const from = in + task * strip;
    float* const to = y + task * strip;
    for (std::int64_t i = 0; i < strip; ++i) to[i] += from_bits(static_cast<std::uint32_t>(from[i]) << 23);
  }
};

struct Setting {
  std::shared_ptr<Compressor<float, Exec>> compressor;
  Matrix<float, Exec> x{"kaon::bench::x", rows, cols};
  Bytes<Exec> payload, bytes{"kaon::bench::bytes", std::size_t{rows} * cols};
  Scalar<std::uint64_t, Exec> length{"kaon::bench::length"};
  StreamKey key{12, Purpose::compress_up, 1, 0, 0};

  Setting(Exec const& exec, std::string const& spec)
      : compressor(make_compressor<float, Exec>(spec, rows, cols)), payload("kaon::bench::payload", compressor->bytes_bound()) {
    Kokkos::parallel_for("kaon::bench::fill", Kokkos::RangePolicy<Exec>(exec, 0, entries), Normal{x.data()});
    compressor->compress(exec, payload, length, x, {}, key);
  }
};

Pair encode(Exec const& exec, std::string const& spec) {
  auto const s = std::make_shared<Setting>(exec, spec);
  return {[=] { s->compressor->compress(exec, s->payload, s->length, s->x, {}, s->key); },
          [=] {
            Kokkos::parallel_for("kaon::bench::read_four_write_one", Kokkos::RangePolicy<Exec>(exec, 0, entries / strip),
                                 ReadFourWriteOne{s->x.data(), s->bytes.data()});
          }};
}

Pair decode(Exec const& exec, std::string const& spec) {
  auto const s = std::make_shared<Setting>(exec, spec);
  return {[=] { s->compressor->decompress_add(exec, s->x, s->payload, s->payload.extent(0)); },
          [=] {
            Kokkos::parallel_for("kaon::bench::read_one_add_four", Kokkos::RangePolicy<Exec>(exec, 0, entries / strip),
                                 ReadOneAddFour{s->bytes.data(), s->x.data()});
          }};
}

void add(Suite& suite, std::string const& name, std::string const& spec, Asked const& for_encode, Asked const& for_decode) {
  Race race;
  race.name = "quantize/" + name + "/encode";
  race.kernel = spec + " encode, 2^24 floats";
  race.floor = "read 4 B, write 1 B a value";
  race.asked = for_encode;
  race.make = [spec](Exec const& exec) { return encode(exec, spec); };
  race.items = static_cast<double>(entries);
  race.bytes = 5.0 * static_cast<double>(entries);
  suite.races.push_back(race);
  race.name = "quantize/" + name + "/decode";
  race.kernel = spec + " decode and add, 2^24 floats";
  race.floor = "read 1 B, add to 4 B a value";
  race.asked = for_decode;
  race.make = [spec](Exec const& exec) { return decode(exec, spec); };
  race.bytes = 9.0 * static_cast<double>(entries);
  suite.races.push_back(race);
}

}  // namespace quantize_races

void add_quantize(Suite& suite) {
  using namespace quantize_races;
  Asked const natural{Asked::Sense::at_most, 1.6, 1.2}, four{Asked::Sense::at_most, 2.2, 1.6}, nothing{};
  add(suite, "natural", "natural", natural, natural);
  add(suite, "natural_stochastic", "natural:stochastic", nothing, nothing);
  add(suite, "bits1", "bits:1", nothing, nothing);
  add(suite, "bits2", "bits:2", nothing, nothing);
  add(suite, "bits4", "bits:4", four, four);
  add(suite, "bits8", "bits:8", nothing, nothing);
}

}  // namespace kaon::bench
