#ifndef KAON_CHECKPOINT_FOLDER_HPP
#define KAON_CHECKPOINT_FOLDER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// POSIX calls on the checkpoint folder, for one rank. Failures throw IoError with the path and errno's text.
namespace kaon::folder {

void make(std::string const& path);
/// Bytes that this user may still write in the file system of `path`; the largest number where it does not tell.
std::uint64_t free_bytes(std::string const& path);
/// Throws IoError, with the bytes that it takes and the bytes that there are, where no file of so many can be made at `path`: too
/// little free space, or a limit on the size of files. For a folder that is not there yet the one above it is asked.
void require_room(std::string const& path, std::uint64_t bytes);
/// An empty file in place of what has this name, a link included, so that a folder that cannot be written is told before HDF5
/// meets it.
void create_empty(std::string const& path);
/// fsync of a file or a folder; a file system whose folders have none is none the worse for it.
void sync(std::string const& path);
void rename(std::string const& from, std::string const& to);
void remove(std::string const& path);
/// Makes the symbolic link `link` point at `target`, atomically. On a file system without such links (files::is_lacking) it
/// becomes a text file with the target's name, which target_of() and followed() read like one.
void repoint(std::string const& link, std::string const& target);
/// What the link, or the text file in its place, points at; empty when it is neither.
std::string target_of(std::string const& link);
/// The file that a path leads to when a text file of repoint() stands there; else the path itself.
std::string followed(std::string const& path);
/// A file to write and read that has no name: in memory, or, where the system has no such files (files::is_lacking), in the
/// folder of `beside`. Returns its descriptor.
int nameless(std::string const& beside);

/// "step-00001234.h5".
std::string step_name(std::uint64_t step);
/// The way back, for a name that step_name() gives.
std::optional<std::uint64_t> step_of(std::string const& name);
/// The run folder that a folder is, or whose checkpoints it holds; nothing for another one, and for what is no folder.
std::optional<std::string> run_folder_at(std::string const& path);
/// Throws InputError, with the checkpoint that may have been meant, where a folder stands at the path of one.
void require_no_folder(std::string const& path);
/// Steps of all committed files in `path`, descending; empty when there is no such folder.
std::vector<std::uint64_t> steps(std::string const& path);
/// Names of what a killed job left behind: uncommitted files, half-deleted files, half-made links.
std::vector<std::string> leftovers(std::string const& path);

}  // namespace kaon::folder

#endif
