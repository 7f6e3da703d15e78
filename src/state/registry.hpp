#ifndef KAON_STATE_REGISTRY_HPP
#define KAON_STATE_REGISTRY_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kaon {

enum class ElementType : std::uint8_t { f32, f64, i64, u64 };

inline std::size_t size_of(ElementType t) { return t == ElementType::f32 ? 4 : 8; }

/// A box inside a field: `count` elements from `offset` on, per dimension. All counts zero: nothing.
struct Part {
  std::vector<std::uint64_t> offset;
  std::vector<std::uint64_t> count;
  std::uint64_t elements() const {
    std::uint64_t n = count.empty() ? 0 : 1;
    for (auto c : count) n *= c;
    return n;
  }
};

/// What becomes of a field when kaon-ckpt changes the number of workers. Files say it of each of their fields.
enum class Resize : std::uint8_t {
  refused,    ///< nobody can say: such a state is not resized
  kept,       ///< the same bytes
  weighted,   ///< floats, leading index the worker: weighted by overlap of the unit interval, so that the mean is kept
  copied,     ///< leading index the worker: that of the closest old worker
  same,       ///< leading index the worker: all workers' alike, or the state is not resized (in a round of local steps)
  mean_of,    ///< floats: the mean, in worker order, of the field `of`, whose leading index is the worker
  new_epoch,  ///< i64, workers×3 (place, draws, epoch): every worker begins an epoch that none has begun
};

/// A dataset that files of earlier programs have beside a field, and that is not kept any more because the field says the same. A
/// file in which it does not is refused. Files of format versions before 3 have it; those of version 3 have it or not.
struct Companion {
  enum class Says : std::uint8_t {
    same,     ///< the same bits, in the field's shape but for leading ones
    mean,     ///< the mean of the field over its leading index, within the rounding that a restart allows
    nothing,  ///< nothing that is read any more
  };
  std::string path = {};  ///< in files of version 3
  std::string was = {};   ///< in files before it; empty: the same
  std::string why = {};   ///< for messages: "a layer whose downlink is the identity has W for X"
  Says says = Says::same;
  std::string of = {}, of_was = {};  ///< the dataset that it is compared with, as path and was; empty: the field
};

/// One array of the state that outlives a step. A field is global; each rank says which part it writes (the parts of all
/// ranks cover the field exactly once, cut along the leading dimension only) and which part it needs when the state is read.
struct Field {
  std::string path;  ///< absolute, e.g. "/ef21-muon/server/X/h0.attn.q"
  ElementType type = ElementType::f32;
  std::vector<std::uint64_t> shape;      ///< global
  Part written;                          ///< what this rank writes
  Part needed;                           ///< what this rank reads (may overlap other ranks')
  std::function<void(void*)> get;        ///< copies this rank's written part, row-major, into host memory
  std::function<void(void const*)> set;  ///< takes this rank's needed part, row-major, from host memory
  /// Optional: leading indices [first, first + count) of the written part, counted from its beginning, as get() gives them.
  std::function<void(std::uint64_t first, std::uint64_t count, void*)> get_rows = {};
  /// Optional: a file without this field is taken all the same, and this is called in the place of set.
  std::function<void()> absent = {};
  /// Optional, collective: called on every rank, in the registry's order, when all ranks have set what they need.
  std::function<void()> settle = {};
  Resize resize = Resize::refused;
  std::string of = {};   ///< of mean_of: the path of the field that it is the mean of
  std::string was = {};  ///< its path in files of format versions before 3; empty: the same
  std::vector<Companion> companions = {};

  /// Leading indices of the written part that are better got at once: of a field of workers' layers one layer, so that copying
  /// the state takes the memory of one.
  std::uint64_t rows_at_once() const { return get_rows && shape.size() >= 3 ? 1 : written.count[0]; }
  /// Calls work(first, count, bytes) for piece after piece of the written part; `buffer` is made large enough and holds the
  /// piece.
  template <class Buffer, class Work>
  void by_pieces(Buffer& buffer, Work&& work) const {
    if (written.elements() == 0) return;
    std::uint64_t const rows = written.count[0], step = rows_at_once(), row = written.elements() / rows * size_of(type);
    for (std::uint64_t first = 0; first < rows; first += step) {
      buffer.resize(step * row);
      if (step < rows)
        get_rows(first, step, buffer.data());
      else
        get(buffer.data());
      work(first, step, step * row);
    }
  }
};

/// The whole state: every rank registers the same fields in the same order. Writing, reading, comparing and hashing all walk
/// this one list, so no field can be in one and missing in another.
using Registry = std::vector<Field>;

}  // namespace kaon

#endif
