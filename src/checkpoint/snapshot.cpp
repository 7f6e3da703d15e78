#include <kaon/checkpoint/snapshot.hpp>

#include <cstring>

namespace kaon {
namespace {

std::uint64_t bytes_of(Field const& f) { return f.written.elements() * size_of(f.type); }

}  // namespace

std::uint64_t Snapshot::bytes_of(Registry const& state) {
  std::uint64_t bytes = 0;
  for (auto const& f : state) bytes += kaon::bytes_of(f);
  return bytes;
}

void Snapshot::take(Registry const& state) {
  copies_.resize(state.size());
  registry_ = state;
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto& copy = copies_[i];
    if (auto const bytes = kaon::bytes_of(state[i]); bytes != copy.bytes) {
      copy.data.reset();
      copy.bytes = 0;
      copy.data = std::make_unique_for_overwrite<unsigned char[]>(bytes);
      copy.bytes = bytes;
    }
    if (copy.bytes > 0) state[i].get(copy.data.get());
    registry_[i].get = [&copy](void* out) { std::memcpy(out, copy.data.get(), copy.bytes); };
    registry_[i].get_rows = nullptr;
    if (copy.bytes > 0)
      registry_[i].get_rows = [&copy, row = copy.bytes / state[i].written.count[0]](std::uint64_t first, std::uint64_t count,
                                                                                    void* out) {
        std::memcpy(out, copy.data.get() + first * row, count * row);
      };
    registry_[i].set = nullptr;
  }
}

void Snapshot::release() {
  registry_.clear();
  copies_.clear();
}

}  // namespace kaon
