#ifndef KAON_TESTS_CLI_DAMAGE_HPP
#define KAON_TESTS_CLI_DAMAGE_HPP

#include <gtest/gtest.h>
#include <hdf5.h>

#include <fstream>
#include <string>

namespace kaon::test {

/// Flips one bit at `offset` of a file.
inline void flip_bit(std::string const& path, std::streamoff offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  char const byte = static_cast<char>(file.get() ^ 4);
  file.seekp(offset);
  file.put(byte);
  file.flush();
  ASSERT_TRUE(file.good()) << path;
}

/// Where the data of a contiguous dataset begin.
inline std::streamoff offset_of(std::string const& path, std::string const& dataset) {
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t const set = H5Dopen2(file, dataset.c_str(), H5P_DEFAULT);
  haddr_t const at = H5Dget_offset(set);
  H5Dclose(set);
  H5Fclose(file);
  EXPECT_NE(at, HADDR_UNDEF) << dataset << " of " << path;
  return static_cast<std::streamoff>(at);
}

/// Flips one bit of the data of a dataset.
inline void damage(std::string const& path, std::string const& dataset) { flip_bit(path, offset_of(path, dataset) + 5); }

}  // namespace kaon::test

#endif
