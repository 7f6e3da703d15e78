#ifndef KAON_CHECKPOINT_INFO_HPP
#define KAON_CHECKPOINT_INFO_HPP

#include <cstdint>
#include <map>
#include <string>

namespace kaon {

/// What a checkpoint says about itself besides the state. The first group of members is the same for every number of ranks and
/// after every restart; the second tells where and when this file was made (stored in /provenance, never compared).
struct CheckpointInfo {
  std::uint64_t step = 0;
  std::uint64_t workers = 0;
  std::uint64_t seed = 0;
  std::string precision;  ///< e.g. "float32"
  std::string deck;       ///< the resolved deck
  std::string method;     ///< names of the methods in use, e.g. "ef21-muon"
  std::string problem;    ///< fingerprint of what the objective reads, 16 hexadecimal digits; empty where it has none

  std::string version;  ///< Kaon's
  std::string git_hash;
  std::string fingerprint;  ///< the arithmetic: back end, device or CPU kind, BLAS, threads; equal fingerprints mean equal bits
  std::string created;      ///< UTC, ISO 8601; filled by Checkpoints::save when empty
  std::map<std::string, std::string> provenance;  ///< anything else: ranks, hosts, Kokkos configuration, wire bytes …

  bool operator==(CheckpointInfo const&) const = default;
};

/// Provenance: what kaon-ckpt resize did to the state that a run began with. Every later checkpoint of the run repeats it.
inline constexpr char const* resized_key = "resized";

/// One string for sending between ranks, and back. unpack throws InputError when the text was not made by pack.
std::string pack(CheckpointInfo const& info);
CheckpointInfo unpack(std::string const& text);

/// XXH3-64 of the rank-independent members, and of the provenance. Files before version 3 name neither method nor problem.
std::uint64_t state_hash(CheckpointInfo const& info, bool names_method = true);
std::uint64_t provenance_hash(CheckpointInfo const& info);

/// Now, as 2030-01-31T23:59:59Z.
std::string utc_now();

}  // namespace kaon

#endif
