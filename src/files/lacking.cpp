#include <kaon/files/lacking.hpp>

#include <cerrno>

namespace kaon::files {

bool is_lacking(Thing thing, int error) {
  bool const not_offered = error == ENOSYS || error == EOPNOTSUPP || error == ENOTSUP || error == EINVAL;
  switch (thing) {
    case Thing::symbolic_links:
      return not_offered || error == EPERM || error == EPROTO;  // Linux' own word is EPERM; shared folders of virtual machines
    case Thing::hard_links:
      return not_offered || error == EPERM || error == EPROTO || error == EMLINK;
    case Thing::folder_sync:
      return not_offered || error == EBADF || error == EISDIR ||
             error == ENOTTY;  // servers that sync only what is open for writing
    case Thing::memory_files:
      return not_offered || error == EPERM || error == EACCES;  // a filter of system calls
  }
  return false;
}

}  // namespace kaon::files
