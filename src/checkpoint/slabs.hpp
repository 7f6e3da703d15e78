#ifndef KAON_CHECKPOINT_SLABS_HPP
#define KAON_CHECKPOINT_SLABS_HPP

#include <cstdint>
#include <string>

namespace kaon {

/// Writes bytes at given places of a file, on this rank alone. Failures throw IoError with the path and errno's text.
class Slabs {
 public:
  Slabs() = default;
  ~Slabs();
  Slabs(Slabs const&) = delete;
  Slabs& operator=(Slabs const&) = delete;

  void create(std::string const& path);  ///< or empties it
  void open(std::string const& path);    ///< must exist
  /// `what` names the content in messages.
  void write(std::string const& what, void const* data, std::uint64_t bytes, std::uint64_t offset);
  /// Waits until everything is on the disk, then closes. Nothing when it is not open.
  void close();

 private:
  void open(std::string const& path, int flags, char const* doing);
  std::string path_;
  int file_ = -1;
};

}  // namespace kaon

#endif
