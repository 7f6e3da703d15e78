// Data and problem files that cannot be used: exit code 65, file and cure named, no run folder begun.
#include "program.hpp"

#include <hdf5.h>

#include <cstdint>
#include <cstring>
#include <filesystem>

namespace kaon::test {
namespace {

std::string shard(std::int32_t magic, std::int32_t version, std::int32_t count, std::size_t tokens, std::uint16_t token = 7) {
  std::vector<std::int32_t> header(256, 0);
  header[0] = magic, header[1] = version, header[2] = count;
  std::vector<std::uint16_t> const body(tokens, token);
  std::string text(reinterpret_cast<char const*>(header.data()), 1024);
  return text.append(reinterpret_cast<char const*>(body.data()), 2 * tokens);
}

class Data : public ::testing::Test {
 protected:
  Data() { put_gpt(s); }
  void refused(std::string const& file, std::vector<std::string> parts, Words more = {}) {
    Words arguments{"-i", "gpt.deck", "data.train=" + file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto const before = s.snapshot();
    EXPECT_TRUE(ended(s.train(arguments), 65, parts));
    EXPECT_EQ(s.snapshot(), before);
  }
  Scratch s;
};

TEST_F(Data, ASoundShardTrains) {
  s.write("ok.bin", shard(20240520, 1, 4000, 4000));
  EXPECT_TRUE(ended(s.train({"-i", "gpt.deck", "data.train=ok.bin"}), 0, {"4000 training tokens"}));
}
TEST_F(Data, MissingFile) { refused("none.txt", {"none.txt", "No such file", "check the path"}); }
TEST_F(Data, PatternWithoutMatch) { refused("none-*.bin", {"none-*.bin", "no file matches"}); }
TEST_F(Data, TruncatedShard) {
  s.write("cut.bin", shard(20240520, 1, 4000, 3990));
  refused("cut.bin", {"cut.bin", "4000 tokens", "truncated"});
}
TEST_F(Data, ShardCutInItsHeader) {
  s.write("cut.bin", shard(20240520, 1, 0, 0).substr(0, 100));
  refused("cut.bin", {"cut.bin", "1024 bytes", "100 bytes"});
}
TEST_F(Data, WrongMagic) {
  s.write("odd.bin", shard(20240521, 1, 4000, 4000));
  refused("odd.bin", {"odd.bin", "20240520", "20240521"});
}
TEST_F(Data, WrongShardVersion) {
  s.write("odd.bin", shard(20240520, 9, 4000, 4000));
  refused("odd.bin", {"odd.bin", "version 1", "found 9"});
}
TEST_F(Data, TokenAboveTheVocabulary) {
  s.write("high.bin", shard(20240520, 1, 4000, 4000, 300));
  refused("high.bin", {"high.bin", "256", "300"});
}
TEST_F(Data, TextTooShort) {
  s.write("short.txt", "a few words");
  refused("short.txt", {"too short", "2 workers"});
}
TEST_F(Data, ValidationTooShort) {
  s.write("short.txt", "a few words");
  refused("text.txt", {"validation", "too short"}, {"data.validation=short.txt"});
}
TEST_F(Data, EmptyText) {
  s.write("empty.txt", "");
  refused("empty.txt", {"empty.txt"});
}
TEST_F(Data, AFolderIsNoText) {
  std::filesystem::create_directory(s / "folder");
  refused("folder", {"folder"});
}

class Problem : public ::testing::Test {
 protected:
  Problem() { put_least_squares(s); }
  Outcome train(Words more = {}) {
    more.insert(more.begin(), {"-i", "squares.deck"});
    return s.train(more);
  }
  Scratch s;
};

TEST_F(Problem, ASoundOneTrains) { EXPECT_TRUE(ended(train(), 0, {"least squares", "finished at step 3"})); }
TEST_F(Problem, MissingFile) {
  EXPECT_TRUE(ended(train({"least-squares.problem=none.h5"}), 65, {"none.h5", "No such file"}));
  EXPECT_FALSE(s.has("run"));
}
TEST_F(Problem, NotHdf5) { EXPECT_TRUE(ended(train({"least-squares.problem=squares.deck"}), 65, {"squares.deck", "HDF5"})); }
TEST_F(Problem, AnotherNumberOfWorkers) {
  EXPECT_TRUE(ended(train({"optimizer.workers=3"}), 65, {"holds 2 workers", "workers = 3"}));
}
TEST_F(Problem, MissingDataset) {
  hid_t const file = H5Fopen((s / "problem.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, "/B", H5P_DEFAULT);
  H5Fclose(file);
  EXPECT_TRUE(ended(train(), 65, {"problem.h5", "/B", "missing"}));
}

}  // namespace
}  // namespace kaon::test
