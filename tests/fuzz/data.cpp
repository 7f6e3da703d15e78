// data: four bytes of settings, then the content of one training file, or of two.
#include "choices.hpp"
#include "scratch.hpp"

#include <kaon/data/batches.hpp>

#include <string>

namespace kaon::fuzz {
namespace {

std::array<std::string, 4> const formats{"auto", "text", "tokens", "bytes"};
std::array<int, 4> const vocabularies{256, 50257, 65536, 3};
std::array<int, 3> const contexts{1, 4, 16};

/// Draws some batches; their tokens must be those of the vocabulary.
void draw(Batches& batches, std::uint64_t step) {
  Batches::Exec const exec;
  auto const shape = batches.shape();
  auto const look = [&] {
    for (std::size_t i = 0; i < batches.inputs().extent(0); ++i)
      demand(batches.inputs()(i) >= 0 && batches.inputs()(i) < shape.vocabulary && batches.targets()(i) >= 0 &&
                 batches.targets()(i) < shape.vocabulary,
             "a batch holds a token outside the vocabulary");
  };
  for (int worker = 0; worker < shape.workers; ++worker) {
    batches.fill(exec, worker, step);
    look();
  }
  for (int piece = 0; piece < batches.validation_pieces() && piece < 2; ++piece) {
    batches.fill_validation(exec, piece);
    look();
  }
}

void run_data(InputView input) {
  Choices choices(input);
  auto const& format = choices.pick(formats);
  int const vocabulary = choices.pick(vocabularies);
  auto const how = choices.number<std::uint8_t>();
  BatchShape shape;
  shape.context = choices.pick(contexts);
  shape.vocabulary = vocabulary;
  shape.workers = 1 + how % 4;
  shape.batch = 1 + how / 4 % 2;
  Batches::Cursor const cursor{0, choices.number<std::int64_t>(), choices.number<std::int64_t>()};
  auto const content = choices.rest();
  std::string const suffix = how & 8 ? ".bin" : ".txt";
  std::vector<std::string> paths{scratch("first" + suffix)};
  auto const cut = how & 16 ? content.size() / 2 : content.size();
  put_file(paths[0], content.first(cut));
  if (how & 16) {
    paths.push_back(scratch("second" + suffix));
    put_file(paths[1], content.subspan(cut));
  }

  auto train = Tokens::load(paths, format, vocabulary);
  demand(train.size() > 0 && train.files() == static_cast<int>(paths.size()), "a text without tokens, or without its files");
  std::vector<std::int32_t> all(static_cast<std::size_t>(train.size()));
  train.copy(0, train.size(), all.data());
  std::vector<std::uint16_t> words;
  for (auto const t : all) {
    demand(t >= 0 && t < vocabulary, "a token outside the vocabulary");
    words.push_back(static_cast<std::uint16_t>(t));
  }
  demand(Tokens(words, vocabulary).fingerprint() == train.fingerprint(), "files and memory have different fingerprints");

  DataSettings settings;
  settings.split = how & 32 ? "contiguous" : "interleaved";
  settings.order = how & 64 ? "random" : "sequential";
  settings.validation_fraction = how & 128 ? 0.25 : 0.0;
  Batches batches(std::move(train), std::nullopt, settings, shape, 7);
  for (std::uint64_t step = 0; step < 3; ++step) draw(batches, step);
  batches.set_cursor(shape.workers - 1, cursor);
  draw(batches, 3);
  demand(batches.changed().empty(), "a file that nobody writes to has changed");
}

Input with(unsigned char format, unsigned char vocabulary, unsigned char how, Input const& content) {
  Input out{format, vocabulary, how, 1};
  for (int half = 0; half < 2; ++half)
    for (int byte = 0; byte < 8; ++byte) out.push_back(byte == 0 ? 1 : 0);
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Input shard(std::uint32_t count) {
  std::vector<std::uint32_t> const header{20240520, 1, count};
  Input out(1024, 0);
  std::memcpy(out.data(), header.data(), 12);
  for (std::uint32_t t = 0; t < count; ++t) {
    out.push_back(static_cast<unsigned char>(t * 37));
    out.push_back(static_cast<unsigned char>(t % 5));
  }
  return out;
}

std::vector<Input> seeds_of_data() {
  Input text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<unsigned char>("the quick brown fox "[i % 20]));
  auto two = shard(200);
  auto const second = shard(200);
  two.insert(two.end(), second.begin(), second.end());
  return {with(0, 0, 0, text),           with(1, 0, 0xf7, text), with(0, 1, 0x6b, shard(200)),
          with(2, 2, 0xe3, shard(1536)), with(2, 1, 0x7f, two),  with(3, 0, 0xe0, shard(200))};
}

}  // namespace

Target data_target() {
  return {"data",   {Exit::bad_input}, 4200,
          run_data, seeds_of_data,     {std::string("\x88\xd8\x34\x01\x01\0\0\0", 8), std::string("\x01\0\0\0", 4)}};
}

}  // namespace kaon::fuzz
