#include "text.hpp"

#include <fmt/format.h>

namespace kaon::ckpt {

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double v = static_cast<double>(bytes);
  char const* unit = "B";
  for (char const* u : {"KiB", "MiB", "GiB", "TiB"}) {
    if (v < 1024) break;
    v /= 1024;
    unit = u;
  }
  return fmt::format("{:.1f} {}", v, unit);
}

}  // namespace kaon::ckpt
