#ifndef KAON_APPS_CKPT_TEXT_HPP
#define KAON_APPS_CKPT_TEXT_HPP

#include <cstdint>
#include <string>

namespace kaon::ckpt {

/// "12 B", "3.4 MiB".
std::string size_text(std::uint64_t bytes);

inline bool starts_with(std::string const& s, std::string const& head) { return s.rfind(head, 0) == 0; }
inline bool ends_with(std::string const& s, std::string const& tail) {
  return s.size() >= tail.size() && s.compare(s.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace kaon::ckpt

#endif
