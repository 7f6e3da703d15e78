// Files of versions 1 and 2: fields under their older paths, and companions, which a version that keeps less finds there. The
// files are of today's writer, changed to what an older one would have written.
#include "seal_again.hpp"
#include "toy.hpp"

#include <kaon/checkpoint/companions.hpp>
#include <kaon/checkpoint/older.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

namespace {

using kaon::CheckpointFile;
using kaon::Companion;
using kaon::ElementType;
using kaon::Field;
using kaon::FieldShape;
using kaon::InputError;
using kaon::Resize;
using namespace kaon::test;

TEST(Older, PathsAndRulesAreThoseOfToday) {
  auto const is = [](char const* was, char const* path, Resize rule, char const* of = "", char const* objective = "gpt") {
    auto const known = kaon::older::as_now(was, objective);
    EXPECT_EQ(known.path, path);
    EXPECT_EQ(known.resize, rule) << was;
    EXPECT_EQ(known.of, of) << was;
  };
  is("/server/W/h0.attn.q", "/model/W/h0.attn.q", Resize::kept);
  is("/server/X/x", "/ef21-muon/server/X/x", Resize::kept);
  is("/server/G/x", "/ef21-muon/server/G/x", Resize::mean_of, "/ef21-muon/workers/G/x");
  is("/workers/G/x", "/ef21-muon/workers/G/x", Resize::weighted);
  is("/workers/M/x", "/ef21-muon/workers/M/x", Resize::weighted);
  is("/compressor/up/x", "/ef21-muon/compressor/up/x", Resize::copied);
  is("/compressor/down/x", "/ef21-muon/compressor/down/x", Resize::kept);
  is("/counters/bytes_up", "/counters/bytes_up", Resize::kept);
  is("/data/cursor", "/data/cursor", Resize::new_epoch);
  is("/data/fingerprint", "/data/fingerprint", Resize::kept);
  is("/data/cursor", "/data/cursor", Resize::refused, "", "mine");
  is("/counters/mine", "/counters/mine", Resize::refused);
}

struct OlderFile : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
  kaon::Checkpoints store{comm, temp / "checkpoints", 0};
  Toy toy{comm, 5, true};

