#ifndef KAON_DATA_TOKENS_HPP
#define KAON_DATA_TOKENS_HPP

#include <kaon/data/block_plan.hpp>
#include <kaon/data/file.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// An immutable sequence of tokens below a vocabulary size: one or several files, read as one, or a sequence in memory.
class Tokens {
 public:
  /// Tokens in memory, all below `vocabulary`; `name` stands for the file in errors.
  Tokens(std::vector<std::uint16_t> tokens, int vocabulary, std::string const& name = "memory", BlockLimits const& limits = {});

  /// Opens files in the order given; a path with *, ? or [ is a pattern and stands for its matches in sorted order. Formats:
  /// "text": bytes of text, a token each (vocabulary 256); "bytes": the same, whatever they look like; "tokens": GPT-2 shards
  /// (256 int32 of header: 20240520, 1, count, then count uint16 tokens, little-endian); "auto": all files are shards, by their
  /// magic number or a name in .bin, or all are text. Reads headers and samples; that every token < vocabulary is checked by
  /// hash(), and by copy(). Throws InputError that names the file, what was expected and found, and the cure; UsageError for an
  /// unknown format.
  static Tokens load(std::vector<std::string> const& paths, std::string const& format, int vocabulary,
                     BlockLimits const& limits = {});

  std::int64_t size() const { return size_; }
  int files() const { return static_cast<int>(segments_.size()); }
  /// Index of the file that holds the token at `position` < size().
  int file_of(std::int64_t position) const;
  /// out[0…count) = the tokens from `first` on; the range must lie inside the sequence. Throws InputError for a token that is not
  /// below the vocabulary, and as DataFile::read.
  void copy(std::int64_t first, std::int64_t count, std::int32_t* out) const;

  /// The blocks of the sequence that stand for it: all of them up to limits.most.
  std::vector<std::int64_t> const& blocks() const { return blocks_; }
  std::int64_t tokens_in_a_block() const { return limits_.tokens; }
  /// Of how many blocks blocks() are.
  std::int64_t blocks_in_all() const { return (size_ + limits_.tokens - 1) / limits_.tokens; }
  /// out[i] = XXH3-64 of blocks()[first + i]'s tokens as uint16. Throws as copy() does.
  void hash(std::int64_t first, std::int64_t count, std::uint64_t* out) const;
  /// From the hashes of blocks(): of the number of tokens and their values in order; the cut into files and the format matter for
  /// texts longer than limits.most blocks alone.
  std::uint64_t combine(std::vector<std::uint64_t> const& hashes) const;
  std::uint64_t fingerprint() const;
  /// FNV-1a over whole tokens, as checkpoints of format version 1 have it. Reads everything.
  std::uint64_t older_fingerprint() const;

  /// Names of the files as given; absolute paths of the first and the number of the others; devices and inodes.
  std::string const& name(int file) const { return segments_[static_cast<std::size_t>(file)].name; }
  std::string where() const;
  std::string copy_of() const;
  /// See DataFile.
  std::string changed() const;
  void look_again();
  /// Two files, of this and of the other, that are one, or hold the same tokens; empty: none.
  std::pair<std::string, std::string> common_file(Tokens const& other) const;
  /// Files that are named twice, under whatever name; empty: none.
  std::pair<std::string, std::string> repeated_file() const;

 private:
  struct Segment {
    std::string name;
    std::vector<DataFile> file;  // one, or none for tokens in memory
    std::vector<std::uint16_t> memory;
    std::int64_t skip = 0;  // bytes before the first token
    int width = 1;          // bytes a token
    std::int64_t begin = 0;
    std::int64_t count = 0;
  };
  Tokens() = default;
  void append(Segment segment);
  void finish(int vocabulary, BlockLimits const& limits);
  void read(Segment const& segment, std::int64_t begin, std::int64_t count, void* out) const;
  void widen(std::int64_t first, std::int64_t count, std::uint16_t* out) const;
  bool same_tokens(Segment const& a, Segment const& b) const;
  [[noreturn]] void refuse(std::int64_t position, int token) const;

  std::vector<Segment> segments_;
  std::int64_t size_ = 0;
  int vocabulary_ = 0;
  BlockLimits limits_;
  std::vector<std::int64_t> blocks_;
};

}  // namespace kaon

#endif
