#ifndef KAON_TESTS_FUZZ_CHOICES_HPP
#define KAON_TESTS_FUZZ_CHOICES_HPP

#include "target.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace kaon::fuzz {

/// Reads an input as a row of decisions; behind its end there are zeros.
class Choices {
 public:
  explicit Choices(InputView input) : left_(input) {}
  bool empty() const { return left_.empty(); }
  template <class N>
  N number() {
    std::array<unsigned char, sizeof(N)> raw{};
    auto const n = std::min(raw.size(), left_.size());
    std::copy_n(left_.begin(), n, raw.begin());
    left_ = left_.subspan(n);
    N value{};
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  std::size_t below(std::size_t n) { return number<std::uint8_t>() % n; }
  /// True for one byte in 8: what a mutation turns on now and then.
  bool seldom() { return number<std::uint8_t>() % 8 == 7; }
  template <class T, std::size_t N>
  T const& pick(std::array<T, N> const& from) {
    return from[below(N)];
  }
  InputView take(std::size_t n) {
    auto const some = left_.first(std::min(n, left_.size()));
    left_ = left_.subspan(some.size());
    return some;
  }
  InputView rest() { return take(left_.size()); }

 private:
  InputView left_;
};

}  // namespace kaon::fuzz

#endif
