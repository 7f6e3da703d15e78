#ifndef KAON_DATA_FILE_HPP
#define KAON_DATA_FILE_HPP

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace kaon {

/// A regular file, open for reading. It is read and not mapped: a file that is cut short meanwhile is an error that names it, and
/// no signal. Moves, does not copy.
class DataFile {
 public:
  /// Throws InputError when `path` is missing, unreadable, no regular file or empty; IoError when no more files can be opened.
  explicit DataFile(std::string const& path);
  ~DataFile();
  DataFile(DataFile&& other) noexcept;
  DataFile& operator=(DataFile&& other) noexcept;

  std::string const& path() const { return path_; }
  /// Bytes when it was opened.
  std::int64_t size() const { return size_; }
  /// out ← bytes [at, at + bytes). Throws InputError when the file has become shorter than that, IoError when the file system
  /// refuses.
  void read(std::int64_t at, std::int64_t bytes, void* out) const;

  /// Device and inode: equal for two names of one file, on one host.
  std::string identity() const;
  bool same_file(DataFile const& other) const { return seen_.st_dev == other.seen_.st_dev && seen_.st_ino == other.seen_.st_ino; }
  /// How size or times differ from those at the opening or the last look_again(); empty: they do not.
  std::string changed() const;
  void look_again();

 private:
  struct stat now() const;

  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  struct stat seen_ = {};
};

}  // namespace kaon

#endif
