#include "files.hpp"

#include <kaon/data/tokens.hpp>

#include <algorithm>
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
  auto const t = Tokens::load({f.path("part_*")}, "auto", 256);
  EXPECT_EQ(all(t), (std::vector<std::int32_t>{1, 2, 3}));
  auto const text = Tokens::load({f.text("notes.txt", "A"), f.text("more", "B")}, "auto", 256);
  EXPECT_EQ(all(text), (std::vector<std::int32_t>{65, 66}));
}

TEST(Tokens, BytesAreTokensWhateverTheyAre) {
  Folder f;
  auto const t = Tokens::load({f.text("a.bin", std::string("\0\x01\xff", 3))}, "bytes", 256);
  EXPECT_EQ(all(t), (std::vector<std::int32_t>{0, 1, 255}));
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

// What checkpoints of version 1 have: numbers that an earlier Kaon wrote.
TEST(Tokens, TheOlderFingerprintIsThatOfBefore) {
  Folder f;
  auto const t = Tokens::load({f.text("t.txt", "abc")}, "text", 256);
  std::uint64_t h = 14695981039346656037ull ^ 3;
  for (std::uint64_t const token : {97, 98, 99}) h = (h ^ token) * 1099511628211ull;
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdull;
  EXPECT_EQ(t.older_fingerprint(), h ^ (h >> 33));
  EXPECT_EQ(t.older_fingerprint(), Tokens({97, 98, 99}, 256).older_fingerprint());
  EXPECT_NE(t.older_fingerprint(), t.fingerprint());
}

std::vector<std::uint16_t> counting(int n) {
  std::vector<std::uint16_t> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), std::uint16_t{0});
  return v;
}

TEST(Tokens, BlocksThatSeveralHashAreThoseOfOne) {
  BlockLimits limits;
  limits.tokens = 7;
  Folder f;
  auto const v = counting(100);
  auto const t = Tokens::load({f.shard("1.bin", {v.begin(), v.begin() + 33}), f.shard("2.bin", {v.begin() + 33, v.end()})},
                              "tokens", 256, limits);
  ASSERT_EQ(t.blocks().size(), 15u);
  std::vector<std::uint64_t> shared(15), alone(15);
  t.hash(0, 15, alone.data());
  t.hash(9, 6, shared.data() + 9);
  t.hash(0, 4, shared.data());
  t.hash(4, 5, shared.data() + 4);
  EXPECT_EQ(shared, alone);
  EXPECT_EQ(t.combine(shared), t.fingerprint());
  EXPECT_EQ(t.fingerprint(), Tokens(v, 256, "memory", limits).fingerprint());
  EXPECT_NE(t.fingerprint(), Tokens(v, 256).fingerprint()) << "the length of a block counts";
  EXPECT_THROW(t.hash(10, 6, shared.data()), std::invalid_argument);
}

TEST(Tokens, OfALongTextTheFirstTheLastEveryFileAndDrawnBlocksCount) {
  BlockLimits limits;
  limits.tokens = 10;
  limits.most = 20;
  limits.seed = 3;
  Folder f;
  auto const v = counting(1000);
  auto const load = [&](std::vector<std::uint16_t> const& tokens, std::uint64_t seed = 3) {
    limits.seed = seed;
    return Tokens::load(
        {f.shard("1.bin", {tokens.begin(), tokens.begin() + 333}), f.shard("2.bin", {tokens.begin() + 333, tokens.end()})},
        "tokens", 65536, limits);
  };
  auto const t = load(v);
  auto const known = t.fingerprint();  // before the files are written over
  EXPECT_EQ(t.blocks_in_all(), 100);
  EXPECT_LE(t.blocks().size(), 20u);
  EXPECT_GE(t.blocks().size(), 17u);
  for (std::int64_t const block : {0, 33, 99}) EXPECT_EQ(std::count(t.blocks().begin(), t.blocks().end(), block), 1) << block;
  EXPECT_NE(t.blocks(), load(v, 4).blocks());
  EXPECT_EQ(known, load(v).fingerprint());
  int noticed = 0;
  for (std::size_t at = 0; at < 1000; at += 10) {
    auto other = v;
    other[at + 5] = 60000;
    bool const hashed = std::count(t.blocks().begin(), t.blocks().end(), static_cast<std::int64_t>(at) / 10) == 1;
    EXPECT_EQ(load(other).fingerprint() != known, hashed) << at;
    noticed += hashed;
  }
  EXPECT_EQ(noticed, static_cast<int>(t.blocks().size()));
  auto longer = v;
  longer.push_back(5);
  EXPECT_NE(load(longer).fingerprint(), known);
}

