#ifndef KAON_DATA_TOKENS_HPP
#define KAON_DATA_TOKENS_HPP

#include <kaon/data/mapped_file.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// An immutable sequence of tokens below a vocabulary size: one or several files, mapped, read as one, or a sequence in memory.
class Tokens {
 public:
  /// Tokens in memory, all below `vocabulary`; `name` stands for the file in errors.
  Tokens(std::vector<std::uint16_t> tokens, int vocabulary, std::string const& name = "memory");

  /// Opens files in the order given; a path with *, ? or [ is a pattern and stands for its matches in sorted order. Formats:
  /// "text": raw bytes, a token each (vocabulary 256); "tokens": GPT-2 shards (256 int32 of header: 20240520, 1, count, then
  /// count uint16 tokens, little-endian); "auto": each file with the shards' magic number or a name in .bin is one, others are
  /// text. Reads everything once to check that every token < vocabulary.
  /// Throws InputError that names the file, what was expected and found, and the cure; UsageError for an unknown format.
  static Tokens load(std::vector<std::string> const& paths, std::string const& format, int vocabulary);

  std::int64_t size() const { return size_; }
  int files() const { return static_cast<int>(segments_.size()); }
  /// Index of the file that holds the token at `position` < size().
  int file_of(std::int64_t position) const;
  /// out[0…count) = the tokens from `first` on; the range must lie inside the sequence.
  void copy(std::int64_t first, std::int64_t count, std::int32_t* out) const;
  /// Hash of the number of tokens and of their values in order; the cut into files and the format do not matter.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  struct Segment {
    std::string name;
    std::vector<MappedFile> file;  // one, or none for tokens in memory
    std::vector<std::uint16_t> memory;
    unsigned char const* bytes = nullptr;  // first token
    int width = 1;                         // bytes a token
    std::int64_t begin = 0;
    std::int64_t count = 0;
  };
  Tokens() = default;
  void append(Segment segment);
  void check_and_hash(int vocabulary);

  std::vector<Segment> segments_;
  std::int64_t size_ = 0;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace kaon

#endif
