#include "peers.hpp"

#include <kaon/core/error.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace kaon::bench {
namespace {

std::string quoted(std::string const& word) {
  std::string out = "'";
  for (char const c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<Peer> time_peers(std::string const& python, std::string const& arguments) {
  std::string const script = std::filesystem::exists(KAON_PEERS_INSTALLED) ? KAON_PEERS_INSTALLED : KAON_PEERS_SOURCE;
  std::string const command = quoted(python) + " " + quoted(script) + " " + arguments;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (!pipe) throw IoError("cannot run " + command + ": " + std::strerror(errno));
  std::string text;
  char part[256];
  while (std::fgets(part, sizeof part, pipe)) text += part;
  if (pclose(pipe) != 0) throw IoError("failed: " + command + "; give --python an interpreter that runs, or leave it away");
  std::vector<Peer> peers;
  std::istringstream lines(text);
  Peer peer;
  while (lines >> peer.name >> peer.version >> peer.threads >> peer.seconds) peers.push_back(peer);
  return peers;
}

}  // namespace kaon::bench
