#ifndef KAON_TESTS_RELIABILITY_FILES_DAMAGE_HPP
#define KAON_TESTS_RELIABILITY_FILES_DAMAGE_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kaon::test {

/// One way to spoil a file: a name for messages, the offset it begins at, and what it does to the bytes.
struct Damage {
  std::string what;
  std::uint64_t at = 0;
  std::function<void(std::string&)> apply;
};

Damage flip(std::uint64_t at, unsigned bit);

/// `count` single bits: half of them anywhere, half outside the data of the large datasets, where they would hardly ever fall.
std::vector<Damage> some_flips(std::string const& path, std::size_t count, std::uint64_t seed);
/// All eight bits of every byte, or one bit of every third.
std::vector<Damage> all_flips(std::uint64_t size, bool every_bit, std::uint64_t seed);
/// Runs of 2 to 64 bytes, anywhere, overwritten by zeros, ones or anything.
std::vector<Damage> bursts(std::uint64_t size, std::size_t count, std::uint64_t seed);
/// Truncations, zeroed, repeated and exchanged blocks, junk at the end, an empty file, and the file of another step (`other`).
std::vector<Damage> coarse_damage(std::string const& good, std::string const& other, std::uint64_t seed);

/// What lies at every offset: the user block, a dataset's path, or "metadata" for what HDF5 keeps between them.
std::function<std::string(std::uint64_t)> regions_of(std::string const& path);

}  // namespace kaon::test

#endif
