// Kokkos' tool hooks watch whole runs: every kernel and every allocation carries a label of the house, and a step that is not the
// first allocates nothing.
#include "factorisation.hpp"
#include "watch.hpp"

#include <kaon/objective/gpt.hpp>
#include <kaon/step/engine.hpp>

#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace kaon {
namespace {

using test::Seen, test::Watch;

bool begins(std::string const& label, std::initializer_list<char const*> heads) {
  for (auto const* head : heads)
    if (label.rfind(head, 0) == 0) return true;
  return false;
}

void expect_labels(Seen const& seen, std::string const& where) {
  // Kokkos and Kokkos Kernels name the fills, copies and products that they launch for us.
  for (auto const& k : seen.kernels)
    EXPECT_TRUE(begins(k, {"kaon::", "example::", "Kokkos::", "KokkosBlas::"})) << where << ": kernel '" << k << "'";
  // A View without a label counts as "": what has no label at all is Kokkos' own team scratch, made at its first use.
  for (auto const& [a, count] : seen.allocations)
    EXPECT_TRUE(begins(a, {"kaon::", "example::", "Kokkos::"}) || a == "[unlabeled]") << where << ": allocation '" << a << "'";
}

/// Builds and runs the optimizer under watch; step 3 is the one that counts.
template <class T>
void check(Objective<T>& objective, LayerSettings const& layer, OptimizerSettings const& settings, std::string const& where) {
  Communicator const self(MPI_COMM_SELF);
  Watch const all;
  Engine<T> muon(Space(), self, objective.layers(), std::vector<LayerSettings>(objective.layers().size(), layer), settings);
  muon.initialize(objective);
  for (std::uint64_t k = 0; k < 3; ++k) muon.step(objective, k, 1.0, true);
  EXPECT_GT(all.seen().launches, 0) << "the hooks see nothing: this Kokkos was built without its tools";
  EXPECT_GT(all.seen().allocations.size(), 5u);
  expect_labels(all.seen(), where);

  Watch const one;
  muon.step(objective, 3, 1.0, false);
  std::string unwanted;
  for (auto const& [a, count] : one.seen().allocations) unwanted += "  " + std::to_string(count) + " x " + a + "\n";
  std::printf("%s: a step launches %d kernels of %zu kinds, copies %d times, allocates %zu kinds of array\n", where.c_str(),
              one.seen().launches, one.seen().kernels.size(), one.seen().copies, one.seen().allocations.size());
  EXPECT_TRUE(unwanted.empty()) << where << " allocates in a steady step:\n" << unwanted;
  expect_labels(one.seen(), where);
}

LayerSettings layer(char const* norm, char const* up, char const* down) {
  LayerSettings s;
  s.lmo.norm = norm;
  s.radius = 0.01;
  s.beta = 0.5;
  s.uplink = up;
  s.downlink = down;
  return s;
}

OptimizerSettings optimizer(int workers) {
  OptimizerSettings o;
  o.workers = workers;
  return o;
}

struct Nothing {
  KOKKOS_FUNCTION void operator()(int) const {}
};

TEST(Runtime, TheWatchSeesWhatItIsThereFor) {
  Watch const watch;
  Matrix<float, Space> const a("wrong::label", 3, 4), b(Kokkos::view_alloc(), 3, 4);
  Kokkos::parallel_for("wrong::kernel", Kokkos::RangePolicy<Space>(0, 1), Nothing{});
  EXPECT_EQ(watch.seen().allocations.count("wrong::label"), 1u);
  EXPECT_EQ(watch.seen().allocations.count(""), 1u);
  EXPECT_EQ(watch.seen().kernels.count("wrong::kernel"), 1u);
  EXPECT_FALSE(begins("wrong::label", {"kaon::", "Kokkos::"}));
  EXPECT_GE(watch.seen().launches, 1);
  long const heap = watch.heap();
  auto const number = std::make_unique<int>(3);
  std::vector<int> const numbers(100, *number);
  EXPECT_EQ(watch.heap(), heap + 2) << numbers[1];
  int const copies = watch.seen().copies, fences = watch.seen().fences;
  Kokkos::deep_copy(Space(), a, b);
  EXPECT_EQ(watch.seen().copies, copies + 1);
  Space().fence();
  EXPECT_EQ(watch.seen().fences > fences, test::fences_are_seen);
}

template <class T>
struct Step : ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Step, Scalars);

TYPED_TEST(Step, AllocatesNothingWithAnyCompressor) {
  example::Factorisation<TypeParam> problem(48, 40, 6, 3, 1);
  for (auto const* spec : {"identity",
                           "natural",
                           "natural:stochastic",
                           "bits:1",
                           "bits:2",
                           "bits:4",
                           "bits:8",
                           "top:0.1",
                           "top:0.1+bits:4",
                           "rank:0.5",
                           "rank:0.5+natural",
                           "natural:coded",
                           "top:0.1+natural:coded",
                           "rank:0.5+natural:coded",
                           "rand:0.2",
                           "columns:0.2",
                           "dither:4",
                           "sign",
                           "damp:0.5",
                           "dropout:0.5"}) {
    check<TypeParam>(problem, layer("spectral", spec, "identity"), optimizer(3), std::string("up ") + spec);
    check<TypeParam>(problem, layer("spectral", "identity", spec), optimizer(3), std::string("down ") + spec);
  }
}

TYPED_TEST(Step, AllocatesNothingWithAnyNorm) {
  example::Factorisation<TypeParam> problem(48, 40, 6, 2, 1);
  for (auto const& norm : lmo_norms()) {
    check<TypeParam>(problem, layer(norm.c_str(), "bits:4", "bits:2"), optimizer(2), norm);
    auto settings = optimizer(2);
    settings.adaptive = settings.nesterov = true;
    settings.start = Start::zero;
    auto fused = layer(norm.c_str(), "bits:4", "bits:2");
    fused.lmo.row_blocks = 2;
    fused.decay = 0.1;
    check<TypeParam>(problem, fused, settings, norm + ", two blocks, adaptive, Nesterov, decay");
  }
}

TYPED_TEST(Step, AllocatesNothingWithClippedGradients) {
  example::Factorisation<TypeParam> problem(48, 40, 6, 3, 1);
  for (auto const* method : {"ef21-muon", "muon", "adamw"}) {
    auto settings = optimizer(3);
    settings.clip = 1e-3;
    auto one = layer("spectral", "bits:4", "bits:2");
    one.method = method;
    check<TypeParam>(problem, one, settings, std::string("clipped, ") + method);
  }
}

TYPED_TEST(Step, AllocatesNothingWithAnyMethod) {
  example::Factorisation<TypeParam> problem(48, 40, 6, 2, 1);
  for (auto const& method : method_names()) {
    auto settings = layer("spectral", "identity", "identity");
    settings.method = method;
    settings.decay = 0.1;
    check<TypeParam>(problem, settings, optimizer(2), "method " + method);
  }
}

TYPED_TEST(Step, AllocatesNothingWithATransformer) {
  auto const path = std::filesystem::temp_directory_path() / ("kaon-hygiene-" + std::to_string(::getpid()) + ".txt");
  {
    std::ofstream text(path);
    for (int i = 0; i < 4000; ++i) text << "word " << i % 97 << ' ';
  }
  DataSettings data;
  data.train = {path.string()};
  GptShape shape;
  shape.layers = 2, shape.heads = 2, shape.width = 16, shape.context = 16, shape.batch = 2;
  Gpt<TypeParam> gpt(shape, data, 1, 2);
  check<TypeParam>(gpt, layer("spectral", "bits:4", "bits:2"), optimizer(2), "gpt");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace kaon
