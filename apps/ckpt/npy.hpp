#ifndef KAON_APPS_CKPT_NPY_HPP
#define KAON_APPS_CKPT_NPY_HPP

#include <kaon/checkpoint/blocks.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace kaon::ckpt {

/// The header of NumPy's format, version 1.0, for a row-major array; its length is a multiple of 64. No shape: a scalar.
std::string npy_header(ElementType type, std::vector<std::uint64_t> const& shape);

/// A file for writing; every failure throws IoError with the path and errno's text.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  void write(void const* data, std::size_t bytes);
  void write(std::string const& text) { write(text.data(), text.size()); }
  std::uint64_t written() const { return written_; }
  void close();

 private:
  [[noreturn]] void fail() const;
  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::uint64_t written_ = 0;
};

/// Writes an uncompressed .npz: a zip archive of .npy files, for numpy.load. Always in the 64-bit form of zip, with the same
/// bytes for the same arrays.
class NpzWriter {
 public:
  explicit NpzWriter(std::string const& path) : out_(path) {}
  /// An array under `name`, as numpy.load(...)[name].
  void array(std::string const& name, ElementType type, std::vector<std::uint64_t> const& shape, void const* data);
  void number(std::string const& name, std::uint64_t value) { array(name, ElementType::u64, {}, &value); }
  /// A file of text, as numpy.load(...)[name], which gives bytes.
  void text(std::string const& name, std::string const& content);
  void close();

 private:
  void member(std::string const& name, std::string const& head, void const* data, std::size_t bytes);
  OutputFile out_;
  std::string directory_;
  std::uint64_t members_ = 0;
};

}  // namespace kaon::ckpt

#endif
