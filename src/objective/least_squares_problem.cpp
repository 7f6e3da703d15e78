#include <kaon/objective/least_squares_problem.hpp>

#include <kaon/core/error.hpp>
#include <kaon/data/content_hash.hpp>
#include <kaon/files/part.hpp>
#include <kaon/objective/problem_access.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace kaon {
namespace {

class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t)) : id_(id), closer_(closer) {}
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  bool valid() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  herr_t (*closer_)(hid_t);
};

using Shape = std::vector<hsize_t>;

std::string text(Shape const& s) { return fmt::format("{}", fmt::join(s, "×")); }

/// Fails with errno's text before HDF5 meets the file.
void probe(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // a pipe would be waited for
  if (fd < 0) {
    std::string const why = fmt::format("cannot open problem file {}: {}", path, std::strerror(errno));
    if (errno == ENOENT) throw InputError(why);
    throw IoError(why);
  }
  struct stat there {};
  bool const pipe = ::fstat(fd, &there) == 0 && S_ISFIFO(there.st_mode);
  ::close(fd);
  if (pipe) throw InputError(fmt::format("problem file {} is a pipe, and HDF5 reads files that it can go back in", path));
}

/// What was never written reads as zeros, and a size that is only claimed would be asked of the memory.
void require_stored(hid_t set, std::size_t bytes, std::string const& what) {
  Handle const how(H5Dget_create_plist(set), H5Pclose);
  auto const layout = H5Pget_layout(how.get());
  if (layout == H5D_VIRTUAL || H5Pget_external_count(how.get()) != 0)
    throw InputError(what + " lies in another file; copy the numbers into this one");
  H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
  // Chunks that a filter packed count as partly allocated.
  if (H5Dget_space_status(set, &status) < 0 || status == H5D_SPACE_STATUS_NOT_ALLOCATED ||
      (layout != H5D_CHUNKED && status != H5D_SPACE_STATUS_ALLOCATED))
    throw InputError(what + " was never written, or not all of it");
  Handle const file(H5Iget_file_id(set), H5Fclose);
  hsize_t whole = 0;
  if (H5Fget_filesize(file.get(), &whole) < 0) throw InputError(what + " cannot be read");
  auto const at = layout == H5D_CONTIGUOUS ? H5Dget_offset(set) : 0;
  constexpr std::size_t deflated = 1032;  // no filter in use packs tighter
  auto const most = layout == H5D_CHUNKED ? deflated * whole : whole - std::min<hsize_t>(at, whole);
  if (bytes > most || (layout != H5D_CHUNKED && H5Dget_storage_size(set) < bytes)) throw InputError(what + " is cut short");
}

std::vector<double> read(hid_t file, std::string const& path, char const* name, std::size_t dimensions, Shape& shape) {
  std::string const what = fmt::format("problem file {}: dataset {}", path, name);
  Handle const set(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose);
  if (!set.valid()) throw InputError(what + " is missing");
  Handle const type(H5Dget_type(set.get()), H5Tclose);
  if (H5Tequal(type.get(), H5T_IEEE_F64LE) <= 0 && H5Tequal(type.get(), H5T_IEEE_F64BE) <= 0)
    throw InputError(what + " is not float64");
  Handle const space(H5Dget_space(set.get()), H5Sclose);
  int const rank = H5Sget_simple_extent_ndims(space.get());
  if (rank != static_cast<int>(dimensions)) throw InputError(fmt::format("{} has {} dimensions, not {}", what, rank, dimensions));
  shape.resize(dimensions);
  H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
  std::size_t bytes = sizeof(double);
  bool fits = true;
  for (auto s : shape) fits = fits && !__builtin_mul_overflow(bytes, s, &bytes);
  if (!fits) throw InputError(fmt::format("{} is too large ({})", what, text(shape)));
  if (bytes == 0) throw InputError(fmt::format("{} is empty ({})", what, text(shape)));
  require_stored(set.get(), bytes, what);
  std::size_t const size = bytes / sizeof(double);
  std::vector<double> data(size);
  if (H5Dread(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0)
    throw InputError(what + " cannot be read");
  for (std::size_t i = 0; i < size; ++i)
    if (!std::isfinite(data[i])) throw InputError(fmt::format("{} holds {} at element {}", what, data[i], i));
  return data;
}

void write(hid_t file, std::string const& path, char const* name, Shape const& shape, std::vector<double> const& data) {
  Handle const space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
  Handle const set(H5Dcreate2(file, name, H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  if (!set.valid() || H5Dwrite(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()) < 0)
    throw IoError(fmt::format("cannot write dataset {} of problem file {}", name, path));
}

}  // namespace

LeastSquaresProblem read_problem(std::string const& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  probe(path);
  Handle const access(careful_access(), H5Pclose);
  if (!access.valid()) throw IoError("cannot read problem file " + path + ": HDF5 gives no access");
  Handle const file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.valid()) throw InputError("problem file " + path + " is not a sound HDF5 file");
  LeastSquaresProblem p;
  Shape a, b, x;
  p.A = read(file.get(), path, "/A", 3, a);
  p.B = read(file.get(), path, "/B", 3, b);
  p.X0 = read(file.get(), path, "/X0", 2, x);
  if (b[0] != a[0] || b[1] != a[1])
    throw InputError(
        fmt::format("problem file {}: /A (n×r×m) is {} and /B (n×r×c) is {}: n and r must agree", path, text(a), text(b)));
  if (x[0] != a[2] || x[1] != b[2])
    throw InputError(fmt::format("problem file {}: /X0 is {}, /A and /B make it {}×{}", path, text(x), a[2], b[2]));
  p.workers = a[0];
  p.samples = a[1];
  p.rows = a[2];
  p.cols = b[2];
  return p;
}

std::uint64_t fingerprint_of(LeastSquaresProblem const& p) {
  std::vector<std::uint64_t> words{p.workers, p.samples, p.rows, p.cols};
  for (auto const* numbers : {&p.A, &p.B, &p.X0})
    words.push_back(content_hash(numbers->data(), numbers->size() * sizeof(double)));
  return content_hash(words);
}

void write_problem(std::string const& path, LeastSquaresProblem const& p) {
  require(p.A.size() == p.workers * p.samples * p.rows && p.B.size() == p.workers * p.samples * p.cols &&
              p.X0.size() == p.rows * p.cols,
          "write_problem: sizes do not fit");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  files::Part part(path);
  // The 1.10 format guards its own metadata by checksums; a damaged file of an older one can crash the library.
  Handle const access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110) < 0)
    throw IoError("cannot write problem file " + path);
  hid_t const id = H5Fcreate(part.name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
  if (id < 0) throw IoError("cannot write problem file " + path);
  {
    Handle const file(id, H5Fclose);
    write(id, path, "/A", {p.workers, p.samples, p.rows}, p.A);
    write(id, path, "/B", {p.workers, p.samples, p.cols}, p.B);
    write(id, path, "/X0", {p.rows, p.cols}, p.X0);
    if (H5Fflush(id, H5F_SCOPE_LOCAL) < 0) throw IoError("cannot write problem file " + path);
  }
  part.commit();
}

}  // namespace kaon
