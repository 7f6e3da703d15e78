#include "h5_output.hpp"

namespace kaon::ckpt {

using h5::Blame;

H5Output::H5Output(std::string const& path)
    : part_(path),
      file_(h5::own(H5Fcreate(part_.name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, Blame::system,
                    "write " + part_.name())) {}

h5::Handle H5Output::create(std::string const& path, hid_t type, hid_t space) {
  std::string const doing = "write dataset " + path + " of " + part_.name();
  h5::Handle const links = h5::own(H5Pcreate(H5P_LINK_CREATE), H5Pclose, Blame::system, doing);
  h5::check(H5Pset_create_intermediate_group(links.get(), 1), Blame::system, doing);
  return h5::own(H5Dcreate2(file_.get(), path.c_str(), type, space, links.get(), H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
                 Blame::system, doing);
}

void H5Output::array(std::string const& path, ElementType type, std::vector<std::uint64_t> const& shape, void const* data) {
  h5::Handle set = create(path, h5::file_type(type), h5::dataspace(shape).get());
  h5::check(H5Dwrite(set.get(), h5::memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data), Blame::system,
            "write " + part_.name());
  set.close(part_.name());
}

void H5Output::text_dataset(std::string const& path, std::string const& value) {
  h5::Handle const type = h5::string_type(value.size());
  h5::Handle set = create(path, type.get(), h5::dataspace({}).get());
  h5::check(H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, value.c_str()), Blame::system,
            "write " + part_.name());
  set.close(part_.name());
}

void H5Output::commit() {
  file_.close(part_.name());
  part_.commit();
}

}  // namespace kaon::ckpt
