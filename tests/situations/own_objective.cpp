// An objective of one's own that makes a mistake: own_objective MISTAKE [RANK]. RANK alone makes it; without one all ranks do.
#include "factorisation.hpp"

#include <kaon/mpi/communicator.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/stop/leave.hpp>
#include <kaon/step/engine.hpp>

#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>

namespace {

constexpr int workers = 4, steps = 3;

class Mistaken final : public kaon::Objective<float> {
 public:
  Mistaken(std::string mistake, bool here) : mistake_(std::move(mistake)), here_(here), layers_(right_.layers()) {
    if (mistake_ == "slash" && here_) layers_[0].name = "a/b";
    if (mistake_ == "twin" && here_) layers_[0].name = "V";
  }
  std::vector<kaon::Layer> const& layers() const override { return layers_; }
  void initialize(kaon::Space const& exec, Point const& X) override { right_.initialize(exec, X); }
  void gradient(kaon::Space const& exec, kaon::Scalar<double, kaon::Space> const& loss, ConstPoint const& W,
                kaon::Share const& share, Sink const& sink) override {
    bool const now = here_ && share.step == 1;
    if (now && mistake_ == "throws") throw std::runtime_error("my data file is broken");
    right_.gradient(exec, loss, W, share, [&](int i, kaon::ConstMatrix<float, kaon::Space> const& g) {
      if (now && i == 0 && mistake_ == "missing") return;
      if (now && i == 0 && mistake_ == "range") return sink(7, g);
      if (now && i == 1 && mistake_ == "shape") return sink(0, g);
      sink(i, g);
      if (now && i == 0 && mistake_ == "twice") sink(i, g);
    });
    if (now && mistake_ == "nan") Kokkos::deep_copy(exec, loss, std::numeric_limits<double>::quiet_NaN());
  }
  std::string describe() const override { return "mistaken"; }

 private:
  example::Factorisation<float> right_{24, 16, 4, workers, 1};
  std::string mistake_;
  bool here_;
  std::vector<kaon::Layer> layers_;
};

kaon::Exit train(std::string const& mistake, int rank) {
  kaon::Communicator const comm(MPI_COMM_WORLD);
  bool const here = rank < 0 || rank == comm.rank();
  kaon::LayerSettings layer;
  layer.radius = here && mistake == "radius" ? -1 : 0.1;
  layer.beta = 0.5;
  layer.uplink = layer.downlink = "bits:4";
  kaon::OptimizerSettings optimizer;
  optimizer.workers = here && mistake == "workers" ? 0 : workers;
  Mistaken problem(mistake, here);
  std::vector<kaon::LayerSettings> settings{layer, layer};
  if (here && mistake == "settings") settings.pop_back();
  kaon::Engine<float> muon(kaon::Space(), comm, problem.layers(), settings, optimizer, problem.micro_batches());
  if (mistake != "start" || !here) muon.initialize(problem);
  for (std::uint64_t k = 0; k < steps; ++k) muon.step(problem, k, 1.0, false);
  if (comm.rank() == 0) std::puts("trained");
  if (mistake == "stays") {  // hangs where the others end MPI
    kaon::set_wait_limits({0, 1}, {});
    while (rank == comm.rank()) pause();
  }
  return kaon::Exit::finished;
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  Kokkos::initialize(argc, argv);
  std::string const mistake = argc > 1 ? argv[1] : "none";
  int const code = kaon::leave_together("own", [&] { return train(mistake, argc > 2 ? std::atoi(argv[2]) : -1); });
  Kokkos::finalize();
  kaon::finalize_mpi();
  return code;
}
