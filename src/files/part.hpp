#ifndef KAON_FILES_PART_HPP
#define KAON_FILES_PART_HPP

#include <kaon/files/system.hpp>

#include <string>
#include <string_view>

namespace kaon::files {

/// How every file comes into being that is not appended to: written as <path>.part, and given its name when it is whole and on
/// the disk. A reader finds the old file or the new one, also after a loss of power. Where `path` is a symbolic link the link
/// stays, and what it points to is replaced. Permissions of the file before are kept.
class Part {
 public:
  /// Makes <path>.part, empty; one that an earlier process left goes. Throws IoError naming `path` where a file cannot take this
  /// name: a folder, a device, a pipe or another special file stands there, also behind a link, or a write-protected file.
  explicit Part(std::string const& path);
  /// Removes what was not committed.
  ~Part();
  Part(Part const&) = delete;
  Part& operator=(Part const&) = delete;

  /// The file to be written: <path>.part. It may be closed and opened again, and must stay the same file.
  std::string const& name() const { return part_; }
  void write(std::string_view text) { write_all(file_, text, part_); }

  /// fsync, rename, fsync of the folder. Throws IoError, also when another process has taken <path>.part over meanwhile.
  void commit();

 private:
  void require_mine() const;
  std::string path_, part_;
  int file_ = -1;
  bool committed_ = false;
};

/// Throws what Part(path) would say of what stands there; touches nothing.
void require_replaceable(std::string const& path);

/// The whole text as the file `path`, by a Part.
void replace(std::string const& path, std::string_view text);

}  // namespace kaon::files

#endif
