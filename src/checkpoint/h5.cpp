#include <kaon/checkpoint/h5.hpp>

#include <kaon/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kaon::h5 {

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = other.id_;
    closer_ = other.closer_;
    other.id_ = H5I_INVALID_HID;
  }
  return *this;
}

void Handle::reset() noexcept {
  if (id_ >= 0 && closer_) closer_(id_);
  id_ = H5I_INVALID_HID;
}

void Handle::close(std::string const& what) {
  hid_t const id = id_;
  id_ = H5I_INVALID_HID;
  if (id >= 0 && closer_(id) < 0) fail(Blame::system, "close " + what);
}

void quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle unlocked_access() {
  Handle access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, Blame::system, "make a property list");
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERSION_GE(1, 12, 0) && !H5_VERSION_GE(1, 12, 1))
  check(H5Pset_file_locking(access.get(), false, true), Blame::system, "turn off file locking");
#endif
  return access;
}

Handle open_readable(std::string const& path, std::string const& kind) {
  quiet();
  int const fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // a pipe would be waited for
  if (fd < 0) {
    std::string const text = "cannot open " + kind + " " + path + ": " + std::strerror(errno);
    if (errno == ENOENT) throw InputError(text);
    throw IoError(text);
  }
  struct stat there {};
  bool const pipe = ::fstat(fd, &there) == 0 && S_ISFIFO(there.st_mode);
  ::close(fd);
  if (pipe) throw InputError("cannot open " + kind + " " + path + ": it is a pipe, and HDF5 reads files that it can go back in");
  Handle const access = unlocked_access();
  return own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, Blame::content, "open " + path + " as HDF5");
}

std::string message() {
  std::string text;
  auto const visit = [](unsigned, H5E_error2_t const* e, void* out) -> herr_t {
    auto& t = *static_cast<std::string*>(out);
    if (t.empty() && e->desc) t = e->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, +visit, &text);
  H5Eclear2(H5E_DEFAULT);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "HDF5 gave no reason" : text;
}

void fail(Blame blame, std::string const& doing) {
  std::string const text = "cannot " + doing + ": " + message();
  if (blame == Blame::content) throw InputError(text);
  throw IoError(text);
}

hid_t file_type(ElementType t) {
  switch (t) {
    case ElementType::f32:
      return H5T_IEEE_F32LE;
    case ElementType::f64:
      return H5T_IEEE_F64LE;
    case ElementType::i64:
      return H5T_STD_I64LE;
    case ElementType::u64:
      return H5T_STD_U64LE;
  }
  throw std::invalid_argument("kaon: unknown element type");
}

hid_t memory_type(ElementType t) {
  switch (t) {
    case ElementType::f32:
      return H5T_NATIVE_FLOAT;
    case ElementType::f64:
      return H5T_NATIVE_DOUBLE;
    case ElementType::i64:
      return H5T_NATIVE_INT64;
    case ElementType::u64:
      return H5T_NATIVE_UINT64;
  }
  throw std::invalid_argument("kaon: unknown element type");
}

char const* name_of(ElementType t) {
  switch (t) {
    case ElementType::f32:
      return "float32";
    case ElementType::f64:
      return "float64";
    case ElementType::i64:
      return "int64";
    case ElementType::u64:
      return "uint64";
  }
  return "unknown";
}

Handle dataspace(std::vector<std::uint64_t> const& shape) {
  if (shape.empty()) return own(H5Screate(H5S_SCALAR), H5Sclose, Blame::system, "make a scalar dataspace");
  std::vector<hsize_t> const dims(shape.begin(), shape.end());
  return own(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose, Blame::system, "make a dataspace");
}

Handle string_type(std::size_t length) {
  Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose, Blame::system, "make a string type");
  check(H5Tset_size(type.get(), std::max<std::size_t>(1, length)), Blame::system, "size a string type");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), Blame::system, "pad a string type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), Blame::system, "set a string type's encoding");
  return type;
}

