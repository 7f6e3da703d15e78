#include "gpt_reference.hpp"

#include <cstring>

namespace kaon::test {
namespace gpt_state_test {

using G = Gpt<double>;

std::vector<double> losses(G& gpt, G::ConstPoint const& W, int worker, int steps) {
  std::vector<double> all;
  Scalar<double, Space> loss("loss");
  static std::uint64_t next = 0;  // steps ascend; which they are does not matter
  for (int k = 0; k < steps; ++k) {
    gpt.gradient(Space(), loss, W, {worker, next++}, [](int, ConstMatrix<double, Space> const&) {});
    all.push_back(value(loss));
  }
  return all;
}

Field const& field(Registry const& r, std::string const& path) {
  for (auto const& f : r)
    if (f.path == path) return f;
  throw std::runtime_error("no field " + path);
}

TEST(GptState, AResumedRunContinuesWithExactlyTheNextBatch) {
  auto const s = tiny(false);
  auto const tokens = some_tokens(500, s.vocab);
  auto const P = point<double>(random_point(s, 100));
  auto const W = as_const<double>(P);
  for (auto const* order : {"sequential", "random"}) {
    G a(s, deal(s, 3, tokens, order), 1), b(s, deal(s, 3, tokens, order), 1);
    losses(a, W, 0, 2), losses(a, W, 1, 9), losses(a, W, 2, 4);
    // Written by two ranks with workers {0} and {1, 2}, read by one.
    Registry low, high, whole;
    a.register_state(low, 0, 1);
    a.register_state(high, 1, 2);
    b.register_state(whole, 0, 3);
    auto const& cursor = field(whole, "/data/cursor");
    EXPECT_EQ(cursor.shape, (std::vector<std::uint64_t>{3, 3}));
    EXPECT_EQ(cursor.type, ElementType::i64);
    EXPECT_EQ(field(high, "/data/cursor").written.offset, (std::vector<std::uint64_t>{1, 0}));
    EXPECT_EQ(field(high, "/data/cursor").written.elements(), 6u);
    std::vector<std::int64_t> saved(9, -1);
    field(low, "/data/cursor").get(saved.data());
    field(high, "/data/cursor").get(saved.data() + 3);
    cursor.set(saved.data());
    for (int j : {2, 0, 1}) EXPECT_EQ(losses(a, W, j, 12), losses(b, W, j, 12)) << order << " worker " << j;
    saved[1] = 1 << 30;
    EXPECT_THROW(cursor.set(saved.data()), InputError);
  }
}

int allocations = 0;

TEST(GptState, AStepAllocatesNothingOnTheDevice) {
  auto const s = tiny(false);
  G gpt(s, deal(s, 2, some_tokens(500, s.vocab)), 1);
  auto const P = point<double>(random_point(s, 101));
  auto const W = as_const<double>(P);
  Scalar<double, Space> const loss("loss");
  auto const step = [&] {
    gpt.gradient(Space(), loss, W, {}, [](int, ConstMatrix<double, Space> const&) {});
    gpt.validate_piece(Space(), W, 0);
  };
  step();
  Kokkos::Tools::Experimental::set_allocate_data_callback(
      [](Kokkos::Tools::SpaceHandle, char const* label, void const*, std::uint64_t bytes) {
        if (bytes == 0) return;  // Kokkos' report of the scratch that a team on a GPU does not ask for
        std::printf("  allocated: %s\n", label);
        ++allocations;
      });
  { Scalar<double, Space> const seen("seen"); }
  EXPECT_EQ(allocations, 1) << "the count must work";
  allocations = 0;
  step();
  Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
  EXPECT_EQ(allocations, 0);
}

TEST(GptState, TheFingerprintIsWrittenOnceAndRefusesOtherData) {
  auto const s = tiny(false);
  auto tokens = some_tokens(500, s.vocab);
  G a(s, deal(s, 2, tokens), 1);
  Registry low, high, none;
  a.register_state(low, 0, 1);
  a.register_state(high, 1, 1);
  a.register_state(none, 2, 0);
  EXPECT_EQ(field(low, "/data/fingerprint").written.elements(), 1u);
  EXPECT_EQ(field(high, "/data/fingerprint").written.elements(), 0u);
  EXPECT_EQ(field(high, "/data/fingerprint").needed.elements(), 1u);
  EXPECT_EQ(field(none, "/data/cursor").written.elements(), 0u);
  std::uint64_t saved = 0;
  field(low, "/data/fingerprint").get(&saved);
  EXPECT_NO_THROW(field(high, "/data/fingerprint").set(&saved));
  EXPECT_EQ(a.contents()->note(), "");
  EXPECT_FALSE(field(high, "/data/fingerprint").absent) << "every checkpoint of a GPT has one";
  auto older = *a.contents()->older_fingerprint();  // as checkpoints of version 1 have it
  EXPECT_NE(older, saved);
  EXPECT_NO_THROW(field(high, "/data/fingerprint").set(&older));
  EXPECT_NE(a.contents()->note().find("earlier version"), std::string::npos) << a.contents()->note();
  EXPECT_THROW(field(high, "/data/fingerprint").set(&(older += 1)), InputError);
  tokens[250] = static_cast<std::uint16_t>((tokens[250] + 1) % s.vocab);
  G b(s, deal(s, 2, tokens), 1);
  Registry changed;
  b.register_state(changed, 0, 2);
  try {
    field(changed, "/data/fingerprint").set(&saved);
    FAIL() << "changed data were taken";
  } catch (InputError const& e) {
    std::printf("  %s\n", e.what());
    EXPECT_NE(std::string(e.what()).find("same training"), std::string::npos);
  }
  EXPECT_THROW(a.register_state(none, 1, 2), std::invalid_argument);
}

}  // namespace gpt_state_test
}  // namespace kaon::test
