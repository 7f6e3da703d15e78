#ifndef KAON_APPS_CKPT_H5_OUTPUT_HPP
#define KAON_APPS_CKPT_H5_OUTPUT_HPP

#include <kaon/checkpoint/h5.hpp>
#include <kaon/files/part.hpp>

#include <string>
#include <vector>

namespace kaon::ckpt {

/// A plain HDF5 file of arrays, written as <path>.part and renamed by commit().
class H5Output {
 public:
  explicit H5Output(std::string const& path);
  /// Attributes of the root.
  void number(std::string const& name, std::uint64_t value) { h5::write_number(file_.get(), name, value, part_.name()); }
  void text(std::string const& name, std::string const& value) { h5::write_text(file_.get(), name, value, part_.name()); }
  /// A dataset of this absolute path; groups on the way are made.
  void array(std::string const& path, ElementType type, std::vector<std::uint64_t> const& shape, void const* data);
  /// A dataset that is one text.
  void text_dataset(std::string const& path, std::string const& value);
  void commit();

 private:
  h5::Handle create(std::string const& path, hid_t type, hid_t space);
  files::Part part_;
  h5::Handle file_;
};

}  // namespace kaon::ckpt

#endif
