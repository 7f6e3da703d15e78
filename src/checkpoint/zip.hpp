#ifndef KAON_CHECKPOINT_ZIP_HPP
#define KAON_CHECKPOINT_ZIP_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct zip;
struct zip_file;

namespace kaon {

/// A zip archive that is read, by libzip. Everything throws InputError that names the file, and the member, where the archive is
/// damaged or of a kind that is not read (encrypted members, two of one name); IoError where the file system fails.
class ZipFile {
 public:
  explicit ZipFile(std::string const& path);
  ~ZipFile();
  ZipFile(ZipFile const&) = delete;
  ZipFile& operator=(ZipFile const&) = delete;

  std::string const& path() const { return path_; }
  /// Names of the members, in the archive's order.
  std::vector<std::string> const& names() const { return names_; }

  /// A member that is read from its beginning.
  class Member {
   public:
    /// Bytes that it has, by the archive's directory.
    std::uint64_t size() const { return size_; }
    /// Fills `to`, or what is left of the member; returns how many bytes that are.
    std::size_t read(std::span<unsigned char> to);
    /// Throws unless all has been read and fits the member's checksum.
    void end();
    [[noreturn]] void refuse(std::string const& why) const;

   private:
    friend ZipFile;
    Member(ZipFile const& archive, std::size_t index);
    struct Close {
      void operator()(zip_file* f) const;
    };
    ZipFile const& archive_;
    std::string name_;
    std::uint64_t size_ = 0;
    std::unique_ptr<zip_file, Close> file_;
  };
  /// Of names().
  Member open(std::string const& name) const;

 private:
  [[noreturn]] void fail(std::string const& what, int code, int system) const;

  std::string path_;
  zip* archive_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace kaon

#endif
