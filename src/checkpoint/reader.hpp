#ifndef KAON_CHECKPOINT_READER_HPP
#define KAON_CHECKPOINT_READER_HPP

#include <kaon/checkpoint/format.hpp>
#include <kaon/checkpoint/h5.hpp>
#include <kaon/checkpoint/info.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// One checkpoint, open for reading on this rank alone (no MPI). Everything but the blocks is checked on opening: format,
/// version, tree, types, shapes, the seal over them, and the step against a name of the form step-<digits>.h5.
class CheckpointFile {
 public:
  /// Throws InputError naming the file and what is wrong with it; IoError when the file system refuses.
  explicit CheckpointFile(std::string path);

  std::string const& path() const { return path_; }
  std::uint64_t format_version() const { return version_; }
  CheckpointInfo const& info() const { return info_; }
  std::vector<FieldShape> const& fields() const { return table_.fields; }
  format::Table const& table() const { return table_; }
  std::uint64_t blocks() const { return table_.total(); }

  /// Re-reads the blocks [begin, end) of the table and compares hashes. Throws InputError naming file, dataset and block.
  void verify(std::uint64_t begin, std::uint64_t end) const;
  void verify() const { verify(0, blocks()); }

  /// Reads one part of a field, row-major, native byte order, into `out`.
  void read(FieldShape const& field, Part const& part, void* out) const;
  /// The whole field.
  std::vector<unsigned char> read(FieldShape const& field) const;
  /// The field of this path; nullptr when there is none.
  FieldShape const* find(std::string const& path) const;
  /// The same of a run's field, which files of earlier versions may have under another path.
  FieldShape const* find(Field const& field) const;

  /// Throws InputError unless the file holds exactly these fields, but for those that say what to do without them, and the
  /// companions that files of its version have; every missing, extra or different one is named.
  void require_fields(Registry const& registry) const;
  /// The companion in this file; nullptr where it has none.
  FieldShape const* find(Companion const& companion) const;
  /// Whether it is of a version that has Field::was.
  bool has_older_paths() const { return version_ < format::names_methods; }

 private:
  h5::Handle open(FieldShape const& field) const;
  void read(h5::Handle const& set, FieldShape const& field, Part const& part, void* out) const;
  void read_info();
  void read_table();
  void check_tree() const;

  std::string path_;
  h5::Handle file_;
  std::uint64_t version_ = format::version;
  CheckpointInfo info_;
  format::Table table_;
};

}  // namespace kaon

#endif
