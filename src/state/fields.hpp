#ifndef KAON_STATE_FIELDS_HPP
#define KAON_STATE_FIELDS_HPP

#include <kaon/core/types.hpp>
#include <kaon/state/registry.hpp>

#include <cstring>
#include <string>
#include <type_traits>

namespace kaon {

template <class T>
constexpr ElementType element_type() {
  return std::is_same_v<T, float> ? ElementType::f32 : ElementType::f64;
}

/// A field that is one view on the device (any rank, LayoutRight). `written` and `needed` say whether this rank's view is the
/// one that is written, and whether this rank wants it back; a rank that does neither may pass an empty view.
template <class View>
Field view_field(std::string path, std::vector<std::uint64_t> shape, Part written, Part needed, View const& view) {
  using T = typename View::non_const_value_type;
  Field f;
  f.path = std::move(path);
  f.type = element_type<T>();
  f.shape = std::move(shape);
  f.written = std::move(written);
  f.needed = std::move(needed);
  f.get = [view](void* out) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
    std::memcpy(out, host.data(), host.size() * sizeof(T));
  };
  f.get_rows = [view](std::uint64_t first, std::uint64_t count, void* out) {
    std::size_t const row = view.size() / view.extent(0);
    Kokkos::View<T const*, typename View::memory_space, Kokkos::MemoryUnmanaged> const rows(view.data() + first * row,
                                                                                            count * row);
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, rows);
    std::memcpy(out, host.data(), host.size() * sizeof(T));
  };
  f.set = [view](void const* in) {
    auto const host = Kokkos::create_mirror_view(Kokkos::HostSpace{}, view);
    std::memcpy(host.data(), in, host.size() * sizeof(T));
    Kokkos::deep_copy(view, host);
  };
  return f;
}

/// Offsets zero, the whole shape; or nothing of it.
inline Part whole(std::vector<std::uint64_t> const& shape) { return {std::vector<std::uint64_t>(shape.size(), 0), shape}; }
inline Part nothing(std::vector<std::uint64_t> const& shape) {
  return {std::vector<std::uint64_t>(shape.size(), 0), std::vector<std::uint64_t>(shape.size(), 0)};
}
/// Slabs [first, first + count) of the leading dimension.
inline Part slabs(std::vector<std::uint64_t> const& shape, std::uint64_t first, std::uint64_t count) {
  if (count == 0) return nothing(shape);
  Part p = whole(shape);
  p.offset[0] = first;
  p.count[0] = count;
  return p;
}

}  // namespace kaon

#endif
