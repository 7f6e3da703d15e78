#include "files.hpp"

#include <kaon/data/tokens.hpp>

#include <numeric>
#include <utility>

namespace kaon::test {
namespace {

std::vector<std::int32_t> all(Tokens const& t) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(t.size()));
  t.copy(0, t.size(), out.data());
  return out;
}

TEST(Tokens, TextIsItsBytes) {
  Folder f;
  auto const t = Tokens::load({f.text("a.txt", "ab\xff\n")}, "text", 256);
  EXPECT_EQ(all(t), (std::vector<std::int32_t>{97, 98, 255, 10}));
  EXPECT_EQ(t.files(), 1);
}

TEST(Tokens, ShardsAreReadAsOneSequenceInTheOrderGiven) {
  Folder f;
  auto const b = f.shard("b.bin", {7, 50256});
  auto const a = f.shard("a.bin", {1, 2, 3});
  auto const t = Tokens::load({b, a}, "tokens", 50257);
  EXPECT_EQ(all(t), (std::vector<std::int32_t>{7, 50256, 1, 2, 3}));
  EXPECT_EQ(t.file_of(1), 0);
  EXPECT_EQ(t.file_of(2), 1);
  std::vector<std::int32_t> across(3);
  t.copy(1, 3, across.data());
  EXPECT_EQ(across, (std::vector<std::int32_t>{50256, 1, 2}));
  EXPECT_THROW(t.copy(3, 3, across.data()), std::invalid_argument);
  EXPECT_THROW(t.file_of(5), std::invalid_argument);
}

TEST(Tokens, PatternsAreSortedAndFormatsAreRecognized) {
  Folder f;
  f.shard("part_2.bin", {3});
  f.shard("part_1.bin", {1, 2});
  f.text("part_3.txt", "A");
  auto const t = Tokens::load({f.path("part_*")}, "auto", 256);
  EXPECT_EQ(all(t), (std::vector<std::int32_t>{1, 2, 3, 65}));
}

TEST(Tokens, FingerprintIsThatOfTheContent) {
  Folder f;
  auto const whole = Tokens::load({f.shard("w.bin", {97, 98, 99})}, "tokens", 256);
  auto const cut = Tokens::load({f.shard("1.bin", {97}), f.shard("2.bin", {98, 99})}, "tokens", 256);
  auto const text = Tokens::load({f.text("t.txt", "abc")}, "text", 256);
  EXPECT_EQ(whole.fingerprint(), cut.fingerprint());
  EXPECT_EQ(whole.fingerprint(), text.fingerprint());
  EXPECT_EQ(whole.fingerprint(), Tokens({97, 98, 99}, 256).fingerprint());
  EXPECT_NE(whole.fingerprint(), Tokens({98, 97, 99}, 256).fingerprint());
  EXPECT_NE(whole.fingerprint(), Tokens({97, 98, 99, 0}, 256).fingerprint());
  EXPECT_NE(Tokens({0, 0}, 256).fingerprint(), Tokens({0, 0, 0}, 256).fingerprint());
}

TEST(Tokens, MovedTokensKeepTheirMemory) {
  Tokens a({1, 2, 3}, 4);
  Tokens const b = std::move(a);
  EXPECT_EQ(all(b), (std::vector<std::int32_t>{1, 2, 3}));
}

TEST(Tokens, LongerThanOneChunk) {
  std::vector<std::uint16_t> v(10001);
  std::iota(v.begin(), v.end(), std::uint16_t{0});
  auto const t = Tokens(v, 10001);
  auto const back = all(t);
  EXPECT_TRUE(std::equal(v.begin(), v.end(), back.begin()));
  expect_error<InputError>([&] { Tokens(v, 9000, "long"); }, {"long", "9000", "found 9000 at position 9000"});
}

TEST(TokensErrors, EveryFaultNamesTheFileAndTheCure) {
  Folder f;
  auto const load = [](std::string path, std::string format, int vocabulary = 256) {
    return [=] { Tokens::load({path}, format, vocabulary); };
  };
  expect_error<InputError>(load(f.path("none.txt"), "text"), {"none.txt", "No such file", "check the path"});
  expect_error<InputError>(load(f.path("no*.bin"), "tokens"), {"no*.bin", "no file matches"});
  expect_error<InputError>(load(f.text("empty.txt", ""), "text"), {"empty.txt", "empty file"});
  expect_error<InputError>(load(f.path(""), "text"), {"regular file"});
  expect_error<InputError>(load(f.text("tiny.bin", "xy"), "auto"), {"tiny.bin", "1024", "found 2 bytes", "truncated"});
  expect_error<InputError>(load(f.shard("magic.bin", {1}, 20240521), "tokens"), {"magic.bin", "20240520", "20240521", "text"});
  expect_error<InputError>(load(f.shard("version.bin", {1}, 20240520, 2), "auto"), {"version.bin", "version 1", "found 2"});
  expect_error<InputError>(load(f.shard("cut.bin", {1, 2}, 20240520, 1, 3), "tokens"),
                           {"cut.bin", "3 tokens", "found 4 bytes", "truncated"});
  expect_error<InputError>(load(f.shard("long.bin", {1, 2}, 20240520, 1, 1), "tokens"), {"long.bin", "longer than it says"});
  expect_error<InputError>(load(f.shard("zero.bin", {}), "tokens"), {"zero.bin", "0 tokens"});
  expect_error<InputError>(load(f.shard("big.bin", {5, 11, 12}), "tokens", 11),
                           {"big.bin", "below the vocabulary 11", "found 11 at position 1", "tokenizer"});
  expect_error<UsageError>(load(f.text("a.txt", "a"), "json"), {"json", "text, tokens or auto"});
  EXPECT_THROW(Tokens::load({}, "auto", 256), InputError);
  EXPECT_THROW(Tokens({}, 256), InputError);
}

TEST(TokensErrors, TheFileOfATokenOutsideTheVocabularyIsTheSecond) {
  Folder f;
  f.shard("s1.bin", {1, 2, 3});
  f.shard("s2.bin", {1, 200});
  expect_error<InputError>([&] { Tokens::load({f.path("s?.bin")}, "tokens", 100); }, {"s2.bin", "found 200 at position 1"});
}

}  // namespace
}  // namespace kaon::test
