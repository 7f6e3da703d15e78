#ifndef KAON_FILES_SYSTEM_HPP
#define KAON_FILES_SYSTEM_HPP

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace kaon::files {

/// Throws IoError "cannot <doing> <path>: <the system's words for `error`>".
[[noreturn]] void fail(std::string const& doing, std::string const& path, int error);

/// A file's own number: two names of one file, by hard link, symbolic link or another spelling, have the same.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(Identity const&) const = default;
};

/// Of what stands at `path`, links followed; nothing where nothing stands there. Throws IoError when it cannot be looked at.
std::optional<Identity> identity(std::string const& path);
Identity identity(int file, std::string const& path);
/// One file, by whatever names. False where either is not there.
bool same_file(std::string const& a, std::string const& b);

/// The name at which the symbolic links of `path` end; it need not exist. Throws IoError for links that go round in circles.
std::string behind_links(std::string const& path);

/// Folder of a path, "." where it names none.
std::string folder_of(std::string const& path);

/// Hands all of it to the operating system. `path` is for errors. Throws IoError.
void write_all(int file, std::string_view text, std::string const& path);

/// A whole file; of a pipe what there is. Throws IoError.
std::string read_all(std::string const& path);

/// Waits until the file's contents are on the disk. Throws IoError.
void sync(std::string const& path);
/// Waits until the folder's names are on the disk; goes on where the file system knows no such thing. Throws IoError.
void sync_folder(std::string const& folder);

}  // namespace kaon::files

#endif
