#ifndef KAON_TESTS_FUZZ_CHECKPOINT_STATE_HPP
#define KAON_TESTS_FUZZ_CHECKPOINT_STATE_HPP

#include <kaon/checkpoint/reader.hpp>
#include <kaon/checkpoint/rules.hpp>

#include <cstring>

namespace kaon::fuzz {

/// A small state of every element type and of one, two and three dimensions, all on this rank.
inline Registry sample_registry() {
  Registry all;
  auto const add = [&](std::string const& path, ElementType type, std::vector<std::uint64_t> const& shape, Resize rule) {
    Part const whole{std::vector<std::uint64_t>(shape.size(), 0), shape};
    auto const get = [bytes = whole.elements() * size_of(type), first = all.size()](void* out) {
      for (std::size_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(out)[i] = static_cast<unsigned char>(i * 11 + first);
    };
    all.push_back({path, type, shape, whole, whole, get, [](void const*) {}});
    all.back().resize = rule;
  };
  add("/model/W/h0.attn.q", ElementType::f32, {3, 4}, Resize::kept);
  all.back().was = "/server/W/h0.attn.q";
  add("/m/G/head", ElementType::f64, {3, 2}, Resize::mean_of);
  all.back().of = "/m/M/head";
  add("/m/M/head", ElementType::f64, {2, 3, 2}, Resize::weighted);
  all.back().was = "/workers/M/head";
  add("/data/cursor", ElementType::i64, {2, 3}, Resize::new_epoch);
  add("/counters/up", ElementType::u64, {1}, Resize::kept);
  return all;
}

inline CheckpointInfo sample_info() {
  CheckpointInfo i;
  i.step = 5;
  i.workers = 2;
  i.seed = 42;
  i.precision = "float32";
  i.deck = "[run]\nsteps = 10\n";
  i.method = "ef21-muon";
  i.problem = "0123456789abcdef";
  i.version = "0.1.0";
  i.git_hash = "abc";
  i.fingerprint = "Serial";
  i.created = "2030-01-01T00:00:00Z";
  i.provenance = {{"hosts", "a b c"}};
  return i;
}

}  // namespace kaon::fuzz

#endif
