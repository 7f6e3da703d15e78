#ifndef KAON_DATA_LOOKS_HPP
#define KAON_DATA_LOOKS_HPP

#include <kaon/data/file.hpp>

#include <string>

namespace kaon {

/// What a file's bytes look like that is neither a token shard nor text, and what to do about it.
struct Looks {
  std::string what;  ///< "an array of numpy"; empty: it may well be text
  std::string cure;
};
Looks looks_of(DataFile const& file);

/// How raw 16-bit tokens become a shard: a line for the shell.
std::string conversion_of_raw_tokens(std::string const& path);

}  // namespace kaon

#endif
