#ifndef KAON_STATE_CONTENTS_HPP
#define KAON_STATE_CONTENTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

/// What an objective reads from files and is part of its problem: the ranks must have read the same, and a restart must find it
/// again. Cut into blocks, each of which any process that opened the same copy can hash, so that the ranks of a host share the
/// work and the fingerprint does not depend on how.
class Contents {
 public:
  virtual ~Contents() = default;

  /// For messages: "problem file".
  virtual std::string kind() const = 0;
  /// For messages: where this process found it, as absolute paths.
  virtual std::string where() const = 0;
  /// Equal in two processes of one host exactly when they opened the same files (devices and inodes, say), not copies of them.
  virtual std::string copy() const = 0;
  /// How many blocks stand for the contents; 0 where combine() knows all by itself.
  virtual std::int64_t blocks() const = 0;
  /// out[i] = hash of block first + i, read anew. Throws InputError or IoError naming the file.
  virtual void hash(std::int64_t first, std::int64_t count, std::uint64_t* out) const = 0;
  /// The fingerprint, from the hashes of all blocks in order.
  virtual std::uint64_t combine(std::vector<std::uint64_t> const& hashes) const = 0;
  /// For messages: what block `block` is of.
  virtual std::string place(std::int64_t /*block*/) const { return {}; }
  /// The fingerprint of earlier versions, where there was one; reads everything, alone.
  virtual std::optional<std::uint64_t> older() const { return std::nullopt; }
  /// Which file is no longer as it was when it was opened or looked at last; empty: none. Cheap: asks for sizes and times.
  virtual std::string changed() const { return {}; }
  /// Takes sizes and times as they are now.
  virtual void look_again() {}
  /// For the log: what was read, and how much of it stands for the rest.
  virtual std::string describe() const { return {}; }
  /// What the user may not have meant.
  virtual std::vector<std::string> warnings() const { return {}; }

  /// Hashes everything alone, unless the result is known.
  std::uint64_t fingerprint() const {
    if (!fingerprint_) {
      std::vector<std::uint64_t> hashes(static_cast<std::size_t>(blocks()));
      hash(0, blocks(), hashes.data());
      fingerprint_ = combine(hashes);
    }
    return *fingerprint_;
  }
  std::optional<std::uint64_t> older_fingerprint() const {
    if (!older_) older_ = older();
    return *older_;
  }
  /// Takes what ranks found together.
  void settle(std::uint64_t fingerprint) { fingerprint_ = fingerprint; }
  void settle_older(std::optional<std::uint64_t> fingerprint) { older_ = fingerprint; }

  /// What a restart could not check, or checked the old way: a line for the log; empty: all is well.
  std::string const& note() const { return note_; }
  void take_note(std::string const& text) { note_ = text; }

 private:
  mutable std::optional<std::uint64_t> fingerprint_;
  mutable std::optional<std::optional<std::uint64_t>> older_;
  std::string note_;
};

}  // namespace kaon

#endif
