#include <kaon/core/error.hpp>
#include <kaon/nn/initialize.hpp>
#include <kaon/objective/data_keys.hpp>
#include <kaon/objective/fingerprint_field.hpp>
#include <kaon/objective/gpt.hpp>
#include <kaon/objective/gpt_keys.hpp>

#include <fmt/format.h>

namespace kaon {
namespace {

std::unique_ptr<Batches> load(GptShape const& shape, DataSettings const& data, std::uint64_t seed, int workers, int micros) {
  shape.check();
  return std::make_unique<Batches>(data, BatchShape{workers, shape.batch, shape.context, shape.vocab, micros}, seed);
}

// Every rank needs all cursors: it may compute micro-batches of workers that another rank writes.
Field cursor_field(Batches& data, int first, int count) {
  auto const begin = static_cast<std::uint64_t>(first);
  auto const rows = static_cast<std::uint64_t>(count);
  auto const workers = static_cast<std::uint64_t>(data.shape().workers);
  Part const all{{0, 0}, {workers, 3}};
  Part const mine = count == 0 ? Part{{0, 0}, {0, 0}} : Part{{begin, 0}, {rows, 3}};
  auto const get = [&data, first, count](void* out) {
    auto* to = static_cast<std::int64_t*>(out);
    for (int j = first; j < first + count; ++j)
      for (auto const value : data.cursor(j)) *to++ = value;
  };
  auto const set = [&data](void const* in) {
    auto const* from = static_cast<std::int64_t const*>(in);
    for (int j = 0; j < data.shape().workers; ++j, from += 3) data.set_cursor(j, {from[0], from[1], from[2]});
  };
  Field field{"/data/cursor", ElementType::i64, {workers, 3}, mine, all, get, set};
  field.resize = Resize::new_epoch;
  return field;
}

}  // namespace

template <class T>
Gpt<T>::Gpt(GptShape const& shape, std::unique_ptr<Batches> data, std::uint64_t const seed)
    : shape_(shape),
      seed_(seed),
      layers_(shape.parameters()),
      data_(std::move(data)),
      network_(shape),
      validation_loss_("kaon::gpt::validation_loss") {
  require(data_ != nullptr, "Gpt: no data");
  auto const& d = data_->shape();
  require(d.batch == shape.batch && d.context == shape.context && d.vocabulary <= shape.vocab,
          "Gpt: data dealt for another shape");
}

template <class T>
Gpt<T>::Gpt(GptShape const& shape, DataSettings const& data, std::uint64_t const seed, int const workers, int const micros)
    : Gpt(shape, load(shape, data, seed, workers, micros), seed) {}

template <class T>
std::unique_ptr<Objective<T>> Gpt<T>::make(SectionValues const& values, int const workers, std::uint64_t const seed) {
  auto const& gpt = values["gpt"];
  return std::make_unique<Gpt>(gpt_shape(gpt), data_settings(values["data"]), seed, workers, gpt.integer("micro_batches"));
}

template <class T>
void Gpt<T>::initialize(Space const& exec, Point const& X) {
  require(X.size() == layers_.size(), "Gpt: another number of parameter matrices");
  for (std::size_t i = 0; i < X.size(); ++i) {
    require(X[i].extent(0) == static_cast<std::size_t>(layers_[i].rows) &&
                X[i].extent(1) == static_cast<std::size_t>(layers_[i].cols),
            "Gpt: a parameter matrix has another shape");
    StreamKey const key{seed_, Purpose::initialise, 0, static_cast<std::uint32_t>(i), 0};
    fill_normal<T>(exec, X[i], key, shape_.deviation(static_cast<int>(i)));
  }
}

template <class T>
void Gpt<T>::gradient(Space const& exec, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                      Sink const& sink) {
  data_->fill(exec, share.worker, share.step, share.micro);
  double const weight = 1.0 / static_cast<double>(samples_per_gradient());
  network_.gradient(exec, loss, W, data_->inputs(), data_->targets(), weight, sink, [this] { this->backward_begins(); });
}

template <class T>
std::pair<double, double> Gpt<T>::validate_piece(Space const& exec, ConstPoint const& W, int const piece) {
  data_->fill_validation(exec, piece);
  network_.forward(exec, validation_loss_, W, data_->inputs(), data_->targets(), 1.0);
  double sum = 0;
  Kokkos::deep_copy(exec, sum, validation_loss_);
  exec.fence();
  return {sum, static_cast<double>(shape_.tokens())};
}

template <class T>
void Gpt<T>::register_state(Registry& registry, int const first_worker, int const worker_count) {
  require(first_worker >= 0 && worker_count >= 0 && first_worker + worker_count <= data_->shape().workers,
          "Gpt: no such workers");
  registry.push_back(cursor_field(*data_, first_worker, worker_count));
  registry.push_back(fingerprint_field(*data_, first_worker == 0 && worker_count > 0, false));
}

template <class T>
std::string Gpt<T>::describe() const {
  std::int64_t parameters = 0;
  for (auto const& l : layers_) parameters += std::int64_t{l.rows} * l.cols;
  return fmt::format(
      "GPT with {} parameters ({} layers, {} heads, width {}, context {}, vocabulary {}, {} head), batches of {} tokens{}; {}",
      parameters, shape_.layers, shape_.heads, shape_.width, shape_.context, shape_.vocab, shape_.tied ? "tied" : "untied",
      samples_per_gradient(), micro_batches() > 1 ? fmt::format(" in {} micro-batches", micro_batches()) : "", data_->summary());
}

template class Gpt<float>;
template class Gpt<double>;

}  // namespace kaon
