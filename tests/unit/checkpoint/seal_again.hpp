#ifndef KAON_TESTS_CHECKPOINT_SEAL_AGAIN_HPP
#define KAON_TESTS_CHECKPOINT_SEAL_AGAIN_HPP

#include <kaon/checkpoint/format.hpp>

#include <gtest/gtest.h>
#include <hdf5.h>

#include <string>
#include <vector>

namespace kaon::test {

/// Makes a file of these fields and of this format version again, with an integrity table and seals that fit what is in it now:
/// what a program that means ill, or another objective, could have written.
inline void seal_again(std::string const& path, std::uint64_t version, CheckpointInfo const& info,
                       std::vector<FieldShape> const& fields) {
  format::Table table(fields);
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::vector<unsigned char> data(fields[i].bytes());
    hid_t const set = H5Dopen2(file, fields[i].path.c_str(), H5P_DEFAULT);
    EXPECT_GE(H5Dread(set, h5::memory_type(fields[i].type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), 0) << fields[i].path;
    H5Dclose(set);
    std::size_t at = 0;
    for (std::uint64_t b = 0; b < table.blocks[i].count(); ++b) {
      std::size_t const bytes = table.blocks[i].box(b).elements() * size_of(fields[i].type);
      table.hashes.push_back(xxh3(data.data() + at, bytes));
      at += bytes;
    }
  }
  hid_t const set = H5Dopen2(file, "/integrity", H5P_DEFAULT), type = H5Dget_type(set);
  EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, format::rows(table, H5Tget_size(type) - 16).data()), 0);
  auto const seal = format::seal_of(info, table, version);
  hid_t const a = H5Aopen(set, "seal", H5P_DEFAULT);
  EXPECT_GE(H5Awrite(a, H5T_NATIVE_UINT64, &seal), 0);
  H5Aclose(a);
  H5Tclose(type);
  H5Dclose(set);
  H5Fclose(file);
}

}  // namespace kaon::test

#endif
