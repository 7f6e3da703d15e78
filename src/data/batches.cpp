#include <kaon/core/error.hpp>
#include <kaon/data/batches.hpp>
#include <kaon/random/stream.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace kaon {
namespace {

BlockLimits limits(std::uint64_t seed) {
  BlockLimits l;
  l.seed = seed;
  return l;
}

std::optional<Tokens> load_validation(DataSettings const& s, int vocabulary, std::uint64_t seed) {
  if (s.validation.empty()) return std::nullopt;
  return Tokens::load({s.validation}, s.format, vocabulary, limits(seed));
}

bool choice(std::string const& key, std::string const& value, char const* yes, char const* no) {
  if (value != yes && value != no) throw UsageError(fmt::format("data {} '{}' is unknown; use {} or {}", key, value, yes, no));
  return value == yes;
}

}  // namespace

Batches::Batches(DataSettings const& settings, BatchShape const& shape, std::uint64_t seed)
    : Batches(Tokens::load(settings.train, settings.format, shape.vocabulary, limits(seed)),
              load_validation(settings, shape.vocabulary, seed), settings, shape, seed) {}

Batches::Batches(Tokens train, std::optional<Tokens> validation, DataSettings const& settings, BatchShape const& shape,
                 std::uint64_t seed)
    : train_(std::move(train)),
      validation_(std::move(validation)),
      shape_(shape),
      seed_(seed),
      contiguous_(choice("split", settings.split, "contiguous", "interleaved")),
      random_(choice("order", settings.order, "random", "sequential")) {
  require(shape.workers > 0 && shape.batch > 0 && shape.context > 0 && shape.micro_batches > 0,
          "Batches: workers, batch, context and micro-batches must be positive");
  double const fraction = settings.validation_fraction;
  if (!(fraction >= 0 && fraction < 1))
    throw UsageError(fmt::format("data validation_fraction {} is out of range; use 0 (none) or a number below 1", fraction));
  if (settings.validation_batches < 0) throw UsageError("data validation_batches is negative; use 0 for all of them");
  look_for_leaks(settings);
  auto const length = std::int64_t{shape.context} + 1;
  auto const total = train_.size() / length;
  sequences_ = hold_out(total, validation_ ? 0.0 : fraction);
  if (validation_) {
    sequences_.validation = SequenceSet();
    sequences_.validation.append(0, validation_->size() / length);
  }
  auto const least = std::int64_t{shape.batch} * shape.micro_batches;
  if (sequences_.train.size() / shape.workers < least)
    throw InputError(
        fmt::format("data: the training text is too short: {} workers with batches of {} sequences of {} tokens need at least {} "
                    "sequences, the text of {} tokens has {} ({} held out for validation); give more text, or a smaller context, "
                    "batch or number of workers",
                    shape.workers, shape.batch, length, least * shape.workers, train_.size(), sequences_.train.size(),
                    validation_ ? 0 : sequences_.validation.size()));
  require(sequences_.train.size() / shape.workers < (std::int64_t{1} << 32), "Batches: more than 2^32 sequences a worker");
  if ((validation_ || fraction > 0) && sequences_.validation.size() < least)
    throw InputError(
        fmt::format("data: the validation text is too short: one batch needs {} sequences of {} tokens, found {}; raise "
                    "validation_fraction, give a longer validation file, or lower the batch",
                    least, length, sequences_.validation.size()));
  // Whole batches, dealt in micro-batches: the text that counts does not depend on how a batch is cut.
  auto const whole = std::min<std::int64_t>(sequences_.validation.size() / least, (1 << 30) / shape.micro_batches);
  auto const used = settings.validation_batches == 0 ? whole : std::min<std::int64_t>(whole, settings.validation_batches);
  pieces_ = static_cast<int>(used * shape.micro_batches);
  cursors_.resize(static_cast<std::size_t>(shape.workers));
  dealt_.resize(static_cast<std::size_t>(shape.workers));
  sequence_.resize(static_cast<std::size_t>(length));
  device_ = Buffer("kaon::data::batch", 2, static_cast<std::size_t>(shape.batch) * static_cast<std::size_t>(shape.context));
  host_ = Kokkos::create_mirror_view(device_);
  inputs_ = Kokkos::subview(device_, 0, Kokkos::ALL);
  targets_ = Kokkos::subview(device_, 1, Kokkos::ALL);
}

std::int64_t Batches::share(int const worker) const {
  require(worker >= 0 && worker < shape_.workers, "Batches: no such worker");
  auto const n = sequences_.train.size();
  std::int64_t const workers = shape_.workers;
  return contiguous_ ? n * (worker + 1) / workers - n * worker / workers : (n - worker + workers - 1) / workers;
}

