#ifndef KAON_EXCHANGE_DEVICE_SEALER_HPP
#define KAON_EXCHANGE_DEVICE_SEALER_HPP

#include <kaon/core/types.hpp>
#include <kaon/exchange/sealer.hpp>

namespace kaon {

/// In device memory: kernels seal packets and compute their checksums; the host sees headers and sums. complete() fences once,
/// open() twice for a message, however many packets it has.
class DeviceSealer final : public Sealer {
 public:
  using Space = Kokkos::DefaultExecutionSpace;

  /// For messages of up to `packets` packets, and of up to `movable` bytes a packet that move() is asked for. Payloads are
  /// written and read on `exec`.
  DeviceSealer(Space const& exec, std::size_t packets, std::size_t movable);

  MessageMemory memory() const override { return MessageMemory::device; }
  void seal(std::span<unsigned char> buffer, std::size_t at, PacketId const& id, std::size_t length) override;
  void move(std::span<unsigned char> buffer, std::size_t to, std::size_t from, std::size_t bytes) override;
  void complete() override { exec_.fence(); }
  void open(std::span<unsigned char const> message, std::span<PacketId const> ids, std::span<std::string const> layer_names,
            std::span<Extent> found) override;

 private:
  void check(std::span<unsigned char const> message, std::span<PacketId const> ids, std::span<std::string const> layer_names,
             std::span<Extent const> found);
  PacketHeader header(std::size_t packet, PacketCheck const& check, std::size_t left) const;

  Space exec_;
  Scalar<std::uint64_t, Space> sum_;  ///< of the packet that is being sealed
  Vector<std::uint64_t, Space> sums_;
  Bytes<Space> headers_, moved_;
  Kokkos::View<std::uint64_t*, Kokkos::LayoutRight, StagingSpace> host_sums_;
  Kokkos::View<unsigned char*, Kokkos::LayoutRight, StagingSpace> host_headers_;
};

}  // namespace kaon

#endif
