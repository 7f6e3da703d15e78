#include <kaon/run/start/take_weights.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/weights.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace kaon {

namespace {

void require_layers(WeightFile const& file, std::vector<Layer> const& layers) {
  for (auto const& name : file.layers())
    if (std::none_of(layers.begin(), layers.end(), [&](Layer const& l) { return l.name == name; }))
      throw InputError(
          fmt::format("{} has a layer {}, and the model has none of that name: it is another model's", file.path(), name));
}

}  // namespace

template <class T>
TakenWeights take_weights(Communicator const& comm, std::string const& path, std::string const& where,
                          std::vector<Layer> const& layers, Space const& exec, typename Objective<T>::Point const& X) {
  auto const doing = fmt::format("{}: optimizer.init = {}: reading weights", where, path);
  std::optional<WeightFile> file;
  Ballot ballot(comm);
  TakenWeights taken{{"", 0, path, "weights"}, 0};
  auto& from = taken.from;
  if (comm.rank() == 0)
    ballot.attempt([&] {
      file.emplace(path);
      require_layers(*file, layers);
      from.run = file->run();
      from.step = file->step();
    });
  ballot.vote(doing);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const host = Kokkos::create_mirror_view(X[i]);
    if (comm.rank() == 0)
      ballot.attempt([&] {
        auto const numbers =
            file->read(layers[i].name, static_cast<std::uint64_t>(layers[i].rows), static_cast<std::uint64_t>(layers[i].cols));
        if (file->width(layers[i].name) != sizeof(T)) ++taken.converted;
        for (std::size_t e = 0; e < numbers.size(); ++e) {
          host.data()[e] = static_cast<T>(numbers[e]);
          if (!std::isfinite(host.data()[e]))
            throw InputError(
                fmt::format("layer {} of {} holds {:g}, beyond this run.precision", layers[i].name, path, numbers[e]));
        }
      });
    ballot.vote(doing);
    comm.broadcast(host.data(), host.size() * sizeof(T), 0);
    Kokkos::deep_copy(exec, X[i], host);
    exec.fence();
  }
  from.run = comm.broadcast(from.run, 0);
  comm.broadcast(&from.step, sizeof from.step, 0);
  comm.broadcast(&taken.converted, sizeof taken.converted, 0);
  return taken;
}

template TakenWeights take_weights<float>(Communicator const&, std::string const&, std::string const&, std::vector<Layer> const&,
                                          Space const&, typename Objective<float>::Point const&);
template TakenWeights take_weights<double>(Communicator const&, std::string const&, std::string const&, std::vector<Layer> const&,
                                           Space const&, typename Objective<double>::Point const&);

}  // namespace kaon
