#include <kaon/method/local_steps/worker_arrays.hpp>

#include <kaon/state/fields.hpp>

#include <algorithm>
#include <cstring>

namespace kaon {

template <class T>
WorkerArrays<T>::WorkerArrays(MethodLayers const& of, Plan const& plan, int rank, std::string path)
    : of_(of), here_(plan.workers_at(rank)), leads_(plan.leads_at(rank)), path_(std::move(path)), cubes_(of.layers.size()) {
  for (int const layer : of.mine) {
    auto const i = static_cast<std::size_t>(layer);
    cubes_[i] = Cube("kaon::method::" + path_, static_cast<std::size_t>(here_.count), static_cast<std::size_t>(of.layers[i].rows),
                     static_cast<std::size_t>(of.layers[i].cols));
  }
}

template <class T>
void WorkerArrays<T>::zero(Space const& exec) const {
  for (auto const& cube : cubes_) Kokkos::deep_copy(exec, cube, T(0));
}

template <class T>
void WorkerArrays<T>::register_state(Registry& registry) const {
  for (int const layer : of_.mine) {
    auto const i = static_cast<std::size_t>(layer);
    std::vector<std::uint64_t> const shape{static_cast<std::uint64_t>(of_.optimizer.workers),
                                           static_cast<std::uint64_t>(of_.layers[i].rows),
                                           static_cast<std::uint64_t>(of_.layers[i].cols)};
    auto const part = [&](Range const& r) {
      return slabs(shape, static_cast<std::uint64_t>(r.first), static_cast<std::uint64_t>(r.count));
    };
    registry.push_back(view_field(path_ + of_.layers[i].name, shape, part(leads_), part(here_), cubes_[i]));
    registry.back().resize = Resize::weighted;
  }
}

template <class T>
void RoundArrays<T>::register_state(Registry& registry) const {
  auto const first = registry.size();
  WorkerArrays<T>::register_state(registry);
  for (std::size_t k = 0; k < this->of_.mine.size(); ++k) {
    auto& field = registry[first + k];
    auto const i = static_cast<std::size_t>(this->of_.mine[k]);
    std::size_t const size = field.shape[1] * field.shape[2];
    auto const rest = [size, view = rest_.empty() ? Matrix<T, Space>() : rest_[i]](std::uint64_t count, void* out) {
      auto* const to = static_cast<T*>(out);
      if (view.size() == 0) {
        std::fill(to, to + count * size, T(0));
      } else {
        auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, view);
        for (std::uint64_t j = 0; j < count; ++j) std::memcpy(to + j * size, host.data(), size * sizeof(T));
      }
    };
    field.resize = Resize::same;
    field.get = [at_rest = at_rest_, rest, get = std::move(field.get), count = field.written.count[0]](void* out) {
      *at_rest ? rest(count, out) : get(out);
    };
    field.get_rows = [at_rest = at_rest_, rest, get = std::move(field.get_rows)](std::uint64_t from, std::uint64_t count,
                                                                                 void* out) {
      *at_rest ? rest(count, out) : get(from, count, out);
    };
    field.set = [at_rest = at_rest_, set = std::move(field.set)](void const* in) {
      set(in);
      *at_rest = false;
    };
  }
}

template class WorkerArrays<float>;
template class WorkerArrays<double>;
template class RoundArrays<float>;
template class RoundArrays<double>;

}  // namespace kaon
