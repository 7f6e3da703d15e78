// What identifies the text, and what must not be in it.
#include <kaon/core/error.hpp>
#include <kaon/data/batches.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {
namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ull;

std::int64_t count(Tokens const& t) { return static_cast<std::int64_t>(t.blocks().size()); }

std::uint64_t both(std::uint64_t train, std::optional<std::uint64_t> validation) {
  return validation ? train ^ (*validation * golden) : train;
}

/// Which tokens of which file.
std::string stretch(Tokens const& t, std::int64_t block) {
  auto const first = t.blocks()[static_cast<std::size_t>(block)] * t.tokens_in_a_block();
  auto const last = std::min(first + t.tokens_in_a_block(), t.size()) - 1;
  auto const a = t.file_of(first), b = t.file_of(last);
  return fmt::format("tokens {} to {}, in {}{}", first, last, t.name(a), a == b ? "" : " to " + t.name(b));
}

std::string drawn(Tokens const& t, char const* what) {
  if (count(t) == t.blocks_in_all()) return {};
  return fmt::format("; {} of the {} blocks of {} tokens stand for the {} tokens, drawn from run.seed", count(t),
                     t.blocks_in_all(), t.tokens_in_a_block(), what);
}

}  // namespace

void Batches::look_for_leaks(DataSettings const& settings) {
  if (validation_)
    if (auto const [train, held] = train_.common_file(*validation_); !train.empty())
      throw InputError(
          fmt::format("data: the validation file {} is among the training files too{}: its loss would be that of text which was "
                      "trained on; name the training files without it (a narrower pattern in data.train)",
                      held, train == held ? "" : fmt::format(", as {} (the same file, or the same tokens)", train)));
  auto const [first, again] = train_.repeated_file();
  if (first.empty()) return;
  auto const twice =
      first == again ? fmt::format("{} is named twice", first) : fmt::format("{} and {} are one file", first, again);
  if (!validation_ && settings.validation_fraction > 0)
    throw InputError(
        fmt::format("data: the training file {}: what is held out of it for validation would be trained on in its other place; "
                    "name it once in data.train, or give a validation file (data.validation)",
                    twice));
  warnings_.push_back(fmt::format("data.train: {}, its text counts twice", twice));
}

std::string Batches::where() const {
  return validation_ ? fmt::format("{}, {}", train_.where(), validation_->where()) : train_.where();
}

std::string Batches::copy() const { return validation_ ? train_.copy_of() + '|' + validation_->copy_of() : train_.copy_of(); }

std::int64_t Batches::blocks() const { return count(train_) + (validation_ ? count(*validation_) : 0); }

void Batches::hash(std::int64_t first, std::int64_t n, std::uint64_t* out) const {
  auto const in_train = std::clamp<std::int64_t>(count(train_) - first, 0, n);
  train_.hash(std::min(first, count(train_)), in_train, out);
  if (n > in_train) validation_->hash(first + in_train - count(train_), n - in_train, out + in_train);
}

std::uint64_t Batches::combine(std::vector<std::uint64_t> const& hashes) const {
  auto const cut = hashes.begin() + count(train_);
  if (!validation_) return train_.combine(hashes);
  return both(train_.combine({hashes.begin(), cut}), validation_->combine({cut, hashes.end()}));
}

std::string Batches::place(std::int64_t block) const {
  return block < count(train_) ? stretch(train_, block) : "validation " + stretch(*validation_, block - count(train_));
}

std::optional<std::uint64_t> Batches::older() const {
  auto const train = train_.older_fingerprint();
  return validation_ ? both(train, validation_->older_fingerprint()) : train;
}

std::string Batches::changed() const {
  auto const why = train_.changed();
  return why.empty() && validation_ ? validation_->changed() : why;
}

void Batches::look_again() {
  train_.look_again();
  if (validation_) validation_->look_again();
}

std::string Batches::describe() const {
  return fmt::format("{} tokens{}{}", train_.size() + (validation_ ? validation_->size() : 0), drawn(train_, "training"),
                     validation_ ? drawn(*validation_, "validation") : "");
}

}  // namespace kaon
