#ifndef KAON_TESTS_FUZZ_SCRATCH_HPP
#define KAON_TESTS_FUZZ_SCRATCH_HPP

#include "target.hpp"

#include <string>

namespace kaon::fuzz {

/// A path in a folder of this process that goes away at its end; in memory where the system has /dev/shm.
std::string scratch(std::string const& name);

/// Replaces the content of a file.
void put_file(std::string const& path, InputView content);
Input file_bytes(std::string const& path);

}  // namespace kaon::fuzz

#endif
