#include "forge.hpp"

#include "scratch.hpp"

namespace kaon::fuzz {
namespace {

std::array<hsize_t, 12> const extents{0,
                                      1,
                                      2,
                                      3,
                                      7,
                                      300,
                                      hsize_t{1} << 20,
                                      hsize_t{1} << 31,
                                      (hsize_t{1} << 32) + 1,
                                      hsize_t{1} << 61,
                                      hsize_t{1} << 62,
                                      (hsize_t{1} << 63) - 1};

hid_t another_type(Choices& choices) {
  std::array<hid_t, 9> const types{H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_I64LE,  H5T_STD_U64LE,
                                   H5T_STD_U8LE,   H5T_C_S1,       H5T_STD_B64LE,  H5T_STD_REF_OBJ};
  return types[choices.below(types.size())];
}

/// Small whole numbers, or bytes of the input.
std::vector<unsigned char> content(std::size_t bytes, hid_t type, Choices& choices) {
  std::vector<unsigned char> out(bytes, 0);
  if (choices.seldom()) {
    auto const some = choices.take(bytes);
    std::copy(some.begin(), some.end(), out.begin());
  } else if (type == H5T_IEEE_F64LE) {
    for (std::size_t i = 0; i + 8 <= bytes; i += 8) {
      double const v = static_cast<double>(i / 8 % 5) - 2;
      std::memcpy(out.data() + i, &v, 8);
    }
  }
  return out;
}

}  // namespace

hid_t new_file(std::string const& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  Id const access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  hid_t const file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  demand(file >= 0, "cannot make a file to forge");
  return file;
}

void forge_dataset(hid_t file, std::string const& path, Forged const& honest, Choices& choices) {
  if (choices.seldom() && choices.seldom()) return;
  auto shape = honest.shape;
  auto type = honest.type;
  if (choices.seldom()) shape.resize(choices.below(5), 1);
  for (auto& s : shape)
    if (choices.seldom()) s = extents[choices.below(extents.size())];
  if (choices.seldom()) type = another_type(choices);
  std::size_t elements = 1;
  bool small = true;
  for (auto const s : shape) {
    small = small && s < 4096 && elements < 4096;
    elements *= small ? s : 1;
  }
  Id const how(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  Id const links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  std::vector<hsize_t> const unlimited(shape.size(), H5S_UNLIMITED);
  bool may_grow = false;
  if (choices.seldom() && !shape.empty()) {
    std::vector<hsize_t> chunk(shape.size(), 1);
    chunk.back() = 16;
    H5Pset_chunk(how, static_cast<int>(chunk.size()), chunk.data());
    if (choices.seldom()) H5Pset_deflate(how, 6);
    may_grow = choices.seldom();
  } else if (choices.seldom()) {
    H5Pset_layout(how, H5D_COMPACT);
  } else if (choices.seldom()) {
    H5Pset_external(how, scratch("elsewhere").c_str(), 0, choices.seldom() ? H5F_UNLIMITED : 8 * elements);
  } else if (choices.seldom()) {
    H5Pset_alloc_time(how, H5D_ALLOC_TIME_EARLY);
    if (!small) return;
  }
  Id const space(shape.empty()
                     ? H5Screate(choices.seldom() ? H5S_NULL : H5S_SCALAR)
                     : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), may_grow ? unlimited.data() : nullptr),
                 H5Sclose);
  Id const set(H5Dcreate2(file, path.c_str(), type, space, links, how, H5P_DEFAULT), H5Dclose);
  bool const leave = choices.seldom();
  if (set < 0 || !small || leave) return;
  auto const data = content(elements * H5Tget_size(type), type, choices);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data());
}

void forge_text(hid_t where, std::string const& name, std::string const& honest, bool dataset, Choices& choices) {
  if (choices.seldom() && choices.seldom()) return;
  auto text = honest;
  if (choices.seldom()) {
    auto const some = choices.take(choices.below(64));
    text.assign(some.begin(), some.end());
  }
  std::array<std::size_t, 5> const sizes{1, 4, 70000, std::size_t{1} << 31, (std::size_t{1} << 32) - 1};
  Id const type(H5Tcopy(choices.seldom() ? H5T_STD_U64LE : H5T_C_S1), H5Tclose);
  bool whole = true;
  if (H5Tget_class(type) == H5T_STRING) {
    if (choices.seldom()) {
      H5Tset_size(type, H5T_VARIABLE);
      whole = false;
    } else if (choices.seldom()) {
      auto const size = choices.pick(sizes);
      if (!dataset && size > 100000) return;  // HDF5 would allocate it here
      H5Tset_size(type, size);
      whole = size < 100000;
      text.resize(whole ? size : 0);
    } else {
      H5Tset_size(type, std::max<std::size_t>(1, text.size()));
    }
  }
  std::array<hsize_t, 1> const several{choices.seldom() ? hsize_t{1} << 62 : hsize_t{2}};
  bool const scalar = !choices.seldom();
  Id const space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, several.data(), nullptr), H5Sclose);
  text.resize(std::max<std::size_t>(text.size(), 16));
  if (dataset) {
    Id const set(H5Dcreate2(where, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    if (set >= 0 && whole && scalar) H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
  } else {
    Id const attribute(H5Acreate2(where, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (attribute >= 0 && whole && scalar) H5Awrite(attribute, type, text.data());
  }
}

void forge_number(hid_t where, std::string const& name, std::uint64_t honest, Choices& choices) {
  if (choices.seldom() && choices.seldom()) return;
  auto const value = choices.seldom() ? choices.number<std::uint64_t>() : honest;
  hid_t const type = choices.seldom() ? another_type(choices) : H5T_STD_U64LE;
  std::array<hsize_t, 1> const several{2};
  bool const scalar = !choices.seldom();
  Id const space(scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, several.data(), nullptr), H5Sclose);
  Id const attribute(H5Acreate2(where, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  std::array<std::uint64_t, 2> const values{value, value};
  if (attribute >= 0) H5Awrite(attribute, type, values.data());
}

void forge_link(hid_t file, std::string const& name, Choices& choices) {
  switch (choices.below(16)) {
    case 11:
      H5Lcreate_hard(file, "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 12:
      H5Lcreate_soft(("/" + name).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 13:
      H5Lcreate_external("/proc/self/exe", "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 14: {
      Id const type(H5Tcopy(H5T_STD_U64LE), H5Tclose);
      H5Tcommit2(file, name.c_str(), type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      break;
    }
    case 15: {
      Id const group(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
      break;
    }
    default:
      break;
  }
}

}  // namespace kaon::fuzz
