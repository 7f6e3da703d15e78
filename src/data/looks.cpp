#include <kaon/data/looks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace kaon {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes sample(DataFile const& file, std::int64_t at, std::int64_t most) {
  Bytes bytes(static_cast<std::size_t>(std::min(most, file.size() - at)));
  file.read(at, static_cast<std::int64_t>(bytes.size()), bytes.data());
  return bytes;
}

struct Magic {
  std::string_view bytes, what, cure;
};
using namespace std::string_view_literals;
constexpr std::string_view unpack = "unpack it first";
constexpr std::string_view take_out = "write its text or its tokens to a file of their own";
constexpr std::array<Magic, 12> magics{{
    {"\xa1\xd9\x34\x01"sv, "a token shard of llm.c with 32-bit tokens (magic number 20240801, as for llama 3)",
     "Kaon reads 16-bit tokens (magic number 20240520), of a vocabulary up to 65536: encode the text with another tokenizer"},
    {"\x1f\x8b"sv, "compressed by gzip", unpack},
    {"\x28\xb5\x2f\xfd"sv, "compressed by zstd", unpack},
    {"BZh"sv, "compressed by bzip2", unpack},
    {"\xfd\x37zXZ\0"sv, "compressed by xz", unpack},
    {"PK\x03\x04"sv, "a zip archive (or .npz of numpy)", unpack},
    {"PAR1"sv, "a table of Parquet", take_out},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file", take_out},
    {"ARROW1"sv, "a table of Arrow", take_out},
    {"\xff\xfe\0\0"sv, "UTF-32 text", "iconv -f UTF-32 -t UTF-8 makes bytes of text of it"},
    {"\xff\xfe"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 makes bytes of text of it"},
    {"\xfe\xff"sv, "UTF-16 text", "iconv -f UTF-16 -t UTF-8 makes bytes of text of it"},
}};

/// Without its mark: one of the two bytes of nearly every letter is zero.
bool is_utf16(Bytes const& b) {
  std::size_t zeros[2] = {}, letters[2] = {};
  for (std::size_t i = 0; i < b.size(); ++i) {
    zeros[i % 2] += b[i] == 0;
    letters[i % 2] += b[i] == ' ' || (b[i] >= 'a' && b[i] <= 'z');
  }
  auto const half = b.size() / 2;
  for (int side = 0; side < 2; ++side)
    if (half > 8 && zeros[side] > half * 9 / 10 && letters[1 - side] > half / 2) return true;
  return false;
}

bool no_text(unsigned char c) { return (c < 32 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 127; }

}  // namespace

std::string conversion_of_raw_tokens(std::string const& path) {
  return fmt::format(
      "python3 -c \"import numpy as np; t = np.fromfile('{0}', '<u2'); h = np.zeros(256, '<u4'); h[:3] = 20240520, 1, t.size; "
      "open('{0}.shard.bin', 'wb').write(h.tobytes() + t.tobytes())\"",
      path);
}

Looks looks_of(DataFile const& file) {
  constexpr std::int64_t piece = 65536;
  auto const head = sample(file, 0, piece);
  std::string_view const begin(reinterpret_cast<char const*>(head.data()), head.size());
  if (begin.starts_with("\x93NUMPY"))
    return {
        "an array of numpy (.npy)",
        fmt::format("python3 -c \"import numpy as np; t = np.load('{0}').ravel(); h = np.zeros(256, '<u4'); h[:3] = 20240520, "
                    "1, t.size; open('{0}.shard.bin', 'wb').write(h.tobytes() + t.astype('<u2').tobytes())\" makes a token "
                    "shard of it, if it holds tokens below 65536",
                    file.path())};
  for (auto const& m : magics)
    if (begin.starts_with(m.bytes)) return {std::string(m.what), std::string(m.cure)};
  if (is_utf16(head)) return {"UTF-16 text", "iconv -f UTF-16LE -t UTF-8 (or UTF-16BE) makes bytes of text of it"};
  std::size_t seen = 0, zeros = 0, odd = 0;
  for (auto const at : {std::int64_t{0}, file.size() / 2, std::max<std::int64_t>(0, file.size() - piece)})
    for (auto const c : sample(file, at, piece)) ++seen, zeros += c == 0, odd += no_text(c);
  if (zeros * 1000 <= seen && odd * 50 <= seen + 200) return {};
  return {
      fmt::format("no text: {:.0f} % of the bytes looked at are control characters, {:.0f} % of them all zero bytes",
                  100.0 * static_cast<double>(odd) / static_cast<double>(seen),
                  100.0 * static_cast<double>(zeros) / static_cast<double>(seen)),
      fmt::format("raw 16-bit tokens, as nanoGPT's prepare.py writes them, become a token shard by\n  {}\nand if every byte is "
                  "meant to be a token, whatever it is: data.format = bytes",
                  conversion_of_raw_tokens(file.path()))};
}

}  // namespace kaon
