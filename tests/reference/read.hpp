#ifndef KAON_TESTS_REFERENCE_READ_HPP
#define KAON_TESTS_REFERENCE_READ_HPP

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace kaon::test {

inline std::string read(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace kaon::test

#endif
