#ifndef KAON_APPS_CKPT_RESIZE_PLAN_HPP
#define KAON_APPS_CKPT_RESIZE_PLAN_HPP

#include <kaon/checkpoint/reader.hpp>
#include <kaon/deck/deck.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kaon::ckpt {

/// Says for each field of a checkpoint what becomes of it with `workers` workers, as the file has it (before version 3: as the
/// path tells), and makes the new fields, under the paths of the version that is written. The file must outlive the plan.
class ResizePlan {
 public:
  /// Throws InputError naming a field whose meaning for another number of workers is not known.
  ResizePlan(CheckpointFile const& file, Deck const& deck, std::uint64_t workers);
  ResizePlan(ResizePlan const&) = delete;
  ResizePlan& operator=(ResizePlan const&) = delete;

  /// Of the fields that are means: the largest ‖field − mean‖ / max ‖of one worker‖ in the old state. Throws InputError where a
  /// restart would.
  double distance_from_mean() const;
  /// The new state; get() reads the old one from the file.
  Registry const& registry() const { return registry_; }
  /// Lines for the user: what was done to what.
  std::string report(double distance) const;

 private:
  /// A field as it is written, beside the one that it comes from.
  struct Item {
    FieldShape const* from = nullptr;
    FieldShape as;  ///< path, rule and `of` of today, shape of before
    Resize rule = Resize::refused;
  };
  Item item(FieldShape const& f) const;
  Item const* find(std::string const& path) const;
  std::vector<unsigned char> made(Item const& item) const;
  std::int64_t next_epoch(Item const& cursor) const;
  std::string folders(Resize rule) const;

  CheckpointFile const& file_;
  Deck const& deck_;
  std::uint64_t before_, now_;
  std::vector<Item> items_;  ///< of each field of the file
  Registry registry_;
};

}  // namespace kaon::ckpt

#endif
