#include "mutate.hpp"

#include <algorithm>

namespace kaon::fuzz {

Mutator::Mutator(Target const& target, std::uint64_t seed)
    : target_(target), random_(seed), pool_(target.seeds()), seeds_(pool_.size()) {
  demand(!pool_.empty(), "a target needs seeds");
}

void Mutator::keep(Input input) {
  constexpr std::size_t most = 256;
  if (pool_.size() < seeds_ + most)
    pool_.push_back(std::move(input));
  else
    pool_[seeds_ + below(most)] = std::move(input);
}

void Mutator::insert(Input& input, InputView bytes) {
  auto const at = input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1));
  if (below(2) == 0) {
    input.insert(at, bytes.begin(), bytes.end());
  } else {
    auto const room = std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(input.end() - at));
    std::copy_n(bytes.begin(), room, at);
  }
}

void Mutator::mutate(Input& input) {
  constexpr unsigned char odd[] = {0, 1, 7, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255};
  auto const somewhere = [&] { return below(input.size()); };
  switch (input.empty() ? 3 : below(9)) {
    case 0:
      input[somewhere()] ^= static_cast<unsigned char>(1U << below(8));
      break;
    case 1:
      input[somewhere()] = static_cast<unsigned char>(below(256));
      break;
    case 2:
      input[somewhere()] = odd[below(sizeof odd)];
      break;
    case 3: {
      Input some(1 + below(8));
      for (auto& byte : some) byte = static_cast<unsigned char>(below(256));
      insert(input, some);
      break;
    }
    case 4: {
      auto const at = somewhere(), n = std::min(1 + below(16), input.size() - at);
      input.erase(input.begin() + static_cast<std::ptrdiff_t>(at), input.begin() + static_cast<std::ptrdiff_t>(at + n));
      break;
    }
    case 5: {
      auto const& other = pool_[below(pool_.size())];
      if (other.empty()) break;
      auto const at = below(other.size()), n = 1 + below(std::min<std::size_t>(64, other.size() - at));
      Input const some(other.begin() + static_cast<std::ptrdiff_t>(at), other.begin() + static_cast<std::ptrdiff_t>(at + n));
      insert(input, some);
      break;
    }
    case 6:
      if (!target_.words.empty()) insert(input, bytes_of(target_.words[below(target_.words.size())]));
      break;
    case 7:
      input.resize(below(8) == 0 ? below(input.size()) : input.size() - below(std::min<std::size_t>(9, input.size())));
      break;
    default: {
      auto const at = somewhere();
      for (std::size_t i = at; i < std::min(input.size(), at + 8); ++i) input[i] = below(2) ? 0xff : 0;
    }
  }
}

Input Mutator::next() {
  Input input = pool_[below(pool_.size())];
  for (auto n = 1 + below(6); n > 0; --n) mutate(input);
  input.resize(std::min(input.size(), target_.longest));
  return input;
}

}  // namespace kaon::fuzz
