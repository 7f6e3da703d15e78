#include <kaon/checkpoint/blocks.hpp>
#include <kaon/checkpoint/cuts.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using kaon::Blocks;
using kaon::ElementType;
using kaon::FieldShape;

std::vector<FieldShape> cases() {
  return {{"/one", ElementType::u64, {1}},
          {"/vector", ElementType::f64, {500001}},
          {"/matrix", ElementType::f32, {300, 1000}},
          {"/thin", ElementType::f32, {1000000, 1}},
          {"/wide", ElementType::f32, {3, 400000}},
          {"/small workers", ElementType::f32, {5, 2, 3}},
          {"/workers", ElementType::f32, {3, 700, 1024}},
          {"/wide workers", ElementType::f64, {2, 3, 200000}},
          {"/four", ElementType::f64, {2, 2, 600, 1000}}};
}

std::uint64_t flat(FieldShape const& f, std::vector<std::uint64_t> const& index) {
  std::uint64_t at = 0;
  for (std::size_t d = 0; d < index.size(); ++d) at = at * f.shape[d] + index[d];
  return at;
}

TEST(Blocks, FollowEachOtherWithoutGapInRowMajorOrder) {
  for (auto const& f : cases()) {
    Blocks const blocks(f);
    std::uint64_t next = 0;
    for (std::uint64_t b = 0; b < blocks.count(); ++b) {
      auto const box = blocks.box(b);
      EXPECT_EQ(flat(f, box.offset), next) << f.path << " block " << b;
      auto last = box.offset;
      for (std::size_t d = 0; d < last.size(); ++d) last[d] += box.count[d] - 1;
      EXPECT_EQ(flat(f, last) + 1, next + box.elements()) << f.path << " block " << b << " is not contiguous";
      EXPECT_LE(box.elements() * size_of(f.type), kaon::integrity_block_bytes) << f.path;
      next += box.elements();
    }
    EXPECT_EQ(next, f.elements()) << f.path;
  }
}

TEST(Blocks, AreNearlyFullSoThatTheTableStaysSmall) {
  for (auto const& f : cases())
    if (f.shape.size() < 3) {
      EXPECT_LE(Blocks(f).count(), 2 * (f.bytes() / kaon::integrity_block_bytes + 1)) << f.path;
    }
}

TEST(Blocks, OfWorkersStayWithinOneWorker) {
  for (auto const& f : cases()) {
    if (f.shape.size() < 3) continue;
    Blocks const blocks(f);
    for (std::uint64_t b = 0; b < blocks.count(); ++b) EXPECT_EQ(blocks.box(b).count[0], 1u) << f.path;
  }
}

TEST(Blocks, TouchingFindsExactlyTheBlocksOfASlab) {
  for (auto const& f : cases()) {
    if (f.shape[0] > 1000) continue;
    Blocks const blocks(f);
    for (std::uint64_t first = 0; first < f.shape[0]; first += 1 + f.shape[0] / 7)
      for (std::uint64_t count = 1; first + count <= f.shape[0]; count += 1 + f.shape[0] / 5) {
        auto const [begin, end] = blocks.touching(first, count);
        for (std::uint64_t b = 0; b < blocks.count(); ++b) {
          auto const box = blocks.box(b);
          bool const touches = box.offset[0] < first + count && first < box.offset[0] + box.count[0];
          EXPECT_EQ(touches, begin <= b && b < end) << f.path << " slab " << first << "+" << count << " block " << b;
        }
      }
    EXPECT_EQ(blocks.touching(0, 0).first, blocks.touching(0, 0).second);
  }
}

TEST(Blocks, RefusesWhatIsNotThere) {
  Blocks const blocks({"/x", ElementType::f32, {4, 4}});
  EXPECT_THROW(blocks.box(1), std::invalid_argument);
  EXPECT_THROW(Blocks({"/scalar", ElementType::f32, {}}), std::invalid_argument);
}

TEST(Blocks, HashIsXxh3) {
  EXPECT_EQ(kaon::xxh3("", 0), 0x2d06800538d394c2u);  // XXH3_64bits of nothing with seed 0, from xxHash's specification
  EXPECT_NE(kaon::xxh3("a", 1), kaon::xxh3("b", 1));
}

TEST(Cuts, CoverExactlyOnce) {
  EXPECT_TRUE(kaon::covers({{0, 2}, {2, 3}}, 5));
  EXPECT_TRUE(kaon::covers({{2, 3}, {0, 0}, {0, 2}, {7, 0}}, 5));
  EXPECT_FALSE(kaon::covers({{0, 2}, {3, 2}}, 5)) << "a gap";
  EXPECT_FALSE(kaon::covers({{0, 3}, {2, 3}}, 5)) << "an overlap";
  EXPECT_FALSE(kaon::covers({{0, 5}, {0, 5}}, 5)) << "written twice";
  EXPECT_FALSE(kaon::covers({{0, 4}}, 5)) << "too short";
  EXPECT_FALSE(kaon::covers({{0, 6}}, 5)) << "too long";
  EXPECT_FALSE(kaon::covers({}, 5)) << "nobody";
}

}  // namespace