namespace {

void write_attribute(hid_t where, std::string const& name, hid_t file, hid_t memory, void const* value, std::string const& what) {
  std::string const doing = "write attribute '" + name + "' of " + what;
  Handle const space = dataspace({});
  Handle const a =
      own(H5Acreate2(where, name.c_str(), file, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose, Blame::system, doing);
  check(H5Awrite(a.get(), memory, value), Blame::system, doing);
}

Handle open_attribute(hid_t where, std::string const& name, H5T_class_t kind, std::string const& what) {
  std::string const doing = "read attribute '" + name + "' of " + what;
  Handle a = own(H5Aopen(where, name.c_str(), H5P_DEFAULT), H5Aclose, Blame::content, doing);
  Handle const type = own(H5Aget_type(a.get()), H5Tclose, Blame::content, doing);
  Handle const space = own(H5Aget_space(a.get()), H5Sclose, Blame::content, doing);
  if (H5Tget_class(type.get()) != kind || H5Sget_simple_extent_npoints(space.get()) != 1 ||
      (kind == H5T_STRING && H5Tis_variable_str(type.get()) != 0))
    throw InputError("cannot " + doing + ": it is not a single " + (kind == H5T_STRING ? "fixed-length string" : "integer"));
  return a;
}

std::string unpad(std::string text) {
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
  return text;
}

}  // namespace

void write_text(hid_t where, std::string const& name, std::string const& value, std::string const& what) {
  Handle const type = string_type(value.size());
  write_attribute(where, name, type.get(), type.get(), value.c_str(), what);
}

void write_number(hid_t where, std::string const& name, std::uint64_t value, std::string const& what) {
  write_attribute(where, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value, what);
}

std::string read_text(hid_t where, std::string const& name, std::string const& what) {
  Handle const a = open_attribute(where, name, H5T_STRING, what);
  Handle const type = own(H5Aget_type(a.get()), H5Tclose, Blame::content, "read attribute '" + name + "' of " + what);
  std::string text(H5Tget_size(type.get()), '\0');
  check(H5Aread(a.get(), type.get(), text.data()), Blame::content, "read attribute '" + name + "' of " + what);
  return unpad(std::move(text));
}

std::uint64_t read_number(hid_t where, std::string const& name, std::string const& what) {
  Handle const a = open_attribute(where, name, H5T_INTEGER, what);
  std::uint64_t value = 0;
  check(H5Aread(a.get(), H5T_NATIVE_UINT64, &value), Blame::content, "read attribute '" + name + "' of " + what);
  return value;
}

bool has_attribute(hid_t where, std::string const& name, std::string const& what) {
  return check(H5Aexists(where, name.c_str()), Blame::content, "read attribute '" + name + "' of " + what) > 0;
}

std::vector<std::string> attribute_names(hid_t where, std::string const& what) {
  std::vector<std::string> names;
  auto const visit = [](hid_t, char const* name, H5A_info_t const*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  hsize_t at = 0;
  check(H5Aiterate2(where, H5_INDEX_NAME, H5_ITER_INC, &at, +visit, &names), Blame::content, "list the attributes of " + what);
  return names;
}

std::uint64_t stored_bytes(hid_t set, std::vector<std::uint64_t> const& count, std::size_t size, std::string const& doing) {
  Handle const how = own(H5Dget_create_plist(set), H5Pclose, Blame::content, doing);
  if (H5Pget_layout(how.get()) != H5D_CONTIGUOUS || H5Pget_external_count(how.get()) != 0)
    throw InputError("cannot " + doing + ": its data are not in one piece of this file: not written by Kaon");
  std::uint64_t bytes = size;
  bool fits = true;
  for (auto const n : count) fits = fits && !__builtin_mul_overflow(bytes, n, &bytes);
  Handle const file = own(H5Iget_file_id(set), H5Fclose, Blame::content, doing);
  hsize_t whole = 0;
  check(H5Fget_filesize(file.get(), &whole), Blame::content, doing);
  auto const at = bytes == 0 ? 0 : H5Dget_offset(set);
  if (!fits || bytes != H5Dget_storage_size(set) || at > whole || bytes > whole - at)
    throw InputError("cannot " + doing + ": it is cut short");
  return bytes;
}

std::string read_text_dataset(hid_t file, std::string const& path, std::string const& what) {
  std::string const doing = "read dataset " + path + " of " + what;
  Handle const set = own(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, Blame::content, doing);
  Handle const type = own(H5Dget_type(set.get()), H5Tclose, Blame::content, doing);
  Handle const space = own(H5Dget_space(set.get()), H5Sclose, Blame::content, doing);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0 ||
      H5Sget_simple_extent_npoints(space.get()) != 1)
    throw InputError("cannot " + doing + ": it is not a single fixed-length string");
  std::string text(stored_bytes(set.get(), {}, H5Tget_size(type.get()), doing), '\0');
  check(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), Blame::content, doing);
  return unpad(std::move(text));
}

}  // namespace kaon::h5
