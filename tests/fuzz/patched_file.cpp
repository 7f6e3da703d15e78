#include "patched_file.hpp"

#include <cmath>

namespace kaon::fuzz {

PatchedFile::PatchedFile(std::string const& name, Input content) : path_(scratch(name)), content_(std::move(content)) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < content_.size(); ++i) {
    if (content_[i] != 0) last = i + 9;
    bool const soon = i + 8 < content_.size() && content_[i + 8] != 0;
    if (i < last || soon) places_.push_back(static_cast<std::uint32_t>(i));
  }
  demand(!places_.empty() && places_.size() < 65536, "a file to damage must have content that 16 bits can point into");
  now_ = content_;
  put_file(path_, content_);
}

void PatchedFile::damage(InputView patches) {
  now_ = content_;
  Choices choices(patches);
  while (!choices.empty() && !now_.empty()) {
    auto const deed = choices.number<std::uint8_t>();
    auto const at = std::min<std::size_t>(places_[choices.number<std::uint16_t>() % places_.size()], now_.size() - 1);
    switch (deed % 6) {
      case 0: {
        auto const bytes = choices.take(1 + choices.below(16));
        for (std::size_t i = 0; i < bytes.size() && at + i < now_.size(); ++i) now_[at + i] = bytes[i];
        break;
      }
      case 1:
        now_[at] ^= static_cast<unsigned char>(1U << choices.below(8));
        break;
      case 2:
        now_.resize(at);
        break;
      case 3: {
        auto const size = std::size_t{1} << choices.below(13);
        auto const value = choices.number<std::uint8_t>();
        std::size_t const begin = at / size * size;
        for (std::size_t i = begin; i < begin + size && i < now_.size(); ++i) now_[i] = value;
        break;
      }
      case 4: {
        auto const from = places_[choices.number<std::uint16_t>() % places_.size()];
        std::size_t const size = 1 + choices.number<std::uint8_t>();
        for (std::size_t i = 0; i < size && at + i < now_.size() && from + i < content_.size(); ++i)
          now_[at + i] = content_[from + i];
        break;
      }
      default:
        now_.resize(now_.size() + 1 + choices.number<std::uint8_t>(), choices.number<std::uint8_t>());
    }
  }
  damaged_ = now_ != content_;
  put_file(path_, now_);
}

Input one_bit(double share) {
  auto const place = static_cast<std::uint16_t>(std::lround(share * 65535));
  return {1, static_cast<unsigned char>(place & 255), static_cast<unsigned char>(place >> 8), 3};
}

}  // namespace kaon::fuzz