  /// Numbers in a field of their own.
  template <class T>
  static Field field(std::string const& path, ElementType type, std::vector<std::uint64_t> const& shape, std::vector<T> numbers) {
    kaon::Part const whole{std::vector<std::uint64_t>(shape.size(), 0), shape};
    EXPECT_EQ(numbers.size(), whole.elements()) << path;
    return {path,
            type,
            shape,
            whole,
            whole,
            [numbers](void* out) { std::memcpy(out, numbers.data(), numbers.size() * sizeof(T)); },
            [](void const*) {}};
  }
  /// What version 2 would have written of this state.
  std::string save(kaon::Registry const& state) {
    auto info = toy.info();
    auto const path = store.save(info, state);
    info.method.clear(), info.problem.clear();
    std::vector<FieldShape> fields;
    for (auto const& f : state) fields.push_back({f.path, f.type, f.shape});
    edit(path, [](hid_t file) {
      std::uint64_t const two = 2;
      hid_t const a = H5Aopen(file, "format_version", H5P_DEFAULT);
      EXPECT_GE(H5Awrite(a, H5T_NATIVE_UINT64, &two), 0);
      H5Aclose(a);
    });
    seal_again(path, 2, info, fields);
    EXPECT_EQ(message_of<InputError>([&] { CheckpointFile(path).verify(); }), "NO EXCEPTION");
    return path;
  }
  /// A state of the fields M (f32, 2×2×3), and W (f32, 2×3), and more.
  static kaon::Registry state(std::vector<Field> const& more) {
    kaon::Registry all{field<float>("/workers/M/x", ElementType::f32, {2, 2, 3}, M),
                       field<float>("/server/W/x", ElementType::f32, {2, 3}, W)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Today's, with this companion of one field; `into` is where W comes to lie.
  static kaon::Registry today(char const* of, Companion const& companion, std::vector<float>* into = nullptr) {
    auto all = state({});
    all[0].path = "/method/M/x", all[0].was = "/workers/M/x";
    all[1].path = "/model/W/x", all[1].was = "/server/W/x";
    if (into)
      all[1].set = [into](void const* in) {
        auto const* const from = static_cast<float const*>(in);
        into->assign(from, from + W.size());
      };
    for (auto& f : all)
      if (f.was == of) f.companions = {companion};
    return all;
  }
  std::string refusal(std::string const& path, kaon::Registry const& registry) {
    return message_of<InputError>([&] { store.load(path, registry); });
  }
  static inline std::vector<float> const W{1, -2, 3, 0.5f, 4, -0.0f}, M{1, 2, 3, 4, 5, 6, 3, 2, 1, 0, -1, -2},
      mean{2, 2, 2, 2, 2, 2};
  static inline Companion const X{.path = "/method/X/x",
                                  .was = "/server/X/x",
                                  .why = "this version keeps W alone for a layer whose downlink is the identity"};
  static inline Companion const G{
      .path = "/server/G/x", .why = "this version makes G anew in every step", .says = Companion::Says::mean};
};

TEST_F(OlderFile, FieldsAreFoundUnderTheirOlderPaths) {
  auto const path = save(toy.registry());
  Toy back(comm, 5, true);
  for (char const* layer : {"/server/W/a", "/server/W/b"}) {
    auto& f = back.field(layer);
    f.was = layer;
    f.path = std::string("/model/W/") + layer[10];
  }
  auto const got = store.load(path, back.registry());
  EXPECT_EQ(back.wrong_bytes(), 0u);
  EXPECT_EQ(got.info.method, "ef21-muon") << "the only one there was";
  EXPECT_EQ(got.info.problem, "");
  EXPECT_EQ(CheckpointFile(path).find("/server/W/a")->rule, "");

  back.field("/model/W/a").was = "/server/W/c";
  EXPECT_SAYS(refusal(path, back.registry()), "missing: dataset /server/W/c");
  auto const now = store.save(toy.info(), toy.registry());
  auto const why = refusal(now, back.registry());
  EXPECT_SAYS(why, "missing: dataset /model/W/b");
  EXPECT_SAYS(why, "/server/W/b (7×5) is not part of this run's state");
}

TEST_F(OlderFile, ACompanionThatSaysTheSameIsPassedOver) {
  auto const path = save(state({field<float>("/server/X/x", ElementType::f32, {2, 3}, W)}));
  std::vector<float> got;
  store.load(path, today("/server/W/x", X, &got));
  EXPECT_EQ(got, W);
}

// Of version 3 there are files with a companion and files without.
TEST_F(OlderFile, ACompanionMayBeThereInFilesOfThisVersion) {
  auto const now = [&](std::vector<Field> const& more) {
    auto all = today("", X);
    all.insert(all.end(), more.begin(), more.end());
    return store.save(toy.info(), all);
  };
  auto other = W;
  other[1] = 7;
  EXPECT_NO_THROW(store.load(now({}), today("/server/W/x", X)));
  EXPECT_NO_THROW(store.load(now({field<float>("/method/X/x", ElementType::f32, {2, 3}, W)}), today("/server/W/x", X)));
  EXPECT_SAYS(refusal(now({field<float>("/method/X/x", ElementType::f32, {2, 3}, other)}), today("/server/W/x", X)),
              "dataset /method/X/x differs from /model/W/x, first at [0,1]");
  EXPECT_SAYS(refusal(now({field<float>("/method/Y/x", ElementType::f32, {2, 3}, W)}), today("/server/W/x", X)),
              "/method/Y/x (2×3) is not part of this run's state");
}

// The mean of another companion, and one that nothing is asked of.
TEST_F(OlderFile, CompanionsMayBeComparedWithEachOther) {
  std::vector<float> each(12, 1.0f), their_mean(6, 1.0f), wrong(6, 2.0f);
  auto registry = today("", X);
  registry[0].companions = {
      {.path = "/method/G/x", .was = "/workers/G/x", .why = "G_j are not kept", .says = Companion::Says::nothing},
      {.path = "/method/mean/x",
       .was = "/server/G/x",
       .why = "G is the mean of G_j",
       .says = Companion::Says::mean,
       .of = "/method/G/x",
       .of_was = "/workers/G/x"}};
  auto const with = [&](std::vector<float> const& g) {
    return refusal(save(state({field<float>("/workers/G/x", ElementType::f32, {2, 2, 3}, each),
                               field<float>("/server/G/x", ElementType::f32, {2, 3}, g)})),
                   registry);
  };
  EXPECT_EQ(with(their_mean), "NO EXCEPTION");
  EXPECT_SAYS(with(wrong), "G is the mean of G_j, but dataset /server/G/x differs from the mean of /workers/G/x by");
}

TEST_F(OlderFile, ACompanionThatSaysOtherwiseIsRefusedWithBothNamesAndTheReason) {
  auto other = W;
  other[5] = 0.0f;  // another bit, the same number
  auto const path = save(state({field<float>("/server/X/x", ElementType::f32, {2, 3}, other)}));
  std::vector<float> got;
  auto const why = refusal(path, today("/server/W/x", X, &got));
  EXPECT_SAYS(why, "the state in " + path +
                       " is not this run's: this version keeps W alone for a layer whose downlink is the "
                       "identity, but dataset /server/X/x differs from /server/W/x, first at [1,2]");
  EXPECT_TRUE(got.empty()) << "nothing is taken";
}

TEST_F(OlderFile, ACompanionOfAnotherKindOrNoneIsRefused) {
  auto const with = [&](Field const& f) { return refusal(save(state({f})), today("/server/W/x", X)); };
  EXPECT_SAYS(with(field<double>("/server/X/x", ElementType::f64, {2, 3}, {1, 2, 3, 4, 5, 6})),
              "/server/X/x is float64, and /server/W/x is float32");
  EXPECT_SAYS(with(field<float>("/server/X/x", ElementType::f32, {3, 2}, W)),
              "/server/X/x has shape 3×2, and /server/W/x has 2×3");
  EXPECT_SAYS(refusal(save(state({})), today("/server/W/x", X)), "missing: dataset /server/X/x (this version keeps W alone");
}

TEST_F(OlderFile, LeadingOnesOfACompanionDoNotCount) {
  auto const path = save(state({field<float>("/server/X/x", ElementType::f32, {1, 2, 3}, W)}));
  EXPECT_NO_THROW(store.load(path, today("/server/W/x", X)));
  auto other = W;
  other[4] = 7;
  auto const bad = save(state({field<float>("/server/X/x", ElementType::f32, {1, 2, 3}, other)}));
  EXPECT_SAYS(refusal(bad, today("/server/W/x", X)), "first at [0,1,1]");
}

TEST_F(OlderFile, AMeanIsOneWithinTheRoundingOfARestart) {
  auto const with = [&](std::vector<float> const& numbers, std::vector<std::uint64_t> const& shape) {
    return refusal(save(state({field<float>("/server/G/x", ElementType::f32, shape, numbers)})), today("/workers/M/x", G));
  };
  auto const off = [](float by) {
    auto other = mean;
    for (std::size_t e = 0; e < other.size(); ++e) other[e] = 0.5f * (M[e] + M[e + 6]);
    other[0] += by;
    return other;
  };
  EXPECT_EQ(with(off(0), {2, 3}), "NO EXCEPTION");
  EXPECT_EQ(with(off(2e-4f), {2, 3}), "NO EXCEPTION") << "2e-5 of the largest norm";
  EXPECT_SAYS(with(off(2e-3f), {2, 3}),
              "this version makes G anew in every step, but dataset /server/G/x differs from the mean of /workers/M/x by 2");
  EXPECT_SAYS(with(off(0), {6, 1}), "has shape 6×1, and is to be the mean of /workers/M/x, 2×2×3");
}

// Larger than a block, with the one difference in the last.
TEST_F(OlderFile, CompanionsOfManyBlocksAreComparedToTheEnd) {
  std::vector<float> large(700 * 1000, 0.5f), other = large;
  other.back() = 0.75f;
  Field const w = field<float>("/server/W/big", ElementType::f32, {700, 1000}, large);
  auto const path = save({w, field<float>("/server/X/big", ElementType::f32, {700, 1000}, other)});
  Field now = w;
  now.companions = {{.path = "/server/X/big", .why = "one is kept"}};
  EXPECT_SAYS(refusal(path, {now}), "first at [699,999]");
}

}  // namespace
