#ifndef KAON_TESTS_FUZZ_CODECS_HPP
#define KAON_TESTS_FUZZ_CODECS_HPP

#include "target.hpp"

#include <kaon/compress/compressor.hpp>

#include <memory>

namespace kaon::fuzz {

/// One compressor for one shape, and how its payloads reach it: in memory of exactly their size, so that AddressSanitizer sees
/// the first byte beyond them; in front of a page that cannot be read, so that other builds see it too.
class Codec {
 public:
  virtual ~Codec() = default;
  virtual std::string spec() const = 0;
  virtual std::size_t bytes_bound() const = 0;
  /// What the compressor makes of a matrix of random numbers.
  virtual Input compressed(std::uint64_t seed) = 0;
  /// Throws InputError as decompress_add does.
  virtual void decompress(InputView payload) = 0;
};

std::unique_ptr<Codec> make_codec(std::string const& spec, int rows, int cols, bool in_double);

}  // namespace kaon::fuzz

#endif
