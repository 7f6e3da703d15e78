#ifndef KAON_DATA_BATCHES_HPP
#define KAON_DATA_BATCHES_HPP

#include <kaon/core/types.hpp>
#include <kaon/data/sequence_set.hpp>
#include <kaon/data/settings.hpp>
#include <kaon/data/tokens.hpp>
#include <kaon/state/contents.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

struct BatchShape {
  int workers = 1;
  int batch = 1;    ///< sequences in one micro-batch
  int context = 1;  ///< tokens in one sequence
  int vocabulary = 256;
  int micro_batches = 1;  ///< of a worker's batch
};

/// Deals batches of token sequences to workers, micro-batch by micro-batch. The text is cut into sequences of context + 1 tokens
/// that share no token (the targets are the inputs moved on by one), so training and validation never overlap and neither do the
/// workers' shares.
///
/// `contiguous`: worker j of n has the sequences [j·N/n, (j+1)·N/n) of the N for training; `interleaved`: j, j+n, j+2n, ….
/// A share of c sequences makes an epoch of c draws. `sequential`: the i-th draw of every epoch is sequence i. `random`: it is
/// sequence ⌊c·u/2^32⌋ with u the i-th 32-bit word of the stream (seed, batch, step = epoch, layer 0, worker j): with
/// replacement, a function of the cursor alone.
///
/// Validation: with U the number of validation sequences in whole batches, capped by the settings, and N that of all held-out
/// sequences (of a validation file: all its sequences), the i-th of the U is held-out sequence ⌊i·N/U⌋.
class Batches final : public Contents {
 public:
  using Exec = Kokkos::DefaultExecutionSpace;
  using TokenVector = ConstVector<std::int32_t, Exec>;
  /// What a worker draws next: {index of the file it starts in, draws taken in this epoch, epoch}. The whole state.
  using Cursor = std::array<std::int64_t, 3>;

  /// Loads the files. Throws InputError for bad files and when the text is too short for the shape, UsageError for bad settings.
  Batches(DataSettings const& settings, BatchShape const& shape, std::uint64_t seed);
  /// The same from tokens at hand; the settings' file names and format are not used.
  Batches(Tokens train, std::optional<Tokens> validation, DataSettings const& settings, BatchShape const& shape,
          std::uint64_t seed);

  /// Puts micro-batch `micro` of worker's batch at `step` into inputs() and targets(), ordered (sequence, position). The first
  /// micro-batch that is asked for of a step moves the worker's cursor on by the whole batch; the others, or the same again, do
  /// not, so that every rank that computes some of them has the same cursor. Steps of a worker ascend.
  /// On a GPU it waits for earlier work on `exec`, which may still be reading the host buffer.
  void fill(Exec const& exec, int worker, std::uint64_t step, int micro = 0);
  /// Puts validation batch `piece` < validation_pieces() there, of the size of a micro-batch. No state changes.
  void fill_validation(Exec const& exec, int piece);
  TokenVector const& inputs() const { return inputs_; }
  TokenVector const& targets() const { return targets_; }

  BatchShape const& shape() const { return shape_; }
  int validation_pieces() const { return pieces_; }

  /// The training and validation tokens, as what an objective reads: their fingerprint is that of the training tokens, or of
  /// both.
  std::string kind() const override { return "training and validation files"; }
  std::string where() const override;
  std::string copy() const override;
  std::int64_t blocks() const override;
  void hash(std::int64_t first, std::int64_t count, std::uint64_t* out) const override;
  std::uint64_t combine(std::vector<std::uint64_t> const& hashes) const override;
  std::string place(std::int64_t block) const override;
  std::optional<std::uint64_t> older() const override;
  std::string changed() const override;
  void look_again() override;
  std::string describe() const override;
  std::vector<std::string> warnings() const override { return warnings_; }

  Cursor cursor(int worker) const;
  /// Continues at `cursor`; its file index follows from the rest and is not read. Throws InputError when it does not fit the
  /// data.
  void set_cursor(int worker, Cursor const& cursor);

  /// Number of worker's sequences, and the text position where its draw (epoch, draw) or a validation sequence starts.
  std::int64_t share(int worker) const;
  std::int64_t start_of(int worker, std::int64_t epoch, std::int64_t draw) const;
  std::int64_t validation_start(std::int64_t sequence) const;
  /// One line: what is dealt to whom.
  std::string summary() const;

 private:
  void put(Tokens const& text, std::int64_t start, int row);
  void wait_for_buffer(Exec const& exec) const;
  void send(Exec const& exec) const;
  void look_for_leaks(DataSettings const& settings);

  using Buffer = Matrix<std::int32_t, Exec>;
  Tokens train_;
  std::optional<Tokens> validation_;
  std::vector<std::string> warnings_;
  HeldOut sequences_;
  BatchShape shape_;
  std::uint64_t seed_;
  bool contiguous_;
  bool random_;
  int pieces_ = 0;
  struct Place {
    std::int64_t draw = 0, epoch = 0;  // draws taken in this epoch
  };
  Place advanced(int worker, Place from, std::int64_t sequences) const;
  struct Dealt {
    Place begin;  // of the batch at `step`
    std::uint64_t step = 0;
    bool any = false;
  };
  std::vector<Place> cursors_;          // per worker: what the next step draws first
  std::vector<Dealt> dealt_;            // per worker: the batch of the step that was asked for last
  std::vector<std::int32_t> sequence_;  // one sequence with its last target
  Buffer device_;                       // row 0 inputs, row 1 targets
  decltype(Kokkos::create_mirror_view(Buffer())) host_;
  TokenVector inputs_;
  TokenVector targets_;
};

}  // namespace kaon

#endif
