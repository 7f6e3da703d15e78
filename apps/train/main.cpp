#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/arguments.hpp>
#include <kaon/run/leave.hpp>
#include <kaon/run/signals.hpp>
#include <kaon/run/threads.hpp>
#include <kaon/run/training.hpp>

#include <kaon_build_info.hpp>

#include <mpi.h>
#include <Kokkos_Core.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace kaon;

double const began = steady_seconds();  // what MPI and Kokkos take to start counts against -t
Build const build{KAON_VERSION, KAON_GIT_HASH, KAON_COMPILER, KAON_BUILD_FLAGS};

// With the user's --kokkos options, and a fair share of the host's cores where the user did not choose.
void start_kokkos(Arguments const& arguments, char* program) {
  std::vector<std::string> options = arguments.kokkos;
  if (!threads_chosen(options)) options.push_back(kokkos_threads_option(fair_threads(host_share(Communicator(MPI_COMM_WORLD)))));
  std::vector<char*> argv{program};
  for (auto& o : options) argv.push_back(o.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(argv.size()) - 1;
  Kokkos::initialize(argc, argv.data());
}

// The deck of the run: the file's, or the checkpoint's when there is none.
Deck take_deck(Arguments const& arguments, Communicator const& comm) {
  if (!arguments.deck.empty()) return Deck::from_file(arguments.deck, arguments.overrides);
  std::string directory = "kaon-run";
  for (auto const& o : arguments.overrides)
    if (o.rfind("run.directory=", 0) == 0) directory = o.substr(14);
  auto const found =
      Checkpoints(comm, directory + "/checkpoints", 0).find(arguments.restart == "auto" ? "latest" : *arguments.restart);
  return Deck::from_text(found.info.deck, found.path, arguments.overrides);
}

// What MPI must allow: calls from a second thread where checkpoints are to be written beside the training. MPI is asked before
// anybody can speak, so what is wrong with the deck is told later, and a deck that stands in the checkpoint may have the wish.
int thread_level(Arguments const& arguments) {
  try {
    std::string const key = "checkpoint.asynchronous";
    if (!arguments.deck.empty())
      return Deck::from_file(arguments.deck, arguments.overrides).text(key) == "no" ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE;
    for (auto const& o : arguments.overrides)
      if (o == key + "=no") return MPI_THREAD_FUNNELED;
    return MPI_THREAD_MULTIPLE;
  } catch (Error const&) {
    return MPI_THREAD_FUNNELED;
  }
}

template <class T>
Exit train(Arguments const& arguments, Deck const& deck, Communicator const& comm, Log const& log, Signals& signals) {
  auto limit = arguments.time_limit;
  if (limit) *limit -= steady_seconds() - began;
  Training<T> training(comm, deck, build, log);
  training.print_plan();
  if (arguments.restart == "auto")
    training.restart_or_start();
  else if (arguments.restart)
    training.restart(*arguments.restart);
  else
    training.start();
  if (arguments.check) {
    log.line("checked: deck, data, shapes and compressors fit; nothing was trained");
    return Exit::finished;
  }
  return training.run(limit, &signals);
}

Exit kaon_train(Arguments const& arguments, Signals& signals) {
  Communicator const comm(MPI_COMM_WORLD);
  Log const log(comm.rank());

  // 1. The deck, the same on every rank.
  Deck const deck = take_deck(arguments, comm);
  if (!comm.same_everywhere(text_hash(deck.resolved())))
    throw InputError("the ranks read different decks from " + deck.origin() + "; is the file the same on every node?");
  if (arguments.show_deck) {
    if (comm.rank() == 0) std::fputs(deck.resolved().c_str(), stdout);
    return Exit::finished;
  }

  // 2. Who runs here.
  if (int const threads = deck.integer("run.blas_threads"); !set_blas_threads(threads) && blas_threads() != threads)
    log.warning("this BLAS cannot be told to use " + std::to_string(threads) + " threads; set its environment variable instead");
  log.line(banner(build, comm));
  int const threads = static_cast<int>(Kokkos::DefaultHostExecutionSpace().concurrency());
  auto const share = host_share(comm);
  for (auto const& w : performance_warnings(share, threads)) log.warning(w);
  set_waiting(cores_suffice(share, threads, comm) ? Waiting::spin : Waiting::yield);

  // 3. Train.
  return deck.text("run.precision") == "double" ? train<double>(arguments, deck, comm, log, signals)
                                                : train<float>(arguments, deck, comm, log, signals);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  try {
    arguments = parse_arguments(argc, argv);
  } catch (Error const& e) {
    std::fprintf(stderr, "kaon-train: error: %s\n", e.what());
    return static_cast<int>(e.code());
  }
  if (arguments.help || arguments.version) {
    std::fputs(arguments.help ? help_text().c_str() : (version_line(build) + "\nBLAS: " + blas_name() + "\n").c_str(), stdout);
    return 0;
  }

  // Before MPI and Kokkos start and until they have ended, so that no signal kills: one that comes early waits for the first
  // step.
  Signals signals;
  setenv("OMP_PROC_BIND", "false", 0);  // what OpenMP does when nobody said, and Kokkos warns of unless it is said
  int provided = 0;
  signals.hold();
  MPI_Init_thread(&argc, &argv, thread_level(arguments), &provided);
  signals.renew();
  start_kokkos(arguments, argv[0]);
  int const code = leave_together("kaon-train", [&] { return kaon_train(arguments, signals); });
  Kokkos::finalize();
  kaon::finalize_mpi();
  return code;
}
