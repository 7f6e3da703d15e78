#ifndef KAON_TESTS_FUZZ_PATCHED_FILE_HPP
#define KAON_TESTS_FUZZ_PATCHED_FILE_HPP

#include "choices.hpp"
#include "scratch.hpp"

namespace kaon::fuzz {

/// A sound file that inputs damage. An input is a row of patches: a byte that says what is done (0 overwrite, 1 change a bit,
/// 2 cut off, 3 fill with one value as a lost block of a disk does, 4 copy from elsewhere, 5 append), 16 bits that say where,
/// and what the deed needs. Places are counted among the bytes that are not zero and their neighbours, where a file of mostly
/// holes and padding has its content.
class PatchedFile {
 public:
  PatchedFile(std::string const& name, Input content);
  /// Damages the file; it stays so until the next call.
  void damage(InputView patches);
  std::string const& path() const { return path_; }
  bool damaged() const { return damaged_; }

 private:
  std::string path_;
  Input content_, now_;
  std::vector<std::uint32_t> places_;
  bool damaged_ = false;
};

/// An input with one patch that changes a bit at the given share of the places.
Input one_bit(double share);

}  // namespace kaon::fuzz

#endif
