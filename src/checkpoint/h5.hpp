#ifndef KAON_CHECKPOINT_H5_HPP
#define KAON_CHECKPOINT_H5_HPP

#include <kaon/state/registry.hpp>

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

/// RAII handles and checked calls for HDF5. HDF5's own printing is off: its message travels in the exception.
namespace kaon::h5 {

/// What failed when HDF5 says no: the content (InputError) or the file system (IoError).
enum class Blame { content, system };

/// Owns one HDF5 identifier. A failed close is passed over here; close() reports it.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Handle(Handle&& other) noexcept : id_(other.id_), closer_(other.closer_) { other.id_ = H5I_INVALID_HID; }
  Handle& operator=(Handle&& other) noexcept;
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() { reset(); }
  hid_t get() const { return id_; }
  bool valid() const { return id_ >= 0; }
  void reset() noexcept;
  /// Closes now; throws IoError naming `what` when HDF5 could not (buffered data may be lost).
  void close(std::string const& what);

 private:
  hid_t id_ = H5I_INVALID_HID;
  Closer closer_ = nullptr;
};

/// Turns off HDF5's printing of its error stack in this thread.
void quiet();

/// How to open or create a file on this rank alone: without locks, which some parallel file systems refuse.
Handle unlocked_access();

/// A file on this rank alone, to be read. Throws InputError where there is none or HDF5 cannot open it, IoError where the file
/// system refuses; `kind` is what it should be, for messages.
Handle open_readable(std::string const& path, std::string const& kind);

/// The innermost message of HDF5's error stack (one line), then clears it.
std::string message();

/// Throws InputError or IoError "cannot <doing>: <HDF5's message>".
[[noreturn]] void fail(Blame blame, std::string const& doing);

/// Passes a non-negative HDF5 return value through; else fail().
template <class R>
R check(R code, Blame blame, std::string const& doing) {
  if (code < 0) fail(blame, doing);
  return code;
}
/// As check(), and takes ownership of the identifier.
inline Handle own(hid_t id, Handle::Closer closer, Blame blame, std::string const& doing) {
  return {check(id, blame, doing), closer};
}

/// Element types: little-endian in the file, native in memory.
hid_t file_type(ElementType t);
hid_t memory_type(ElementType t);
char const* name_of(ElementType t);

/// A dataspace of this shape (rank 0: a scalar).
Handle dataspace(std::vector<std::uint64_t> const& shape);
/// A fixed-length, null-padded UTF-8 string type of at least one byte.
Handle string_type(std::size_t length);

/// Attributes of the object `where`; `what` names the file (and object) in messages.
void write_text(hid_t where, std::string const& name, std::string const& value, std::string const& what);
void write_number(hid_t where, std::string const& name, std::uint64_t value, std::string const& what);
std::string read_text(hid_t where, std::string const& name, std::string const& what);
std::uint64_t read_number(hid_t where, std::string const& name, std::string const& what);
bool has_attribute(hid_t where, std::string const& name, std::string const& what);
/// Names of all attributes, ascending.
std::vector<std::string> attribute_names(hid_t where, std::string const& what);

/// The bytes of `count` elements of `size` bytes each in this dataset. Throws InputError unless they all stand in the file, in
/// one piece, as Kaon writes them: what was never written, lies in another file, or is claimed beyond the file's end is no data,
/// and no memory is asked for it.
std::uint64_t stored_bytes(hid_t set, std::vector<std::uint64_t> const& count, std::size_t size, std::string const& doing);

/// A scalar fixed-length string dataset.
std::string read_text_dataset(hid_t file, std::string const& path, std::string const& what);

}  // namespace kaon::h5

#endif
