#ifndef KAON_APPS_CKPT_NPY_HPP
#define KAON_APPS_CKPT_NPY_HPP

#include <kaon/checkpoint/blocks.hpp>
#include <kaon/files/part.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kaon::ckpt {

/// The header of NumPy's format, version 1.0, for a row-major array; its length is a multiple of 64. No shape: a scalar.
std::string npy_header(ElementType type, std::vector<std::uint64_t> const& shape);

/// Writes an uncompressed .npz: a zip archive of .npy files, for numpy.load. Always in the 64-bit form of zip, with the same
/// bytes for the same arrays.
class NpzWriter {
 public:
  /// `out` must outlive it, and is committed by its owner.
  explicit NpzWriter(files::Part& out) : out_(out) {}
  /// An array under `name`, as numpy.load(...)[name].
  void array(std::string const& name, ElementType type, std::vector<std::uint64_t> const& shape, void const* data);
  void number(std::string const& name, std::uint64_t value) { array(name, ElementType::u64, {}, &value); }
  /// A text: an array without dimensions, str(numpy.load(...)[name]). What is not UTF-8 is taken for Latin-1.
  void text(std::string const& name, std::string const& content);
  void close();

 private:
  void member(std::string const& name, std::string const& head, void const* data, std::size_t bytes);
  void write(std::string_view bytes) {
    out_.write(bytes);
    written_ += bytes.size();
  }
  files::Part& out_;
  std::uint64_t written_ = 0;
  std::string directory_;
  std::uint64_t members_ = 0;
};

}  // namespace kaon::ckpt

#endif
