#include "npy.hpp"

#include <kaon/files/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace kaon::ckpt {

namespace {

std::string header(std::string const& descr, std::vector<std::uint64_t> const& shape) {
  // Magic, little-endian header length, a Python dict padded to a multiple of 64.
  std::string const sizes = fmt::format("{}{}", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, sizes);
  dict.append(63 - (10 + dict.size()) % 64, ' ');
  dict += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(dict.size() & 0xff);
  head += static_cast<char>(dict.size() >> 8);
  return head + dict;
}

}  // namespace

std::string npy_header(ElementType type, std::vector<std::uint64_t> const& shape) {
  return header(type == ElementType::f32   ? "<f4"
                : type == ElementType::f64 ? "<f8"
                : type == ElementType::i64 ? "<i8"
                                           : "<u8",
                shape);
}

namespace {

/// CRC-32 of zip (polynomial 0xedb88320), continued from `crc`; eight bytes at a time, each through a table of its own.
std::uint32_t crc32(std::uint32_t crc, void const* data, std::size_t bytes) {
  using Table = std::array<std::uint32_t, 256>;
  static std::array<Table, 8> const tables = [] {
    std::array<Table, 8> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[0][i] = i;
      for (int bit = 0; bit < 8; ++bit) t[0][i] = (t[0][i] >> 1) ^ (t[0][i] & 1 ? 0xedb88320u : 0);
    }
    for (std::size_t k = 1; k < 8; ++k)
      for (std::size_t i = 0; i < 256; ++i) t[k][i] = (t[k - 1][i] >> 8) ^ t[0][t[k - 1][i] & 0xff];
    return t;
  }();
  auto const* p = static_cast<unsigned char const*>(data);
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][word >> (8 * k) & 0xff];
  }
  for (; bytes > 0; --bytes) crc = (crc >> 8) ^ tables[0][(crc ^ *p++) & 0xff];
  return ~crc;
}

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<char const*>(&value), sizeof value);
}
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
constexpr u32 in_extra = 0xffffffff;  // the number stands in the 64-bit extra field
constexpr u16 needs_zip64 = 45, utf8 = 1 << 11, stored = 0, first_of_january_1980 = 0x21;

}  // namespace

void NpzWriter::array(std::string const& name, ElementType type, std::vector<std::uint64_t> const& shape, void const* data) {
  std::size_t bytes = size_of(type);
  for (auto s : shape) bytes *= s;
  member(name + ".npy", npy_header(type, shape), data, bytes);
}

void NpzWriter::text(std::string const& name, std::string const& content) {
  auto const points = files::code_points(content);
  member(name + ".npy", header("<U" + std::to_string(std::max<std::size_t>(points.size(), 1)), {}),
         points.empty() ? U"\0" : points.data(), 4 * std::max<std::size_t>(points.size(), 1));
}

void NpzWriter::member(std::string const& name, std::string const& head, void const* data, std::size_t bytes) {
  u64 const at = written_, size = head.size() + bytes;
  std::string common;  // what the member's own header and the directory have in common
  for (u16 v : {needs_zip64, utf8, stored, u16(0), first_of_january_1980}) put(common, v);
  put(common, crc32(crc32(0, head.data(), head.size()), data, bytes));
  put(common, in_extra);
  put(common, in_extra);
  put(common, static_cast<u16>(name.size()));

  std::string local("PK\x03\x04");
  local += common;
  put(local, u16(20));
  local += name;
  for (u16 v : {u16(1), u16(16)}) put(local, v);
  for (u64 v : {size, size}) put(local, v);
  write(local);
  write(head);
  write({static_cast<char const*>(data), bytes});

  directory_ += "PK\x01\x02";
  put(directory_, needs_zip64);
  directory_ += common;
  for (u16 v : {28, 0, 0, 0}) put(directory_, v);  // extra field; comment; disk; internal attributes
  put(directory_, u32(0));
  put(directory_, in_extra);
  directory_ += name;
  for (u16 v : {u16(1), u16(24)}) put(directory_, v);
  for (u64 v : {size, size, at}) put(directory_, v);
  ++members_;
}

void NpzWriter::close() {
  u64 const at = written_, end = at + directory_.size();
  std::string tail("PK\x06\x06");
  put(tail, u64(44));
  for (u16 v : {needs_zip64, needs_zip64}) put(tail, v);
  for (u32 v : {0u, 0u}) put(tail, v);
  for (u64 v : {members_, members_, u64(directory_.size()), at}) put(tail, v);
  tail += "PK\x06\x07";
  put(tail, u32(0));
  put(tail, end);
  put(tail, u32(1));
  tail += "PK\x05\x06";
  for (u16 v : {u16(0), u16(0), u16(0xffff), u16(0xffff)}) put(tail, v);
  for (u32 v : {in_extra, in_extra}) put(tail, v);
  put(tail, u16(0));
  write(directory_);
  write(tail);
}

}  // namespace kaon::ckpt
