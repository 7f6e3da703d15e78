#ifndef KAON_DATA_MAPPED_FILE_HPP
#define KAON_DATA_MAPPED_FILE_HPP

#include <cstddef>
#include <string>

namespace kaon {

/// A file mapped read-only into memory. Moves, does not copy. The file must not shrink while it is mapped.
class MappedFile {
 public:
  /// Throws InputError when `path` is missing, unreadable, no regular file or empty.
  explicit MappedFile(std::string const& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  unsigned char const* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  unsigned char const* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace kaon

#endif
