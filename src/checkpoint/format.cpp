#include <kaon/checkpoint/format.hpp>

#include <algorithm>
#include <cstring>

namespace kaon::format {

Table::Table(std::vector<FieldShape> const& all) : fields(all), first{0} {
  for (auto const& f : fields) {
    blocks.emplace_back(f);
    first.push_back(first.back() + blocks.back().count());
  }
}

h5::Handle row_type(std::size_t path_length) {
  std::string const doing = "make the integrity table's type";
  h5::Handle type = h5::own(H5Tcreate(H5T_COMPOUND, path_length + 16), H5Tclose, h5::Blame::system, doing);
  h5::Handle const path = h5::string_type(path_length);
  h5::check(H5Tinsert(type.get(), "dataset", 0, path.get()), h5::Blame::system, doing);
  h5::check(H5Tinsert(type.get(), "block", path_length, H5T_STD_U64LE), h5::Blame::system, doing);
  h5::check(H5Tinsert(type.get(), "xxh3", path_length + 8, H5T_STD_U64LE), h5::Blame::system, doing);
  return type;
}

std::vector<unsigned char> rows(Table const& table, std::size_t path_length) {
  std::vector<unsigned char> out(table.total() * (path_length + 16), 0);
  auto* row = out.data();
  for (std::size_t f = 0; f < table.fields.size(); ++f)
    for (std::uint64_t b = 0; b < table.blocks[f].count(); ++b, row += path_length + 16) {
      auto const& path = table.fields[f].path;
      std::memcpy(row, path.data(), path.size());
      std::memcpy(row + path_length, &b, 8);
      std::memcpy(row + path_length + 8, &table.hashes[table.first[f] + b], 8);
    }
  return out;
}

std::size_t longest_path(Table const& table) {
  std::size_t n = 1;
  for (auto const& f : table.fields) n = std::max(n, f.path.size());
  return n;
}

std::uint64_t seal_of(CheckpointInfo const& info, Table const& table, std::uint64_t of_version) {
  std::string text =
      std::string(name) + ' ' + std::to_string(of_version) + ' ' + std::to_string(state_hash(info, of_version >= names_methods));
  for (auto const& f : table.fields) {
    text += '\n' + f.path + ' ' + h5::name_of(f.type) + ' ' + f.shape_text();
    if (of_version < names_methods) continue;
    text += ' ' + f.rule;
    if (!f.of.empty()) text += ' ' + f.of;
  }
  text += '\n' + std::to_string(xxh3(table.hashes.data(), table.hashes.size() * sizeof(std::uint64_t)));
  return xxh3(text.data(), text.size());
}

}  // namespace kaon::format
