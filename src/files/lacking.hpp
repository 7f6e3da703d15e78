#ifndef KAON_FILES_LACKING_HPP
#define KAON_FILES_LACKING_HPP

namespace kaon::files {

/// What a file system, or a system, may do without.
enum class Thing {
  symbolic_links,  ///< exFAT, mounts of Windows shares, of object stores
  hard_links,      ///< the same, and some network file systems
  folder_sync,     ///< fsync of a folder
  memory_files,    ///< memfd_create: kernels before 3.17, some sandboxes
};

/// Whether the errno of a call that needs the thing says that there is no such thing here, so that one does without. Anything
/// else is a failure. All such numbers stand here.
bool is_lacking(Thing thing, int error);

}  // namespace kaon::files

#endif
