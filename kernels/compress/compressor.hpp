#ifndef KAON_COMPRESS_COMPRESSOR_HPP
#define KAON_COMPRESS_COMPRESSOR_HPP

#include <kaon/core/error.hpp>
#include <kaon/core/types.hpp>
#include <kaon/random/stream.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kaon {

/// A map C with E‖C(x) − x‖² ≤ (1 − α)‖x‖², and the bytes that carry C(x) (method.md §3). Made once for a (spec, shape), owns its
/// workspaces, serves every layer and worker of that shape, one call at a time. Payloads are little-endian, start 8-byte
/// aligned and are a multiple of 8 bytes long with zero padding; each implementation documents its layout.
///
/// A NaN or an infinity in x never breaks memory safety; unless said otherwise it reaches the decoded values as NaN or infinity.
template <class T, class Exec>
class Compressor {
 public:
  virtual ~Compressor() = default;
  Compressor(Compressor const&) = delete;
  Compressor& operator=(Compressor const&) = delete;

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  std::int64_t entries() const { return static_cast<std::int64_t>(rows_) * cols_; }

  /// Canonical form in the grammar, every default spelt out: make_compressor(spec(), …) makes the same compressor.
  virtual std::string spec() const = 0;
  /// True if the message is the value itself and the receiver assigns instead of adding (exact: no differences are rounded).
  virtual bool replaces() const { return false; }
  /// Largest payload in bytes for this shape; a multiple of 8.
  virtual std::size_t bytes_bound() const = 0;
  /// Euclidean α that holds for every finite input of normal magnitude (in expectation if is_random()); 0 where none does.
  virtual double guaranteed_alpha() const = 0;
  virtual bool is_random() const { return false; }
  /// Shape of the state that outlives a step and belongs in checkpoints; {0, 0} for none.
  virtual std::pair<int, int> state_shape() const { return {0, 0}; }
  /// state (state_shape()) ← its value before the first step.
  virtual void initialize_state(Exec const&, Out<Matrix<T, Exec>> const& state, [[maybe_unused]] StreamKey const& key) {
    require(state.size() == 0, "compressor without a state given one");
  }
  /// payload ← C(x), length() ← its bytes, state ← the next state. x (contiguous) is not modified; payload is 8-byte aligned and
  /// holds bytes_bound(). Asynchronous on `exec`; no allocation, no fence. `key` is unused unless random numbers are drawn.
  virtual void compress(Exec const& exec, Out<Bytes<Exec>> const& payload, Out<Scalar<std::uint64_t, Exec>> const& length,
                        In<ConstMatrix<T, Exec>> const& x, Out<Matrix<T, Exec>> const& state, StreamKey const& key) = 0;
  /// y ← y + C(x), or y ← C(x) where replaces(). Deterministic for what compress() wrote; safe for arbitrary bytes: reads nothing
  /// beyond `length`, writes nothing outside y. Throws InputError if not plausible(length).
  virtual void decompress_add(Exec const& exec, Out<Matrix<T, Exec>> const& y, In<ConstBytes<Exec>> const& payload,
                              std::size_t length) = 0;
  /// Whether a payload of this shape can have this length: check before anything received is decoded.
  virtual bool plausible(std::size_t length) const { return length == bytes_bound(); }
  /// True if every payload takes bytes_bound() bytes, whatever x, state and key. A payload of another kind tells its own length:
  /// decompress_add takes it with any bytes behind it, as long as the whole is plausible(). No default: a wrong one would be
  /// believed by whoever cuts a payload.
  virtual bool fixed_length() const = 0;

 protected:
  /// Throws std::invalid_argument unless 1 ≤ rows, cols and rows·cols < 2³¹.
  Compressor(int rows, int cols) : rows_(rows), cols_(cols) {
    require(rows > 0 && cols > 0 && entries() < (std::int64_t{1} << 31), "compressor: needs 1 <= rows * cols < 2^31");
  }
  void check_compress(Bytes<Exec> const& payload, ConstMatrix<T, Exec> const& x) const {
    check_shape(x);
    require(payload.extent(0) >= bytes_bound(), "compressor: payload buffer below bytes_bound()");
    require(reinterpret_cast<std::uintptr_t>(payload.data()) % 8 == 0, "compressor: payload not 8-byte aligned");
  }
  void check_decompress(ConstMatrix<T, Exec> const& y, ConstBytes<Exec> const& payload, std::size_t length) const {
    check_shape(y);
    require(payload.extent(0) >= length, "compressor: payload buffer below its length");
    require(reinterpret_cast<std::uintptr_t>(payload.data()) % 8 == 0, "compressor: payload not 8-byte aligned");
    if (!plausible(length))
      throw InputError("a payload of " + std::to_string(length) + " bytes cannot be " + spec() + " of a " +
                       std::to_string(rows_) + " x " + std::to_string(cols_) + " matrix");
  }

 private:
  void check_shape(ConstMatrix<T, Exec> const& x) const {
    require(x.extent(0) == static_cast<std::size_t>(rows_) && x.extent(1) == static_cast<std::size_t>(cols_),
            "compressor made for another shape");
    require(x.span_is_contiguous(), "compressor: matrix not contiguous");
  }
  int rows_, cols_;
};

/// The compressor that `spec` names for rows×cols matrices. Throws UsageError, with the grammar, on a bad spec.
template <class T, class Exec>
std::unique_ptr<Compressor<T, Exec>> make_compressor(std::string const& spec, int rows, int cols);

/// The grammar of specs, one line for each form, for help texts and messages.
std::vector<std::string> compressor_grammar();

/// A compressor as an encoder of plain values inside another one: spec() and bytes of one of fixed length.
template <class T, class Exec>
using ValueCoder = std::unique_ptr<Compressor<T, Exec>>;

}  // namespace kaon

#endif
