#include <kaon/files/lacking.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace kaon::files {
namespace {

TEST(Lacking, TellsWhatIsNotThereFromWhatFails) {
  for (auto const thing : {Thing::symbolic_links, Thing::folder_sync, Thing::memory_files}) {
    for (int const e : {ENOSYS, EOPNOTSUPP, EINVAL}) EXPECT_TRUE(is_lacking(thing, e)) << std::strerror(e);
    for (int const e : {EIO, ENOSPC, EDQUOT, EROFS, ENOENT, ENOMEM}) EXPECT_FALSE(is_lacking(thing, e)) << std::strerror(e);
  }
  EXPECT_TRUE(is_lacking(Thing::symbolic_links, EPERM));
  EXPECT_FALSE(is_lacking(Thing::symbolic_links, EACCES));
  EXPECT_FALSE(is_lacking(Thing::folder_sync, EPERM));
}

}  // namespace
}  // namespace kaon::files
