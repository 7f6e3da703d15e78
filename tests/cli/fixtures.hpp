// Checkpoints of every format version since the first, in tests/fixtures, with the data that their runs read.
#ifndef KAON_TESTS_CLI_FIXTURES_HPP
#define KAON_TESTS_CLI_FIXTURES_HPP

#include "program.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>

#include <cstring>
#include <filesystem>
#include <vector>

namespace kaon::test {

inline std::string const fixtures = KAON_FIXTURES "/checkpoint";
/// 3 workers, float, step 5; low-rank uplinks, so there are warm-start factors; text from tokens.bin.
inline std::string const gpt_fixture = fixtures + "/version-1/gpt-float.h5";
/// 3 workers, double, step 4; low-rank up and down; problem.h5.
inline std::string const squares_fixture = fixtures + "/version-1/least-squares-double.h5";

/// Copies a fixture to `name` in the folder and puts its data beside it.
inline void put_fixture(Scratch const& s, std::string const& fixture, std::string const& name) {
  std::filesystem::copy_file(fixture, s / name);
  for (char const* data : {"tokens.bin", "problem.h5"})
    std::filesystem::copy_file(fixtures + '/' + data, s / data, std::filesystem::copy_options::skip_existing);
}

template <class T>
std::vector<T> values(CheckpointFile const& file, std::string const& path) {
  auto const* const field = file.find(path);
  if (!field) return ADD_FAILURE() << path << " is not in " << file.path(), std::vector<T>();
  EXPECT_EQ(size_of(field->type), sizeof(T)) << path;
  auto const bytes = file.read(*field);
  std::vector<T> v(bytes.size() / sizeof(T));
  std::memcpy(v.data(), bytes.data(), bytes.size());
  return v;
}

/// Names of the layers.
inline std::vector<std::string> layers_of(CheckpointFile const& file) {
  std::string const prefix = "/server/W/";
  std::vector<std::string> names;
  for (auto const& f : file.fields())
    if (f.path.rfind(prefix, 0) == 0) names.push_back(f.path.substr(prefix.size()));
  return names;
}

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