std::int64_t Batches::start_of(int const worker, std::int64_t const epoch, std::int64_t const draw) const {
  auto const count = share(worker);
  require(epoch >= 0 && draw >= 0 && draw < count, "Batches: no such draw");
  auto index = draw;
  if (random_) {
    StreamKey const key{seed_, Purpose::batch, static_cast<std::uint32_t>(epoch), 0, static_cast<std::uint32_t>(worker)};
    auto const word = std::uint64_t{random_word(key, static_cast<std::uint64_t>(draw))};
    index = static_cast<std::int64_t>((word * static_cast<std::uint64_t>(count)) >> 32);
  }
  auto const n = sequences_.train.size();
  auto const number = contiguous_ ? n * worker / shape_.workers + index : worker + index * shape_.workers;
  return sequences_.train.at(number) * (std::int64_t{shape_.context} + 1);
}

std::int64_t Batches::validation_start(std::int64_t const sequence) const {
  auto const used = std::int64_t{pieces_} * shape_.batch;
  require(sequence >= 0 && sequence < used, "Batches: no such validation sequence");
  return sequences_.validation.at(sequence * sequences_.validation.size() / used) * (std::int64_t{shape_.context} + 1);
}

Batches::Place Batches::advanced(int const worker, Place from, std::int64_t const sequences) const {
  auto const count = share(worker);
  from.epoch += (from.draw + sequences) / count;
  from.draw = (from.draw + sequences) % count;
  return from;
}

void Batches::fill(Exec const& exec, int const worker, std::uint64_t const step, int const micro) {
  require(worker >= 0 && worker < shape_.workers, "Batches: no such worker");
  require(micro >= 0 && micro < shape_.micro_batches, "Batches: no such micro-batch");
  auto& next = cursors_[static_cast<std::size_t>(worker)];
  auto& dealt = dealt_[static_cast<std::size_t>(worker)];
  if (!dealt.any || dealt.step != step) {
    dealt = {next, step, true};
    next = advanced(worker, next, std::int64_t{shape_.batch} * shape_.micro_batches);
  }
  auto place = advanced(worker, dealt.begin, std::int64_t{shape_.batch} * micro);
  wait_for_buffer(exec);
  for (int row = 0; row < shape_.batch; ++row, place = advanced(worker, place, 1))
    put(train_, start_of(worker, place.epoch, place.draw), row);
  send(exec);
}

void Batches::fill_validation(Exec const& exec, int const piece) {
  require(piece >= 0 && piece < pieces_, "Batches: no such validation piece");
  wait_for_buffer(exec);
  for (int row = 0; row < shape_.batch; ++row)
    put(validation_ ? *validation_ : train_, validation_start(std::int64_t{piece} * shape_.batch + row), row);
  send(exec);
}

void Batches::put(Tokens const& text, std::int64_t const start, int const row) {
  text.copy(start, static_cast<std::int64_t>(sequence_.size()), sequence_.data());
  auto const offset = static_cast<std::size_t>(row) * static_cast<std::size_t>(shape_.context);
  std::copy(sequence_.begin(), sequence_.end() - 1, &host_(0, offset));
  std::copy(sequence_.begin() + 1, sequence_.end(), &host_(1, offset));
}

// On the host kernels have finished when their launch returns, and the two buffers are one.
void Batches::wait_for_buffer([[maybe_unused]] Exec const& exec) const {
  if constexpr (!runs_on_host<Exec>) exec.fence();
}

void Batches::send(Exec const& exec) const {
  if (host_.data() != device_.data()) Kokkos::deep_copy(exec, device_, host_);
}

Batches::Cursor Batches::cursor(int const worker) const {
  require(worker >= 0 && worker < shape_.workers, "Batches: no such worker");
  auto const& [draw, epoch] = cursors_[static_cast<std::size_t>(worker)];
  return {train_.file_of(start_of(worker, epoch, draw)), draw, epoch};
}

void Batches::set_cursor(int const worker, Cursor const& cursor) {
  auto const count = share(worker);
  auto const draw = cursor[1];
  auto const epoch = cursor[2];
  if (draw < 0 || draw >= count || epoch < 0 || epoch > 0xffffffffll)
    throw InputError(
        fmt::format("/data/cursor: worker {} stands at draw {} of epoch {}, but its share of the data has {} sequences; "
                    "restart with the data and the split that the checkpoint was written with",
                    worker, draw, epoch, count));
  cursors_[static_cast<std::size_t>(worker)] = {draw, epoch};
  dealt_[static_cast<std::size_t>(worker)].any = false;
}

std::string Batches::summary() const {
  return fmt::format("{} training tokens in {} file{}, {} {} sequences of {} for {} worker{}, {} validation batch{}",
                     train_.size(), train_.files(), train_.files() == 1 ? "" : "s", sequences_.train.size(),
                     contiguous_ ? "contiguous" : "interleaved", shape_.context, shape_.workers, shape_.workers == 1 ? "" : "s",
                     pieces_, pieces_ == 1 ? "" : "es");
}

}  // namespace kaon
