#ifndef KAON_OBJECTIVE_PROBLEM_ACCESS_HPP
#define KAON_OBJECTIVE_PROBLEM_ACCESS_HPP

#include <hdf5.h>

namespace kaon {

/// A file access property list for reading files that other programs wrote, to be closed by H5Pclose; negative when HDF5 refuses.
/// Its driver does what HDF5's POSIX driver does, read-only, with two differences for damaged metadata without checksums, as the
/// oldest file format has them: it asks for no metadata accumulator, which HDF5 1.10 then makes copy from outside its buffer
/// (H5F__accum_read), and it refuses local heaps longer than the file, whose length HDF5 1.10 adds to others unseen. Both
/// ended the program by a signal.
hid_t careful_access();

}  // namespace kaon

#endif
