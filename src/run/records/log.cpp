#include <kaon/run/records/log.hpp>

#include <unistd.h>

#include <algorithm>
#include <string>

namespace kaon {

Log::Log(int rank, std::FILE* out) : out_(out), speaks_(rank == 0), terminal_(isatty(fileno(out)) == 1) {}

void Log::warning(std::string_view text) const {
  if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return;
  warnings_.emplace_back(text);
  write("kaon: warning: ", text);
}

void Log::write(std::string_view prefix, std::string_view text) const {
  if (!speaks_) return;
  std::string all = terminal_ ? "\r\033[K" : "";
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  for (std::size_t at = 0; at <= text.size();) {
    auto const end = std::min(text.find('\n', at), text.size());
    all.append(prefix).append(text.substr(at, end - at)).append("\n");
    at = end + 1;
  }
  if (std::fwrite(all.data(), 1, all.size(), out_) != all.size() || std::fflush(out_) != 0) complete_ = false;
}

}  // namespace kaon
