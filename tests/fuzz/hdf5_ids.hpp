#ifndef KAON_TESTS_FUZZ_HDF5_IDS_HPP
#define KAON_TESTS_FUZZ_HDF5_IDS_HPP

#include "target.hpp"

#include <hdf5.h>

namespace kaon::fuzz {

/// Identifiers of every kind that this process holds in HDF5: as many after a reader has gone as before it came.
inline hsize_t hdf5_ids() {
  hsize_t all = 0;
  for (auto const kind : {H5I_FILE, H5I_GROUP, H5I_DATATYPE, H5I_DATASPACE, H5I_DATASET, H5I_ATTR, H5I_GENPROP_LST}) {
    hsize_t some = 0;
    if (H5Inmembers(kind, &some) >= 0) all += some;
  }
  return all;
}

/// Checks that when it goes, also by an exception.
class NoIdLeft {
 public:
  NoIdLeft() : before_(hdf5_ids()) {}
  ~NoIdLeft() { demand(hdf5_ids() == before_, "a reader leaves an HDF5 object open"); }
  NoIdLeft(NoIdLeft const&) = delete;
  NoIdLeft& operator=(NoIdLeft const&) = delete;

 private:
  hsize_t before_;
};

}  // namespace kaon::fuzz

#endif
