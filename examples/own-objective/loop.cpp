// Trains an objective of one's own with the optimizer alone, by a loop written here. Run it on any number of ranks: the numbers
// are the same. main.cpp has the whole run: decks, checkpoints, restarts, metrics, stop rules.
#include "factorisation.hpp"

#include <kaon/run/stop/leave.hpp>
#include <kaon/step/engine.hpp>
#include <kaon/step/schedule.hpp>

#include <mpi.h>

#include <cstdio>

namespace {

constexpr int workers = 4, steps = 200;

std::unique_ptr<kaon::Objective<float>> make_problem() {
  return std::make_unique<example::Factorisation<float>>(96, 64, 8, workers, 1);
}

void own_loop(kaon::Communicator const& comm) {
  kaon::LayerSettings layer;  // both layers: spectral norm, messages 4 and 2 bits a value
  layer.lmo.norm = "spectral";
  layer.radius = 0.15;
  layer.beta = 0.5;
  layer.uplink = "bits:4";
  layer.downlink = "bits:2";
  kaon::OptimizerSettings optimizer;
  optimizer.workers = workers;  // logical: they share however many ranks there are

  auto const problem = make_problem();
  kaon::Engine<float> muon(kaon::Space(), comm, problem->layers(), {layer, layer}, optimizer);
  kaon::ScheduleSettings falling;
  falling.kind = "linear";
  falling.steps = steps;
  falling.constant_fraction = 0.5;
  kaon::Schedule const schedule(falling);
  muon.initialize(*problem);
  for (std::uint64_t k = 0; k < steps; ++k) {
    bool const show = k % 50 == 0 || k + 1 == steps;
    auto const report = muon.step(*problem, k, schedule.multiplier(k), show);
    auto const bytes = muon.exchange().bytes();
    auto const up = comm.sum(static_cast<std::int64_t>(bytes.up)), down = comm.sum(static_cast<std::int64_t>(bytes.down));
    if (show && comm.rank() == 0)
      std::printf("step %3d  loss %.9g  bytes up %lld down %lld  contraction of U up %.3f down %.3f\n", static_cast<int>(k + 1),
                  report.loss, static_cast<long long>(up), static_cast<long long>(down), report.layers[0]["alpha_up"],
                  report.layers[0]["alpha_down"]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  Kokkos::initialize(argc, argv);
  int const code = kaon::leave_together("factorise-loop", [] {
    kaon::Communicator const comm(MPI_COMM_WORLD);
    own_loop(comm);
    return kaon::Exit::finished;
  });
  Kokkos::finalize();
  kaon::finalize_mpi();  // in the place of MPI_Finalize, which hangs now and then with MPICH before 4.2
  return code;
}
