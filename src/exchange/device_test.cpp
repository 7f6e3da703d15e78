#include <kaon/exchange/device_messages.hpp>

#include <kaon/codec/checksum.hpp>
#include <kaon/core/error.hpp>
#include <kaon/exchange/mailbox.hpp>
#include <kaon/mpi/patience.hpp>

#include <chrono>
#include <list>
#include <set>
#include <vector>

namespace kaon {

namespace {

using Space = Kokkos::DefaultExecutionSpace;

constexpr std::size_t sizes[] = {1, 1000, 65537, (std::size_t(4) << 20) + 3};

KOKKOS_INLINE_FUNCTION unsigned char pattern(std::uint64_t seed, std::uint64_t i) {
  return static_cast<unsigned char>(mix_word(seed + (i + 1) * 0x9e3779b97f4a7c15ULL));
}

void write_pattern(Space const& exec, unsigned char* bytes, std::size_t n, std::uint64_t seed) {
  Kokkos::parallel_for(
      "kaon::exchange::write_pattern", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(n)),
      KOKKOS_LAMBDA(std::int64_t i) { bytes[i] = pattern(seed, static_cast<std::uint64_t>(i)); });
  exec.fence();
}

std::uint64_t wrong_bytes(Space const& exec, unsigned char const* bytes, std::size_t n, std::uint64_t seed) {
  std::uint64_t wrong = 0;
  Kokkos::parallel_reduce(
      "kaon::exchange::compare_pattern", Kokkos::RangePolicy<Space>(exec, 0, static_cast<std::int64_t>(n)),
      KOKKOS_LAMBDA(std::int64_t i, std::uint64_t & count) {
        if (bytes[i] != pattern(seed, static_cast<std::uint64_t>(i))) ++count;
      },
      wrong);
  return wrong;
}

// All messages of one round.
class Round {
 public:
  Round(Communicator const& comm, std::uint64_t number) : comm_(comm), number_(number), mail_(comm, MessageMemory::device) {
    std::set<int> steps{1 % comm.size(), comm.size() / 2};
    if (comm.size() > 1) steps.erase(0);
    int tag = 0;
    for (int const step : steps)
      for (auto const bytes : sizes) {
        int const to = (comm.rank() + step) % comm.size(), from = (comm.rank() + comm.size() - step) % comm.size();
        parts_.push_back({bytes, to, from, tag,
                          mail_.add_inbox(from, tag, bytes, "self-test, " + std::to_string(bytes) + " bytes"),
                          mail_.add_outbox(bytes, 1, "self-test")});
        ++tag;
      }
    mail_.ready();
  }

  // Empty when all is well.
  std::string run(Space const& exec, double patience_seconds) {
    for (auto const& p : parts_) mail_.open(p.inbox);
    for (auto const& p : parts_) {
      write_pattern(exec, mail_.writable(p.outbox).data(), p.bytes, seed(comm_.rank(), p.tag));
      mail_.send(p.outbox, p.bytes, p.to, p.tag);
    }
    auto const begin = std::chrono::steady_clock::now();
    auto const awaited = [] { return std::string("a message of the self-test with device memory"); };
    Patience patience(awaited);
    for (auto const& p : parts_) {
      for (; !mail_.arrived(p.inbox); patience.pause()) {
        mail_.poll();
        if (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() > patience_seconds)
          return describe(p) + " did not arrive within " + std::to_string(static_cast<int>(patience_seconds)) + " s";
      }
      auto const message = mail_.message(p.inbox);
      if (message.size() != p.bytes) return describe(p) + " has " + std::to_string(message.size()) + " bytes";
      if (auto const wrong = wrong_bytes(exec, message.data(), p.bytes, seed(p.from, p.tag)); wrong > 0)
        return describe(p) + " has " + std::to_string(wrong) + " wrong bytes";
    }
    mail_.flush();
    return "";
  }

 private:
  struct Part {
    std::size_t bytes;
    int to, from, tag, inbox, outbox;
  };
  std::uint64_t seed(int rank, int tag) const {
    return mix_word(number_ * 1000003 + static_cast<std::uint64_t>(rank) * 64 + static_cast<std::uint64_t>(tag));
  }
  std::string describe(Part const& p) const {
    return "a message of " + std::to_string(p.bytes) + " bytes from rank " + std::to_string(p.from) + " to rank " +
           std::to_string(comm_.rank());
  }

  Communicator const& comm_;
  std::uint64_t number_;
  Mailbox mail_;
  std::vector<Part> parts_;
};

}  // namespace

DeviceTest test_device_messages(Communicator const& comm, double patience) {
  auto const begin = std::chrono::steady_clock::now();
  Communicator const apart(comm.get());  // what a failed round leaves behind meets nobody
  Space const exec;
  DeviceTest result;
  std::list<Round> rounds;  // the first one's buffers stay: the second's are others
  for (std::uint64_t number = 1; number <= 2 && result.why.empty(); ++number) {
    std::string why;
    try {
      why = rounds.emplace_back(apart, number).run(exec, patience);
    } catch (Error const& e) {
      why = e.what();
    }
    if (!comm.all(why.empty()))
      for (auto const& text : comm.gather(why))
        if (!text.empty() && result.why.empty()) result.why = text;
  }
  result.passed = result.why.empty();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace kaon
