// Files that are neither text nor token shards are told what they look like and what to do.
#include "files.hpp"

#include <kaon/data/looks.hpp>
#include <kaon/data/tokens.hpp>

#include <fmt/format.h>

#include <cstring>
#include <random>

namespace kaon::test {
namespace {

std::string raw(int n, int vocabulary) {
  std::string bytes;
  for (int i = 0; i < n; ++i) {
    auto const token = static_cast<std::uint16_t>((i * 7919) % vocabulary);
    bytes.append(reinterpret_cast<char const*>(&token), 2);
  }
  return bytes;
}

std::string noise(int n) {
  std::mt19937 draw(5);
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes.push_back(static_cast<char>(draw() & 255));
  return bytes;
}

std::string utf16(std::string const& text, bool low_first) {
  std::string out;
  for (char const c : text) out += low_first ? std::string{c, '\0'} : std::string{'\0', c};
  return out;
}

std::string const words =
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.\n";

std::string repeat(std::string const& text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

class Foreign : public ::testing::Test {
 protected:
  void refused(std::string const& content, std::vector<std::string> parts, std::string const& name = "data.raw") {
    parts.push_back(name);
    auto const path = f.text(name, content);
    for (auto const* format : {"auto", "text"}) expect_error<InputError>([&] { Tokens::load({path}, format, 65536); }, parts);
    EXPECT_NO_THROW(Tokens::load({path}, "bytes", 256));
  }
  Folder f;
};

TEST_F(Foreign, Numpy) { refused(std::string("\x93NUMPY\x01\0", 8) + raw(4000, 100), {".npy", "np.load", "shard.bin"}); }
TEST_F(Foreign, RawTokens) { refused(raw(4000, 1500), {"no text", "nanoGPT", "np.fromfile", "data.format = bytes"}); }
TEST_F(Foreign, RawTokensOfAFewSymbols) { refused(raw(4000, 65), {"no text", "nanoGPT"}); }
TEST_F(Foreign, Noise) { refused(noise(4000), {"no text"}); }
TEST_F(Foreign, Archives) {
  refused("\x1f\x8b\x08" + noise(100), {"gzip", "unpack"});
  refused("PK\x03\x04" + noise(100), {"zip", "unpack"});
  refused("\x28\xb5\x2f\xfd" + noise(100), {"zstd"});
  refused("PAR1" + noise(100), {"Parquet"});
}
TEST_F(Foreign, Utf16) {
  refused("\xff\xfe" + utf16(words, true), {"UTF-16", "iconv"});
  refused("\xfe\xff" + utf16(words, false), {"UTF-16", "iconv"});
  refused(utf16(words, true), {"UTF-16", "iconv"});
  refused(utf16(words, false), {"UTF-16", "iconv"});
}
TEST_F(Foreign, ShardsOfLlama) {
  std::string shard(1024 + 400, '\0');
  std::int32_t const header[3] = {20240801, 7, 100};
  std::memcpy(shard.data(), header, sizeof header);
  refused(shard, {"20240801", "32-bit", "llama 3"});
  auto const bin = f.text("a.bin", shard);
  for (auto const* format : {"auto", "tokens"})
    expect_error<InputError>([&] { Tokens::load({bin}, format, 65536); }, {"20240520", "20240801", "32-bit"});
}

TEST_F(Foreign, ABinFileWithoutAHeaderSaysHowItBecomesOne) {
  auto const bin = f.text("train.bin", raw(4000, 50257));
  expect_error<InputError>([&] { Tokens::load({bin}, "auto", 65536); },
                           {"train.bin", "no header", "nanoGPT", "np.fromfile('" + bin + "'", "train.bin.shard.bin"});
  auto const text = f.text("text.bin", repeat(words, 20));
  expect_error<InputError>([&] { Tokens::load({text}, "auto", 65536); }, {"text.bin", "data.format = text"});
  EXPECT_NO_THROW(Tokens::load({text}, "text", 256));
}

// What must still be taken for text.
TEST_F(Foreign, TextsOfAllKindsAreText) {
  std::string latin, kanji;
  for (int i = 0; i < 300; ++i)
    latin +=
        "caf\xe9 \xfc"
        "ber ",
        kanji += "\xe6\xbc\xa2\xe5\xad\x97\xe3\x80\x82";
  for (auto const& text : {std::string("x"), words, latin, kanji, repeat("a\tb\r\n\f", 50),
                           repeat(words, 600) + std::string("\0", 1), "\xef\xbb\xbf" + words, repeat("\x1b[1m" + words, 10)})
    EXPECT_NO_THROW(Tokens::load({f.text("t.txt", text)}, "auto", 256)) << text.substr(0, 40);
}

TEST_F(Foreign, TextBesideShardsIsNamed) {
  f.shard("train_1.bin", {1, 2, 3});
  f.text("README.md", words);
  expect_error<InputError>([&] { Tokens::load({f.path("*")}, "auto", 65536); }, {"README.md", "train_1.bin", "*.bin"});
  expect_error<InputError>([&] { Tokens::load({f.path("*")}, "tokens", 65536); }, {"README.md", "header"});
}

}  // namespace
}  // namespace kaon::test
