#ifndef KAON_APPS_CKPT_TEXT_HPP
#define KAON_APPS_CKPT_TEXT_HPP

#include <kaon/files/standard_output.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace kaon::ckpt {

/// To standard output; what goes wrong with it shows at the program's end.
template <class... T>
void print(fmt::format_string<T...> form, T&&... values) {
  files::print(fmt::format(form, std::forward<T>(values)...));
}

/// To standard error; nothing happens where nobody reads it.
template <class... T>
void complain(fmt::format_string<T...> form, T&&... values) {
  std::fputs(fmt::format(form, std::forward<T>(values)...).c_str(), stderr);
}

/// "12 B", "3.4 MiB".
std::string size_text(std::uint64_t bytes);

inline bool starts_with(std::string const& s, std::string const& head) { return s.rfind(head, 0) == 0; }
inline bool ends_with(std::string const& s, std::string const& tail) {
  return s.size() >= tail.size() && s.compare(s.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace kaon::ckpt

#endif
