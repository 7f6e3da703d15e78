// Checkpoints of every format version since the first, in tests/fixtures, with the data that their runs read.
#ifndef KAON_TESTS_CLI_FIXTURES_HPP
#define KAON_TESTS_CLI_FIXTURES_HPP

#include "../unit/checkpoint/seal_again.hpp"
#include "program.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/checkpoint/reader.hpp>

#include <cstring>
#include <filesystem>
#include <vector>

namespace kaon::test {

inline std::string const fixtures = KAON_FIXTURES "/checkpoint";
/// 3 workers, float, step 5; low-rank uplinks, so there are warm-start factors; text from tokens.bin.
inline std::string gpt_fixture(std::uint64_t version = format::version) {
  return fixtures + "/version-" + std::to_string(version) + "/gpt-float.h5";
}
/// 3 workers, double, step 4; low-rank up and down; problem.h5.
inline std::string squares_fixture(std::uint64_t version = format::version) {
  return fixtures + "/version-" + std::to_string(version) + "/least-squares-double.h5";
}

/// Copies a fixture to `name` in the folder and puts its data beside it.
inline void put_fixture(Scratch const& s, std::string const& fixture, std::string const& name) {
  std::filesystem::copy_file(fixture, s / name);
  for (char const* data : {"tokens.bin", "problem.h5"})
    std::filesystem::copy_file(fixtures + '/' + data, s / data, std::filesystem::copy_options::skip_existing);
}

/// The field that has this path in today's version; nullptr when there is none.
inline FieldShape const* field_of(CheckpointFile const& file, std::string const& path) {
  for (auto const& f : file.fields())
    if ((file.has_older_paths() ? older::as_now(f.path).path : f.path) == path) return &f;
  return nullptr;
}

template <class T>
std::vector<T> values(CheckpointFile const& file, std::string const& path) {
  auto const* const field = field_of(file, path);
  if (!field) return ADD_FAILURE() << path << " is not in " << file.path(), std::vector<T>();
  EXPECT_EQ(size_of(field->type), sizeof(T)) << path;
  auto const bytes = file.read(*field);
  std::vector<T> v(bytes.size() / sizeof(T));
  std::memcpy(v.data(), bytes.data(), bytes.size());
  return v;
}

/// Names of the layers.
inline std::vector<std::string> layers_of(CheckpointFile const& file) {
  std::string const prefix = older::model(file.format_version());
  std::vector<std::string> names;
  for (auto const& f : file.fields())
    if (f.path.rfind(prefix, 0) == 0) names.push_back(f.path.substr(prefix.size()));
  return names;
}

}  // namespace kaon::test

#endif
