#include "commands.hpp"

#include <kaon/checkpoint/folder.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace kaon::ckpt {
namespace {

using h5::Blame;
constexpr char const* prefix = "/server/W/";

std::vector<FieldShape> model(CheckpointFile const& file) {
  std::vector<FieldShape> found;
  for (auto const& f : file.fields())
    if (f.path.rfind(prefix, 0) == 0) found.push_back(f);
  if (found.empty()) throw InputError(file.path() + " holds no model: there is no dataset under " + prefix);
  return found;
}

std::vector<unsigned char> read_all(CheckpointFile const& file, FieldShape const& f) {
  std::vector<unsigned char> data(f.bytes());
  file.read(f, {std::vector<std::uint64_t>(f.shape.size(), 0), f.shape}, data.data());
  return data;
}

/// NumPy's format, version 1.0: magic, little-endian header length, a Python dict padded to a multiple of 64, raw data.
std::string npy_header(FieldShape const& f) {
  std::string const descr = f.type == ElementType::f32   ? "<f4"
                            : f.type == ElementType::f64 ? "<f8"
                            : f.type == ElementType::i64 ? "<i8"
                                                         : "<u8";
  std::string const shape = fmt::format("{}{}", fmt::join(f.shape, ", "), f.shape.size() == 1 ? "," : "");
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  dict.append(63 - (10 + dict.size()) % 64, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

void write_npy(std::string const& path, std::string const& header, std::vector<unsigned char> const& data) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(path.c_str(), "wb"), std::fclose);
  auto const fail = [&] { throw IoError("cannot write " + path + ": " + std::strerror(errno)); };
  if (!out) fail();
  if (std::fwrite(header.data(), 1, header.size(), out.get()) != header.size()) fail();
  if (std::fwrite(data.data(), 1, data.size(), out.get()) != data.size()) fail();
  if (std::fclose(out.release()) != 0) fail();
}

void write_h5(CheckpointFile const& file, std::vector<FieldShape> const& fields, std::string const& out) {
  std::string const part = out + ".part", doing = "write " + part;
  folder::create_empty(part);
  h5::Handle target = h5::own(H5Fcreate(part.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose, Blame::system, doing);
  h5::Handle group =
      h5::own(H5Gcreate2(target.get(), "/W", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, Blame::system, doing);
  h5::write_number(target.get(), "step", file.info().step, part);
  for (auto const& f : fields) {
    auto const data = read_all(file, f);
    h5::Handle const space = h5::dataspace(f.shape);
    h5::Handle set = h5::own(H5Dcreate2(group.get(), f.path.c_str() + std::strlen(prefix), h5::file_type(f.type), space.get(),
                                        H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Dclose, Blame::system, doing);
    h5::check(H5Dwrite(set.get(), h5::memory_type(f.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), Blame::system, doing);
    set.close(part);
  }
  group.close(part);
  target.close(part);
  folder::sync(part);
  folder::rename(part, out);
}

}  // namespace

int extract(std::string const& path, std::string const& out, bool npy) {
  CheckpointFile const file(path);
  auto const fields = model(file);
  file.verify();
  if (npy) {
    folder::make(out);
    for (auto const& f : fields)
      write_npy(out + "/" + f.path.substr(std::strlen(prefix)) + ".npy", npy_header(f), read_all(file, f));
  } else {
    write_h5(file, fields, out);
  }
  fmt::print("{}: W of {} layers at step {}\n", out, fields.size(), file.info().step);
  return 0;
}

}  // namespace kaon::ckpt
