#ifndef KAON_EXCHANGE_SEALER_HPP
#define KAON_EXCHANGE_SEALER_HPP

#include <kaon/exchange/message_memory.hpp>
#include <kaon/exchange/packet.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace kaon {

/// Where a packet stands in its message, header included.
struct Extent {
  std::size_t at = 0, size = 0;
};

/// Seals and opens packets in the memory that messages lie in. Spans are of that memory: only a sealer looks into them.
class Sealer {
 public:
  Sealer() = default;
  Sealer(Sealer const&) = delete;
  Sealer& operator=(Sealer const&) = delete;
  virtual ~Sealer() = default;

  virtual MessageMemory memory() const = 0;
  /// Writes the header at buffer[at …) in front of the `length` payload bytes that stand behind it. Asynchronous.
  virtual void seal(std::span<unsigned char> buffer, std::size_t at, PacketId const& id, std::size_t length) = 0;
  /// buffer[to, to + bytes) ← buffer[from, from + bytes); they may overlap. Asynchronous.
  virtual void move(std::span<unsigned char> buffer, std::size_t to, std::size_t from, std::size_t bytes) = 0;
  /// Waits until MPI may read what was written.
  virtual void complete() = 0;
  /// Finds and checks the packets of a received message, one for each id; throws IoError as open_packet does. `layer_names` by
  /// the ids' layers.
  virtual void open(std::span<unsigned char const> message, std::span<PacketId const> ids,
                    std::span<std::string const> layer_names, std::span<Extent> found) = 0;
};

/// In host memory, with XXH3. The caller has waited for the payloads.
class HostSealer final : public Sealer {
 public:
  MessageMemory memory() const override { return MessageMemory::host; }
  void seal(std::span<unsigned char> buffer, std::size_t at, PacketId const& id, std::size_t length) override;
  void move(std::span<unsigned char> buffer, std::size_t to, std::size_t from, std::size_t bytes) override;
  void complete() override {}
  void open(std::span<unsigned char const> message, std::span<PacketId const> ids, std::span<std::string const> layer_names,
            std::span<Extent> found) override;
};

}  // namespace kaon

#endif