TEST(ChosenBlocks, AreAscendingAndBoundedAndSpread) {
  BlockLimits limits;
  limits.tokens = 4;
  limits.most = 50;
  std::vector<std::int64_t> edges;
  for (std::int64_t i = 0; i < 400; ++i) edges.push_back(100 * i);  // more files than may count
  auto const chosen = chosen_blocks(40000, edges, limits);
  EXPECT_LE(chosen.size(), 50u);
  EXPECT_GE(chosen.size(), 45u);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(chosen.front(), 0);
  EXPECT_EQ(chosen.back(), 9999);
  for (std::size_t i = 1; i < chosen.size(); ++i) EXPECT_LE(chosen[i] - chosen[i - 1], 1000) << "a stretch without a block";
  EXPECT_EQ(chosen_blocks(200, {}, limits).size(), 50u) << "all of a text that is short enough";
}

TEST(Tokens, AFileThatIsCutShortIsAnErrorAndNoSignal) {
  Folder f;
  std::string const text(100000, 'x');
  auto const path = f.text("t.txt", text);
  auto t = Tokens::load({path}, "text", 256);
  EXPECT_EQ(t.changed(), "");
  std::filesystem::resize_file(path, 50000);
  std::vector<std::int32_t> out(10);
  EXPECT_NO_THROW(t.copy(49990, 10, out.data()));
  expect_error<InputError>([&] { t.copy(49995, 10, out.data()); }, {"t.txt", "had 100000 bytes", "cut short", "-r latest"});
  expect_error<InputError>([&] { t.fingerprint(); }, {"t.txt", "cut short"});
  EXPECT_NE(t.changed().find("50000 bytes instead of 100000"), std::string::npos) << t.changed();
}

TEST(Tokens, AFileThatIsWrittenToIsSeenAndOneThatIsReplacedIsNot) {
  Folder f;
  auto const path = f.text("t.txt", std::string(1000, 'x'));
  auto t = Tokens::load({path}, "text", 256);
  auto const before = std::filesystem::last_write_time(path);
  { std::fstream(path, std::ios::in | std::ios::out).put('y'); }
  std::filesystem::last_write_time(path, before);  // as a copy that keeps times would
  EXPECT_NE(t.changed().find("t.txt"), std::string::npos);
  t.look_again();
  EXPECT_EQ(t.changed(), "");
  std::filesystem::rename(f.text("new.txt", std::string(1000, 'z')), path);
  std::vector<std::int32_t> out(2);
  t.copy(0, 2, out.data());
  EXPECT_EQ(out, (std::vector<std::int32_t>{'y', 'x'})) << "the file that was opened is read on";
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
    return [=] { Tokens::load({path}, format, vocabulary).fingerprint(); };
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
  expect_error<UsageError>(load(f.text("a.txt", "a"), "json"), {"json", "text, tokens, bytes or auto"});
  EXPECT_THROW(Tokens::load({}, "auto", 256), InputError);
  EXPECT_THROW(Tokens({}, 256), InputError);
}

TEST(TokensErrors, TheFileOfATokenOutsideTheVocabularyIsTheSecond) {
  Folder f;
  f.shard("s1.bin", {1, 2, 3});
  f.shard("s2.bin", {1, 200});
  auto const t = Tokens::load({f.path("s?.bin")}, "tokens", 100);
  expect_error<InputError>([&] { t.fingerprint(); }, {"s2.bin", "found 200 at position 1"});
  std::vector<std::int32_t> out(3);
  expect_error<InputError>([&] { t.copy(2, 3, out.data()); }, {"s2.bin", "found 200 at position 1"});
  EXPECT_NO_THROW(t.copy(0, 3, out.data()));
}

}  // namespace
}  // namespace kaon::test
