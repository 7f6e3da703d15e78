#ifndef KAON_TESTS_FUZZ_MUTATE_HPP
#define KAON_TESTS_FUZZ_MUTATE_HPP

#include "target.hpp"

#include <cstdint>
#include <random>

namespace kaon::fuzz {

/// Inputs made from others by chance: the same ones for the same seed, on every machine.
class Mutator {
 public:
  Mutator(Target const& target, std::uint64_t seed);
  Input next();
  /// An input that was taken: later ones may be made from it.
  void keep(Input input);

 private:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  void mutate(Input& input);
  void insert(Input& input, InputView bytes);

  Target const& target_;
  std::mt19937_64 random_;
  std::vector<Input> pool_;
  std::size_t seeds_;
};

}  // namespace kaon::fuzz

#endif
