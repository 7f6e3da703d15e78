// Headers of numpy's arrays, and of what only looks like one.
#include <kaon/checkpoint/npy.hpp>
#include <kaon/core/error.hpp>
#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes file(std::string const& dictionary, int version = 1) {
  std::string text("\x93NUMPY");
  text += static_cast<char>(version);
  text += '\0';
  auto length = dictionary.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i, length >>= 8) text += static_cast<char>(length & 255);
  text += dictionary;
  return {text.begin(), text.end()};
}

NpyHeader parsed(Bytes const& bytes) {
  std::span<unsigned char const> const all(bytes);
  EXPECT_EQ(npy_header_bytes(all.first(std::min<std::size_t>(all.size(), npy_prefix))), bytes.size());
  return parse_npy_header(bytes);
}

std::string refusal(Bytes const& bytes) {
  try {
    std::span<unsigned char const> const all(bytes);
    if (npy_header_bytes(all.first(std::min<std::size_t>(all.size(), npy_prefix))) == bytes.size()) parse_npy_header(bytes);
  } catch (InputError const& e) {
    return e.what();
  }
  return "taken";
}

TEST(Npy, TakesWhatNumpyWrites) {
  auto const h = parsed(file("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 40), }          \n"));
  EXPECT_EQ(h.descr, "<f4");
  EXPECT_FALSE(h.fortran_order);
  EXPECT_EQ(h.shape, (std::vector<std::uint64_t>{3, 40}));
  EXPECT_TRUE(parsed(file("{'descr': '>f8', 'fortran_order': True, 'shape': (), }\n")).fortran_order);
  for (int const version : {1, 2, 3}) {
    auto const one = parsed(file("{\"shape\": (18446744073709551615,), 'fortran_order':False,'descr':\"|O\"}", version));
    EXPECT_EQ(one.shape, (std::vector<std::uint64_t>{18446744073709551615u}));
    EXPECT_EQ(one.descr, "|O");
  }
}

TEST(Npy, RefusesWhatOnlyLooksLikeIt) {
  std::string const right = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 40), }";
  for (auto const& [from, to] : std::vector<std::pair<std::string, std::string>>{{"{", "["},
                                                                                 {"}", ""},
                                                                                 {"'descr'", "'type'"},
                                                                                 {"False", "0"},
                                                                                 {"False", "None"},
                                                                                 {"(3, 40)", "3"},
                                                                                 {"(3, 40)", "(3)"},
                                                                                 {"(3, 40)", "(3, -1)"},
                                                                                 {"(3, 40)", "(3 40)"},
                                                                                 {"(3, 40)", "(3, 40"},
                                                                                 {"'<f4'", "<f4"},
                                                                                 {"'<f4'", "'<f4"},
                                                                                 {"'<f4'", "'<f\\x34'"},
                                                                                 {"'<f4'", "[('a', '<f4')]"},
                                                                                 {"40", "18446744073709551616"},
                                                                                 {", }", ", } 3"},
                                                                                 {", }", ", 'descr': '<f4', }"},
                                                                                 {"'shape': (3, 40), ", ""},
                                                                                 {"(3, 40)", "(3,, 40)"},
                                                                                 {"40", "4e1"}}) {
    auto text = right;
    text.replace(text.find(from), from.size(), to);
    EXPECT_EQ(refusal(file(text)), "its header is none of numpy's") << text;
  }
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1, ";
  auto text = right;
  EXPECT_EQ(refusal(file(text.replace(text.find("(3, 40)"), 7, many + ")"))), "its header is none of numpy's");
}

TEST(Npy, RefusesWhatCannotBegin) {
  EXPECT_EQ(refusal({}), "it is no array in numpy's format (.npy)");
  EXPECT_EQ(refusal(Bytes(12, 'x')), "it is no array in numpy's format (.npy)");
  auto bytes = file("{'descr': '<f4', 'fortran_order': False, 'shape': (), }");
  bytes.resize(11);
  EXPECT_EQ(refusal(bytes), "it is no array in numpy's format (.npy)");
  EXPECT_EQ(refusal(file("{}", 4)), "its format version 4 is not known");
  EXPECT_EQ(refusal(file("{}", 0)), "its format version 0 is not known");
  bytes = file(std::string(100, ' '), 2);
  bytes[10] = 2;  // 128 KiB and more
  EXPECT_EQ(refusal(bytes), "its header would have 131172 bytes");
}

}  // namespace
}  // namespace kaon
