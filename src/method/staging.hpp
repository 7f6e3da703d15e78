#ifndef KAON_METHOD_STAGING_HPP
#define KAON_METHOD_STAGING_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/core/types.hpp>
#include <kaon/exchange/message_copy.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace kaon {

/// Device buffers between compressors and messages, made for the largest layer and packet.
/// encode() fences for a packet's size, and with messages in host memory once more for its bytes; nothing else here does.
template <class T>
class Staging {
 public:
  /// Messages lie in `messages`.
  Staging(std::vector<Layer> const& layers, std::size_t payload_bound, MessageMemory messages = MessageMemory::host)
      : messages_(messages),
        payload_("kaon::method::payload", payload_bound),
        length_("kaon::method::length"),
        host_length_("kaon::method::host_length") {
    std::size_t largest = 0;
    for (auto const& l : layers) largest = std::max(largest, static_cast<std::size_t>(l.rows) * static_cast<std::size_t>(l.cols));
    for (auto& m : scratch_) m = Vector<T, Space>("kaon::method::scratch", largest);
  }

  /// Makes room for payloads of up to `bound` bytes, and not for more. Allocates and fences where that is something else.
  void fit(Space const& exec, std::size_t bound) {
    if (payload_.extent(0) == bound) return;
    exec.fence();
    payload_ = Bytes<Space>();
    payload_ = Bytes<Space>("kaon::method::payload", bound);
  }

  /// Workspace `which` (0 or 1) as a matrix of the layer's shape; its content is the previous user's.
  Matrix<T, Space> scratch(int which, Layer const& layer) const { return scratch(which, layer.rows, layer.cols); }
  /// The same as rows×cols, not more than a layer has.
  Matrix<T, Space> scratch(int which, int rows, int cols) const {
    return Matrix<T, Space>(scratch_[which].data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(cols));
  }

  /// Encodes x into the device payload and copies it to `out`, part of a message. Returns its bytes. Fences.
  std::size_t encode(Space const& exec, Compressor<T, Space>& codec, ConstMatrix<T, Space> const& x,
                     Matrix<T, Space> const& memory, StreamKey const& key, std::span<unsigned char> out) {
    std::size_t const n = encode_here(exec, codec, x, memory, key);
    require(n <= out.size(), "Staging: a compressor wrote more than its bound");
    copy_to_message(exec, messages_, out.data(), payload_.data(), n);
    if (messages_ == MessageMemory::host) exec.fence();
    return n;
  }

  /// Encodes x into the device payload alone, for apply_encoded(). Returns its bytes. Fences.
  std::size_t encode_here(Space const& exec, Compressor<T, Space>& codec, ConstMatrix<T, Space> const& x,
                          Matrix<T, Space> const& memory, StreamKey const& key) {
    codec.compress(exec, payload_, length_, x, memory, key);
    Kokkos::deep_copy(exec, host_length_, length_);
    exec.fence();
    require(host_length_() <= payload_.extent(0), "Staging: a compressor wrote more than its bound");
    return host_length_();
  }

  /// y ← y + C(x) for the payload that encode() left on the device.
  void apply_encoded(Space const& exec, Compressor<T, Space>& codec, Matrix<T, Space> const& y) {
    codec.decompress_add(exec, y, payload_, host_length_());
  }

  /// y ← y + C(x) for the payload of a message. Asynchronous.
  void apply(Space const& exec, Compressor<T, Space>& codec, Matrix<T, Space> const& y, std::span<unsigned char const> in) {
    require(in.size() <= payload_.extent(0), "Staging: a payload is larger than its bound");
    copy_from_message(exec, messages_, payload_.data(), in.data(), in.size());
    codec.decompress_add(exec, y, payload_, in.size());
  }

 private:
  MessageMemory messages_;
  Bytes<Space> payload_;
  Scalar<std::uint64_t, Space> length_;
  Kokkos::View<std::uint64_t, StagingSpace> host_length_;
  Vector<T, Space> scratch_[2];
};

}  // namespace kaon

#endif
