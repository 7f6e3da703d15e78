#include <gtest/gtest.h>

#include <kaon/files/utf8.hpp>

namespace kaon::test {
namespace {

TEST(Utf8, StaysAsItIs) {
  for (std::string const text : {"", "plain", "t\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x90\xa6 and more", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(files::utf8(text), text);
}

TEST(Utf8, AnythingElseIsLatin1) {
  EXPECT_EQ(files::utf8("t\xfc"), "t\xc3\xbc");
  EXPECT_EQ(files::utf8("\x80\xff"), "\xc2\x80\xc3\xbf");
  EXPECT_EQ(files::utf8("\xc3\xbc \xfc"), "\xc3\x83\xc2\xbc \xc3\xbc") << "as a whole";
  // Cut short, overlong, a surrogate, beyond the last code point, a byte that stands alone, six bytes.
  for (std::string const text :
       {"\xc3", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xf8\x88"})
    EXPECT_NE(files::utf8(text), text);
}

TEST(Utf8, CodePoints) {
  EXPECT_EQ(files::code_points("t\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xa6"), U"t\u00fc\u20ac\U0001f426");
  EXPECT_EQ(files::code_points("t\xfc"), U"t\u00fc");
}

}  // namespace
}  // namespace kaon::test
