#ifndef KAON_CHECKPOINT_NPY_HPP
#define KAON_CHECKPOINT_NPY_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// What stands in front of an array in NumPy's format (.npy, versions 1 to 3): numpy.lib.format.
struct NpyHeader {
  std::string descr;  ///< of the numbers, as "<f4"
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;  ///< empty: a scalar
};

/// So many bytes of a file say how long its header is.
inline constexpr std::size_t npy_prefix = 12;

/// Bytes in front of the array, of a file that begins with `first` (npy_prefix bytes of it, or all where it is shorter). Throws
/// InputError where that is no such file, or the header would be longer than 64 KiB.
std::size_t npy_header_bytes(std::span<unsigned char const> first);

/// Reads a header of that many bytes. Throws InputError where its dictionary is none of NumPy's.
NpyHeader parse_npy_header(std::span<unsigned char const> header);

}  // namespace kaon

#endif
