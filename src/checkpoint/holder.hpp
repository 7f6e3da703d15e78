#ifndef KAON_CHECKPOINT_HOLDER_HPP
#define KAON_CHECKPOINT_HOLDER_HPP

#include <cstdint>
#include <optional>
#include <string>

namespace kaon {

/// A process that holds a run folder, as the file `lock` tells of it.
struct Holder {
  std::string program;
  std::string host;
  std::string boot;   ///< the kernel's, new at every start of the machine
  std::string space;  ///< the process numbers' name space: a container has its own
  std::int64_t pid = 0;
  std::uint64_t began = 0;  ///< start of the process, in the kernel's ticks
  std::string job;          ///< "slurm 1234"; empty outside of batch jobs
  std::string start;        ///< how often the batch system has put the job back; empty where it does not say
  std::string since;        ///< UTC
  std::string token;        ///< drawn for this hold
  std::uint64_t beat = 0;

  /// "kaon-train, process 17 on node3, job slurm 1234, since 2030-01-31T23:59:59Z"
  std::string describe() const;
};

/// This process, with a fresh token.
Holder this_process(std::string const& program);
/// The batch job in the environment: Slurm, PBS, Flux, LSF, Grid Engine, Cobalt.
void find_job(Holder& holder);

/// JSON; its length does not depend on `beat`.
std::string to_text(Holder const& holder);
/// Nothing for a text that is torn or no lock.
std::optional<Holder> holder_in(std::string const& text);

enum class Life {
  alive,
  gone,
  unknown,  ///< on another machine, or hidden: only its refreshing tells
};
/// What this process can tell of another one at once; `why` is for the log.
struct Finding {
  Life life;
  std::string why;
};
/// `lock` is the path of the lock: a process that does not have it open holds another folder, which this one is a copy of.
Finding find(Holder const& other, Holder const& me, std::string const& lock);

}  // namespace kaon

#endif
