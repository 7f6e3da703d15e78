#include <kaon/checkpoint/ballot.hpp>

#include <algorithm>

namespace kaon {

void Ballot::fail(Exit code, std::string const& why) {
  if (!ok()) return;
  code_ = code;
  error_ = why.empty() ? "unknown reason" : why;
}

std::string Ballot::reasons() {
  bool const mine = ok();
  if (comm_.all(mine)) return {};
  auto const said = comm_.gather(error_);
  // I/O failures outrank bad content: the exit code tells the batch script whether to blame the file system.
  code_ = comm_.max(static_cast<std::int64_t>(!mine && code_ != Exit::bad_input)) != 0 ? Exit::io : Exit::bad_input;
  error_.clear();
  bool const same = std::all_of(said.begin(), said.end(), [&](auto const& s) { return s == said.front(); });
  if (same) return said.front();
  std::string text;
  for (std::size_t r = 0; r < said.size(); ++r)
    if (!said[r].empty()) text += (text.empty() ? "rank " : "; rank ") + std::to_string(r) + ": " + said[r];
  return text;
}

void Ballot::vote(std::string const& doing) {
  std::string const why = reasons();
  if (why.empty()) return;
  std::string const text = doing + " failed: " + why;
  if (code_ == Exit::bad_input) throw InputError(text);
  throw AgreedIoError(text);
}

}  // namespace kaon
