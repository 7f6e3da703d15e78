#ifndef KAON_TESTS_FAULT_MESSAGE_HPP
#define KAON_TESTS_FAULT_MESSAGE_HPP

#include <mpi.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace kaon::fault {

using Bytes = std::vector<unsigned char>;

/// The header of a packet as docs/file-formats.md lays it out; written down a second time, so that a change of the program's own
/// is noticed here.
struct Header {
  std::uint32_t magic;
  std::uint8_t version, stage;
  std::uint8_t direction, checksum_kind;  ///< kind 0: XXH3; 1: a sum of mixed words
  std::uint64_t step;
  std::uint32_t layer, worker;
  std::uint64_t length;
  std::uint32_t encoding, part;
  std::uint64_t checksum;
};
static_assert(sizeof(Header) == 48);
inline constexpr std::uint32_t magic = 0x4e4f414b;  // "KAON"

/// Where a packet stands in its message.
struct Packet {
  std::size_t at = 0, size = 0;  ///< header included
  Header header{};
};

/// One send, as it is given to MPI.
struct Message {
  unsigned char const* data = nullptr;
  std::size_t size = 0;
  int to = 0, tag = 0;
  MPI_Comm comm = MPI_COMM_NULL;
  Bytes copy() const { return data ? Bytes(data, data + size) : Bytes(); }
  bool same_channel(Message const& o) const { return to == o.to && tag == o.tag && comm == o.comm; }
};

/// The packets that follow one another from the beginning of a message. They cover it, unless something else is in it.
inline std::vector<Packet> packets_in(Message const& m) {
  std::vector<Packet> found;
  for (std::size_t at = 0; m.data && m.size - at >= sizeof(Header);) {
    Packet p{at, 0, {}};
    std::memcpy(&p.header, m.data + at, sizeof(Header));
    if (p.header.magic != magic || p.header.length > m.size - at - sizeof(Header)) break;
    p.size = sizeof(Header) + p.header.length;
    at += p.size;
    found.push_back(p);
  }
  return found;
}

/// Computes the checksum of the packet at `packet` anew and puts it into its header.
void seal(unsigned char* packet, std::size_t size);

/// Adds a line to the file that an environment variable names, and closes it: what is written stays when the job is aborted.
void append_line(char const* variable, std::string const& line);

/// Ends the process: a test that is set up wrongly must not pass for an untampered run.
[[noreturn]] void give_up(std::string const& why);

}  // namespace kaon::fault

#endif
