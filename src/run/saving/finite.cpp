#include <kaon/run/saving/finite.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace kaon {

namespace {

// Index of the first element that is not finite; `count` when all are.
template <class T>
std::uint64_t first_bad(unsigned char const* data, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    T v;
    std::memcpy(&v, data + i * sizeof v, sizeof v);
    if (!std::isfinite(v)) return i;
  }
  return count;
}

}  // namespace

std::string first_not_finite(Communicator const& comm, Registry const& registry) {
  std::string mine;
  std::vector<unsigned char> buffer;
  for (auto const& f : registry) {
    std::uint64_t const count = f.written.elements();
    bool const real = f.type == ElementType::f32 || f.type == ElementType::f64;
    if (!real || count == 0 || !mine.empty()) continue;
    f.by_pieces(buffer, [&](std::uint64_t first, std::uint64_t, std::uint64_t bytes) {
      std::uint64_t const here = bytes / size_of(f.type);
      auto const at = f.type == ElementType::f32 ? first_bad<float>(buffer.data(), here) : first_bad<double>(buffer.data(), here);
      if (at < here && mine.empty())
        mine =
            fmt::format("{}, element {} of what rank {} writes,", f.path, first * (count / f.written.count[0]) + at, comm.rank());
    });
  }
  if (comm.all(mine.empty())) return {};
  for (auto const& said : comm.gather(mine))
    if (!said.empty()) return said;
  return {};
}

}  // namespace kaon
