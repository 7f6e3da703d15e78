#ifndef KAON_FILES_UTF8_HPP
#define KAON_FILES_UTF8_HPP

#include <string>
#include <string_view>

namespace kaon::files {

/// The bytes of a name or a path as UTF-8, for files that must be that: as they are where they are UTF-8; else each is taken for
/// a letter of Latin-1, so that no name is lost and two names stay two.
std::string utf8(std::string_view bytes);

/// The code points of utf8(bytes).
std::u32string code_points(std::string_view bytes);

}  // namespace kaon::files

#endif
