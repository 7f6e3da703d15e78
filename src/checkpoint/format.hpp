#ifndef KAON_CHECKPOINT_FORMAT_HPP
#define KAON_CHECKPOINT_FORMAT_HPP

#include <kaon/checkpoint/blocks.hpp>
#include <kaon/checkpoint/h5.hpp>
#include <kaon/checkpoint/info.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Names and layouts that the writer and the reader share.
namespace kaon::format {

inline constexpr char const* name = "kaon-checkpoint";
inline constexpr std::uint64_t version = 3;         ///< that is written
inline constexpr std::uint64_t oldest_version = 1;  ///< that is read: the first one, for ever
/// From here on a file names its methods, and its fields say how they are resized.
inline constexpr std::uint64_t names_methods = 3;
inline constexpr char const* deck = "/deck";
inline constexpr char const* integrity = "/integrity";
inline constexpr char const* provenance = "/provenance";
inline constexpr char const* seal = "seal";        ///< attribute: XXH3-64 of everything that no block covers
inline constexpr char const* method = "method";    ///< attribute of the root
inline constexpr char const* problem = "problem";  ///< attribute of the root; absent where it is empty
inline constexpr char const* resize = "resize";    ///< attribute of a field
inline constexpr char const* of = "of";            ///< attribute of a field that is the mean of another
/// Provenance attributes that are members of CheckpointInfo; all others go to its map.
inline constexpr char const* kaon_version = "kaon_version";
inline constexpr char const* git_hash = "git_hash";
inline constexpr char const* fingerprint = "fingerprint";
inline constexpr char const* created = "created";

/// The integrity table: every block of every field, fields in the order of the registry.
struct Table {
  std::vector<FieldShape> fields;
  std::vector<Blocks> blocks;         ///< of each field
  std::vector<std::uint64_t> first;   ///< index of each field's first hash, and the total at the end
  std::vector<std::uint64_t> hashes;  ///< XXH3-64 of every block; empty until they are known
  Table() : first{0} {}
  explicit Table(std::vector<FieldShape> const& all);
  std::uint64_t total() const { return first.back(); }
};

/// One row of /integrity on disk: dataset path (null-padded to `path_length`), block number, XXH3-64.
h5::Handle row_type(std::size_t path_length);
/// Rows as they lie in memory for row_type().
std::vector<unsigned char> rows(Table const& table, std::size_t path_length);
std::size_t longest_path(Table const& table);

/// Covers the format version, the rank-independent info, every field's path, type, shape and rule, and every block's hash.
std::uint64_t seal_of(CheckpointInfo const& info, Table const& table, std::uint64_t of_version = version);

}  // namespace kaon::format

#endif
