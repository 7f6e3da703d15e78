#ifndef KAON_APPS_CKPT_RESIZE_PLAN_HPP
#define KAON_APPS_CKPT_RESIZE_PLAN_HPP

#include <kaon/checkpoint/reader.hpp>
#include <kaon/deck/deck.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon::ckpt {

/// What becomes of a field when the number of workers changes.
enum class Way {
  kept,       ///< same bytes
  weighted,   ///< per worker: weights of overlap, the mean is kept
  mean,       ///< the server's G: mean of the new G_j
  copied,     ///< per worker: of the closest old worker
  new_epoch,  ///< data cursors: every worker at the beginning of an epoch that none has begun
};

/// Says for each field of a checkpoint what becomes of it with `workers` workers, and makes the new fields. The file must outlive
/// the plan.
class ResizePlan {
 public:
  /// Throws InputError naming a field whose meaning for another number of workers is not known.
  ResizePlan(CheckpointFile const& file, Deck const& deck, std::uint64_t workers);

  /// The largest ‖G − mean G_j‖ / max ‖G_j‖ over the layers of the old state. Throws InputError where a restart would.
  double distance_from_mean() const;
  /// The new state; get() reads the old one from the file.
  Registry const& registry() const { return registry_; }
  /// Lines for the user: what was done to what.
  std::string report(double distance) const;

 private:
  Way way_of(FieldShape const& f) const;
  FieldShape const& estimates_of(FieldShape const& server_G) const;
  std::vector<unsigned char> made(FieldShape const& from, Way way) const;
  std::int64_t next_epoch() const;

  CheckpointFile const& file_;
  Deck const& deck_;
  std::uint64_t before_, now_;
  std::vector<Way> ways_;  ///< of each field of the file
  Registry registry_;
};

}  // namespace kaon::ckpt

#endif
