// payload: a byte that picks a compressor, one that says whether what is missing to its bound is filled up, then a payload. Every
// compressor of the table is there, in shapes that reach its odd ends and its whole groups of blocks.
#include "choices.hpp"
#include "codecs.hpp"

#include <kaon/compress/registry.hpp>

namespace kaon::fuzz {
namespace {

struct Shape {
  int rows, cols;
};
std::array<Shape, 3> const small{{{5, 7}, {1, 133}, {20, 24}}};
constexpr Shape large{96, 72};  // three blocks of 2048 indices and a rest

std::vector<std::string> const small_specs{"identity",
                                           "natural",
                                           "natural:stochastic:coded",
                                           "bits:1:block=64",
                                           "bits:2",
                                           "bits:4:block=64",
                                           "bits:8",
                                           "dither:2:block=64",
                                           "dither:4",
                                           "dither:8",
                                           "sign",
                                           "damp:0.6",
                                           "top:0.15",
                                           "top:0.2+natural",
                                           "top:0.3+bits:1",
                                           "top:1+bits:8",
                                           "top:0.2+sign",
                                           "top:0.2+dither:4",
                                           "top:0.5+natural:coded",
                                           "rand:0.1",
                                           "rand:0.3+natural:coded",
                                           "rand:0.5+bits:4",
                                           "columns:0.25",
                                           "columns:0.5+natural",
                                           "columns:1+bits:4",
                                           "rank:0.3",
                                           "rank:1",
                                           "rank:0.3+natural:coded",
                                           "rank:0.5+bits:2",
                                           "dropout:0.99",
                                           "dropout:0.99+natural:coded",
                                           "dropout:0.99+top:0.2+natural:coded",
                                           "dropout:0.99+rank:0.3",
                                           "dropout:0.99+rand:0.5"};
std::vector<std::string> const large_specs{"natural:coded", "top:1", "top:0.95+natural:coded", "bits:4", "rand:0.9"};

std::vector<std::unique_ptr<Codec>> const& codecs() {
  static std::vector<std::unique_ptr<Codec>> const all = [] {
    std::vector<std::unique_ptr<Codec>> made;
    for (std::size_t s = 0; s < small_specs.size(); ++s)
      for (std::size_t k = 0; k < small.size(); ++k)
        made.push_back(make_codec(small_specs[s], small[k].rows, small[k].cols, (s + k) % 3 == 2));
    for (auto const& spec : large_specs) made.push_back(make_codec(spec, large.rows, large.cols, false));
    for (auto const& entry : compressor_table<float, Kokkos::Serial>()) {
      bool there = false;
      for (auto const& codec : made) there = there || (codec->spec() + ':').rfind(std::string(entry.name) + ':', 0) == 0;
      demand(there, std::string("no payload of compressor ") + entry.name + " is fuzzed: add it to tests/fuzz/payload.cpp");
    }
    demand(made.size() <= 256, "more compressors than a byte can pick");
    return made;
  }();
  return all;
}

void run_payload(InputView input) {
  Choices choices(input);
  auto& codec = *codecs()[choices.below(codecs().size())];
  bool const fill = choices.number<std::uint8_t>() % 2 == 0;
  auto const given = choices.rest();
  Input payload(given.begin(), given.end());
  if (fill) payload.resize(codec.bytes_bound(), payload.empty() ? 0 : payload.back());
  codec.decompress(payload);
}

std::vector<Input> seeds_of_payload() {
  std::vector<Input> all;
  for (std::size_t c = 0; c < codecs().size(); ++c) {
    Input input{static_cast<unsigned char>(c), 1};
    auto const payload = codecs()[c]->compressed(c);
    input.insert(input.end(), payload.begin(), payload.end());
    all.push_back(std::move(input));
  }
  return all;
}

}  // namespace

Target payload_target() {
  return {"payload",   {Exit::bad_input}, 32768,
          run_payload, seeds_of_payload,  {std::string(8, '\xff'), std::string(8, '\0'), "\x7f\xc0", "\x7f\xf0"}};
}

}  // namespace kaon::fuzz
