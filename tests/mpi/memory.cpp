// What a rank allocates for the optimizer and its messages is what docs/exchange.md says, byte for byte: counted by Kokkos' tool
// hooks, on any number of ranks.
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace kaon {
namespace {

std::map<std::string, std::int64_t>* live = nullptr;  // label: bytes
std::int64_t now = 0, peak = 0;

bool counts(std::string const& label) {
  for (auto const* room : {"kaon::step::", "kaon::method::", "kaon::exchange::"})
    if (label.rfind(room, 0) == 0) return true;
  return false;
}
void change(char const* label, std::int64_t bytes) {
  if (!live) return;
  (*live)[label] += bytes;
  if (!counts(label)) return;
  now += bytes;
  peak = std::max(peak, now);
}
void allocated(Kokkos_Profiling_SpaceHandle, char const* label, void const*, std::uint64_t bytes) {
  change(label, static_cast<std::int64_t>(bytes));
}
void freed(Kokkos_Profiling_SpaceHandle, char const* label, void const*, std::uint64_t bytes) {
  change(label, -static_cast<std::int64_t>(bytes));
}

/// Counts for as long as it lives.
struct Watch {
  std::map<std::string, std::int64_t> bytes;
  Watch() {
    using namespace Kokkos::Tools::Experimental;
    set_allocate_data_callback(allocated);
    set_deallocate_data_callback(freed);
    live = &bytes;
    now = peak = 0;
  }
  ~Watch() { live = nullptr; }
  std::int64_t of(std::string const& head) const {
    std::int64_t sum = 0;
    for (auto const& [label, n] : bytes) sum += label.rfind(head, 0) == 0 ? n : 0;
    return sum;
  }
};

struct Case {
  int workers;
  Start start;
  std::string up, down;
  Topology topology = Topology::sharded;
  std::size_t bundle = 0;
  int micro_batches = 1;
  double clip = 0;
};

struct Formula {
  std::int64_t state = 0, scratch = 0, payload = 0, messages = 0, sums = 0, held = 0;
  std::int64_t total() const { return state + scratch + payload + messages + sums + held; }
};

// How many partial sums of others stand beside each other while a home joins them: a received block stays until it is the right
// half of a larger one.
std::size_t at_once(Plan const& plan, std::vector<int> const& group, int rank) {
  struct Standing {
    int first, size;
    bool received;
  };
  std::vector<Standing> standing;
  std::size_t most = 0;
  for (int const r : group)
    for (auto const& b : blocks_of(plan.micros_at(r))) {
      standing.push_back({b.first, b.size, r != rank});
      most = std::max(most, static_cast<std::size_t>(
                                std::count_if(standing.begin(), standing.end(), [](auto const& s) { return s.received; })));
      while (standing.size() > 1) {
        auto& left = standing[standing.size() - 2];
        auto const& right = standing.back();
        if (left.size != right.size || left.first % (2 * left.size) != 0) break;
        left.size *= 2;
        standing.pop_back();
      }
    }
  return most;
}

// docs/exchange.md, "Memory of a rank".
template <class T>
Formula formula(std::vector<Layer> const& layers, Case const& c, Plan const& plan, int rank, bool dense) {
  Formula f;
  std::vector<std::int64_t> up, down, sum;  // longest payloads
  std::int64_t largest = 0, all = 0;
  std::int64_t const s = sizeof(T), header = packet_header_bytes;
  for (int i = 0; i < plan.layers(); ++i) {
    auto const& l = layers[static_cast<std::size_t>(i)];
    std::int64_t const mn = std::int64_t{l.rows} * l.cols;
    auto const codec_up = make_compressor<T, Space>(c.up, l.rows, l.cols),
               codec_down = make_compressor<T, Space>(c.down, l.rows, l.cols);
    up.push_back(static_cast<std::int64_t>(codec_up->bytes_bound()));
    down.push_back(static_cast<std::int64_t>(codec_down->bytes_bound()));
    sum.push_back((mn * s + 7) / 8 * 8);
    if (dense) up.back() = std::max(up.back(), sum.back());
    bool const served = plan.serves(rank, i);
    std::int64_t const here = plan.homes_at(rank, i).count;
    auto const [ur, uc] = codec_up->state_shape();
    auto const [dr, dc] = codec_down->state_shape();
    std::int64_t const x = codec_down->replaces() ? 0 : mn, g = codec_up->replaces() ? 0 : mn;  // what drops nothing keeps none
    f.state += s * (mn + (served ? x + g + dr * dc : 0) + here * (mn + g + ur * uc));
    largest = std::max(largest, mn);
    all += mn;
    f.payload = std::max({f.payload, up.back(), down.back()});
  }
  f.scratch = 2 * largest * s;
  for (auto const& bundle : plan.bundles()) {
    std::int64_t letter_up = 0, letter_down = 0;
    for (int const i : bundle.layers) {
      letter_up += header + up[static_cast<std::size_t>(i)];
      letter_down += header + down[static_cast<std::size_t>(i)];
    }
    int const first = bundle.layers.front();
    int const mine = plan.homes_at(rank, first).count;
    f.messages += (plan.serves(rank, first) ? plan.workers() : mine) * letter_up;
    if (plan.ranks() > 1 && plan.topology() != Topology::replicated) f.messages += letter_down;
  }
  auto const at = plan.workers_at(rank);
  bool const shared = at.count == 1 && plan.group_of(at.first).size() > 1;
  if (c.clip > 0 && at.count > 0 && (shared || plan.micro_batches() == 1))
    for (int i = 0; i < plan.layers(); ++i)
      if (auto const& l = layers[static_cast<std::size_t>(i)]; plan.home_of(i, at.first) == rank) f.held += s * l.rows * l.cols;
  if (plan.micro_batches() > 1 && at.count > 0) {
    std::size_t depth = 0, others = 0;
    auto const blocks = [](Range const& r) { return blocks_of(r); };
    auto const mine = plan.micros_at(rank);
    for (int m = 1; m <= mine.count; ++m) depth = std::max(depth, blocks({mine.first, m}).size());
    auto const& group = plan.group_of(at.first);
    if (group.size() > 1)
      for (auto const& bundle : plan.bundles()) {
        bool const home = plan.home_of(bundle.layers.front(), at.first) == rank;
        for (int const r : group) {
          std::int64_t letter = 0;
          auto const n = static_cast<std::int64_t>(blocks(plan.micros_at(home ? r : rank)).size());
          for (int const i : bundle.layers) letter += n * (header + sum[static_cast<std::size_t>(i)]);
          if (home ? r != rank : r == group.front()) f.messages += letter;
        }
      }
    std::int64_t joined = 0;  // entries of the largest layer that it joins
    for (int i = 0; i < plan.layers(); ++i)
      if (auto const& l = layers[static_cast<std::size_t>(i)]; plan.home_of(i, at.first) == rank)
        joined = std::max(joined, std::int64_t{l.rows} * l.cols);
    if (group.size() > 1 && joined > 0) others = at_once(plan, group, rank);
    f.sums = s * (static_cast<std::int64_t>(depth) * all + static_cast<std::int64_t>(others) * joined);
  }
  return f;
}

// Small things (counters, norms, losses, rounding of every allocation to words) may take so much besides.
constexpr std::int64_t small = 40000;

template <class T>
void expect_formula(Case const& c) {
  Communicator const world(MPI_COMM_WORLD);
  std::vector<Layer> const layers{{"table", 300, 64}, {"a", 64, 64}, {"b", 96, 64}, {"c", 64, 96}, {"row", 1, 64}};
  std::vector<LayerSettings> const s(layers.size(), test::settings("frobenius", c.up, c.down));
  OptimizerSettings o;
  o.workers = c.workers;
  o.start = c.start;
  o.topology = c.topology;
  o.bundle_bytes = c.bundle;
  o.clip = c.clip;
  test::Quadratic<T> objective(layers, c.workers, 77, c.micro_batches);
  Watch const watch;
  Engine<T> muon(Space(), world, layers, s, o, c.micro_batches);
  auto const& plan = muon.exchange().plan();
  auto const steady = formula<T>(layers, c, plan, world.rank(), false).total();
  auto const dense = formula<T>(layers, c, plan, world.rank(), c.start == Start::dense).total();
  auto const where = c.up + " up, " + c.down + " down, " + std::to_string(c.workers) + " workers of " +
                     std::to_string(c.micro_batches) + " micro-batches, " + (c.start == Start::dense ? "dense" : "zero") +
                     " start, " + name_of(c.topology) + ", rank " + std::to_string(world.rank()) + " of " +
                     std::to_string(world.size());
  auto const near = [&](std::int64_t counted, std::int64_t should, char const* when) {
    EXPECT_GE(counted, should) << when << ", " << where;
    EXPECT_LE(counted, should + small) << when << ", " << where;
  };
  near(now, steady, "made");
  EXPECT_EQ(peak, now) << "making it takes more than having it, " << where;
  muon.initialize(objective);
  muon.step(objective, 0, 1.0, true);
  near(peak, dense, "first step");
  peak = now;
  for (std::uint64_t k = 1; k < 4; ++k) muon.step(objective, k, 1.0, true);
  muon.finish();
  near(now, steady, "later steps");
  EXPECT_LE(peak, std::max(dense, steady) + small) << "giving back the first step's room, " << where;
  auto const tools = watch.of("kaon::compress::");
  std::printf("  %s: %lld bytes, %lld in the first step; workspaces of compressors %lld, %.2f largest layers\n", where.c_str(),
              static_cast<long long>(steady), static_cast<long long>(dense), static_cast<long long>(tools),
              static_cast<double>(tools) / (300 * 64 * sizeof(T)));
}

TEST(Memory, IsTheFormula) {
  for (int const workers : {1, 2, 5})
    for (auto const start : {Start::dense, Start::zero})
      for (auto const topology : all_topologies) {
        expect_formula<float>({workers, start, "bits:4", "bits:2", topology, 0, 1});
        expect_formula<float>({workers, start, "rank:0.1+bits:4", "top:0.1", topology, 20000, 1});
        expect_formula<double>({workers, start, "natural:coded", "identity", topology, 60000, 1});
      }
}

TEST(Memory, OfClippedGradientsIsTheFormula) {
  for (int const micro_batches : {1, 3})
    for (auto const topology : all_topologies)
      for (int const workers : {1, 2})
        expect_formula<float>({workers, Start::zero, "bits:4", "bits:2", topology, 20000, micro_batches, 1.0});
}

// docs/exchange.md: two rounds have the messages of both; docs/methods.md: W, P and Q on every rank, M_j for the workers at home.
TEST(Memory, OfTwoRoundsIsTheFormula) {
  Communicator const world(MPI_COMM_WORLD);
  std::vector<Layer> const layers{{"table", 300, 64}, {"a", 64, 64}, {"b", 96, 64}, {"c", 64, 96}};
  auto s = test::settings("frobenius", "identity", "identity");
  s.method = "dion";
  std::int64_t const r = 16, size = sizeof(float), header = packet_header_bytes;
  for (int const workers : {1, 2, 5})
    for (auto const topology : all_topologies)
      for (std::size_t const bundle : {std::size_t(0), std::size_t(30000)}) {
        OptimizerSettings o;
        o.workers = workers;
        o.topology = topology;
        o.bundle_bytes = bundle;
        Watch const watch;
        Engine<float> engine(Space(), world, layers, std::vector<LayerSettings>(layers.size(), s), o);
        auto const& plan = engine.exchange().plan();
        std::int64_t should = 0, payload = 0, largest = 0;
        for (int i = 0; i < plan.layers(); ++i) {
          std::int64_t const m = layers[static_cast<std::size_t>(i)].rows, n = layers[static_cast<std::size_t>(i)].cols;
          std::int64_t const home = plan.homes_at(world.rank(), i).count;
          should += size * (m * n + (m + n) * r + home * m * n);
          bool const sends = plan.ranks() > 1 && topology != Topology::replicated;
          for (std::int64_t const rows : {m, n})
            should += (header + size * rows * r) * ((plan.serves(world.rank(), i) ? workers : home) + (sends ? 1 : 0));
          payload = std::max(payload, size * std::max(m, n) * r);
          largest = std::max(largest, m * n);
        }
        should += payload + 2 * size * largest;
        EXPECT_GE(now, should) << name_of(topology) << ", " << workers << " workers";
        EXPECT_LE(now, should + small) << name_of(topology) << ", " << workers << " workers";
        auto const made = now;
        test::Quadratic<float> objective(layers, workers, 77);
        engine.initialize(objective);
        for (std::uint64_t k = 0; k < 3; ++k) engine.step(objective, k, 1.0, true);
        EXPECT_EQ(now, made) << "a step keeps what it took";
      }
}

TEST(Memory, OfMicroBatchesIsTheFormula) {
  for (int const micro_batches : {2, 3, 7})
    for (auto const topology : all_topologies) {
      expect_formula<float>({1, Start::dense, "bits:4", "bits:2", topology, 20000, micro_batches});
      expect_formula<double>({2, Start::zero, "rank:0.2", "bits:2", topology, 0, micro_batches});
    }
}

/// Arrays of the size of a layer, of the table in docs/methods.md: on every rank, at servers, for each worker at its home, and
/// for each worker computed on the rank.
struct Arrays {
  char const* method;
  bool compressed;
  LocalSettings local = {};
  bool nesterov = false;
  int everywhere = 1, served = 0, home = 0, computed = 0;
};

LocalSettings in_rounds(LocalForm form, Outer outer = Outer::average) {
  LocalSettings l;
  l.steps = 3;
  l.form = form;
  l.outer = outer;
  return l;
}

TEST(Memory, ModelSizedArraysAreThoseOfTheTable) {
  Communicator const world(MPI_COMM_WORLD);
  std::vector<Layer> const layers{{"table", 300, 64}, {"a", 64, 64}, {"b", 96, 64}, {"c", 64, 96}, {"row", 1, 64}};
  auto const update = in_rounds(LocalForm::update), outer = in_rounds(LocalForm::update, Outer::nesterov),
             gradient = in_rounds(LocalForm::gradient);
  Arrays const table[] = {
      {"ef21-muon", true, {}, false, 1, 2, 2, 0},   {"ef21-muon", false, {}, false, 1, 0, 1, 0},
      {"muon", false, {}, false, 1, 1, 0, 0},       {"muon", false, {}, true, 1, 2, 0, 0},
      {"adamw", false, {}, false, 1, 2, 0, 0},      {"ef21-muon", true, update, false, 1, 2, 1, 2},
      {"ef21-muon", true, outer, true, 1, 3, 1, 3}, {"ef21-muon", false, outer, false, 1, 3, 0, 2},
      {"adamw", true, outer, false, 1, 3, 1, 3},    {"ef21-muon", true, gradient, false, 1, 2, 2, 2},
  };
  for (auto const& of : table)
    for (auto const topology : all_topologies)
      for (int const workers : {1, 3}) {
        std::vector<LayerSettings> s(layers.size(), test::settings("frobenius", of.compressed ? "bits:4" : "identity",
                                                                   of.compressed ? "bits:2" : "identity"));
        for (auto& one : s) one.method = of.method;
        OptimizerSettings o;
        o.workers = workers;
        o.topology = topology;
        o.nesterov = of.nesterov;
        o.local = of.local;
        Watch const watch;
        Engine<float> const engine(Space(), world, layers, s, o);
        auto const& plan = engine.exchange().plan();
        std::int64_t should = 0, largest = 0, payload = 0;
        for (int i = 0; i < plan.layers(); ++i) {
          auto const& l = layers[static_cast<std::size_t>(i)];
          std::int64_t const bytes = std::int64_t{l.rows} * l.cols * 4;
          should += bytes * (of.everywhere + (plan.serves(world.rank(), i) ? of.served : 0) +
                             plan.homes_at(world.rank(), i).count * of.home + plan.workers_at(world.rank()).count * of.computed);
          if (plan.serves(world.rank(), i)) largest = std::max(largest, bytes);
        }
        auto counted = watch.of("kaon::step::W") + watch.of("kaon::method::") - watch.of("kaon::method::scratch") -
                       watch.of("kaon::method::payload");
        payload = watch.of("kaon::method::update_before");  // the largest layer served, once
        if (of.local.on() && of.local.form == LocalForm::update) {
          EXPECT_NEAR(static_cast<double>(payload), static_cast<double>(largest), 200);
        }
        counted -= payload;
        auto const where = std::string(of.method) + (of.compressed ? " compressed" : "") + ", rounds of " +
                           std::to_string(of.local.steps) + ", " + name_of(topology) + ", " + std::to_string(workers) +
                           " workers, rank " + std::to_string(world.rank()) + " of " + std::to_string(world.size());
        EXPECT_GE(counted, should) << where;
        EXPECT_LE(counted, should + small / 2) << where;
      }
}

}  // namespace
}  // namespace kaon
