#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/run/start/deck_text.hpp>

#include <filesystem>

namespace kaon {

std::string read_deck_together(Communicator const& comm, std::string const& path) {
  std::string text, trouble;
  if (comm.rank() == 0) {
    try {
      text = read_deck_file(path);
    } catch (UsageError const& e) {
      trouble = e.what();
    }
  }
  trouble = comm.broadcast(trouble, 0);
  if (!trouble.empty()) throw UsageError(trouble);
  return comm.broadcast(text, 0);
}

bool deck_is_a_file(std::string const& path) {
  std::error_code error;
  return path != "-" && path.rfind("/dev/", 0) != 0 && std::filesystem::is_regular_file(path, error);
}

}  // namespace kaon
