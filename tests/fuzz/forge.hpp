// HDF5 files that are sound as HDF5 and hold what no writer of Kaon's would: what they hold is read from an input.
#ifndef KAON_TESTS_FUZZ_FORGE_HPP
#define KAON_TESTS_FUZZ_FORGE_HPP

#include "choices.hpp"

#include <hdf5.h>

#include <string>
#include <vector>

namespace kaon::fuzz {

/// Closes an HDF5 identifier; an invalid one means that HDF5 refused, and the input goes on without that object.
class Id {
 public:
  Id(hid_t id, herr_t (*closer)(hid_t)) : id_(id), closer_(closer) {}
  ~Id() {
    if (id_ >= 0) closer_(id_);
  }
  Id(Id const&) = delete;
  Id& operator=(Id const&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*closer_)(hid_t);
};

/// An empty HDF5 file, replaced at every call.
hid_t new_file(std::string const& path);

struct Forged {
  std::vector<hsize_t> shape;
  hid_t type = H5I_INVALID_HID;  ///< one of HDF5's own
};

/// A dataset of the shape and type that an honest writer would give it, with small whole numbers in it; or, seldom, of another
/// shape (up to extents whose product overflows), type, layout (chunked and compressed, compact, in another file, never written)
/// or content, as the choices say.
void forge_dataset(hid_t file, std::string const& path, Forged const& honest, Choices& choices);

/// A scalar attribute or, with `dataset`, a scalar dataset of a fixed-length string; seldom of another kind or missing.
void forge_text(hid_t where, std::string const& name, std::string const& honest, bool dataset, Choices& choices);
void forge_number(hid_t where, std::string const& name, std::uint64_t honest, Choices& choices);

/// Seldom: a link that closes a circle, leads nowhere or into another file, or an object of another kind.
void forge_link(hid_t file, std::string const& name, Choices& choices);

}  // namespace kaon::fuzz

#endif
