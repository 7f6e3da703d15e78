#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/start/blas_kernels.hpp>
#include <kaon/run/start/kokkos_options.hpp>
#include <kaon/run/start/memory.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/run/start/threads.hpp>
#include <kaon/run/stop/leave.hpp>

#include <Kokkos_Core.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace kaon {

void prepare_process() {
  setenv("OMP_PROC_BIND", "false", 0);  // what OpenMP does when nobody said, and Kokkos warns of unless it is said
  choose_blas_kernels();
  check_thread_environment();
  reserve_blas_memory(1);
}

std::vector<std::string> take_kokkos_options(int& argc, char** argv) {
  std::vector<std::string> found;
  int kept = 0;
  for (int i = 0; i < argc; ++i)
    if (i > 0 && std::string_view(argv[i]).substr(0, 9) == "--kokkos-")
      found.emplace_back(argv[i]);
    else
      argv[kept++] = argv[i];
  argv[argc = kept] = nullptr;
  return kokkos_options(found);
}

void start_kokkos(std::vector<std::string> const& given) {
  check_thread_environment();
  auto options = kokkos_options(given);
  int threads = chosen_threads(options), mpi = 0;
  MPI_Initialized(&mpi);
  if (threads == 0) {
    threads = fair_threads(mpi ? host_share(Communicator(MPI_COMM_WORLD)) : host_share());
    options.push_back(kokkos_threads_option(threads));
  }
  if (threads > 1) prove_threads(threads - 1);
  reserve_blas_memory(threads);
  std::string program = "kaon";
  std::vector<char*> argv{program.data()};
  for (auto& o : options) argv.push_back(o.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(argv.size()) - 1;
  try {
    Kokkos::initialize(argc, argv.data());
  } catch (std::exception const& e) {
    throw UsageError(
        fmt::format("Kokkos does not start with the options '{}' and this environment: {}", fmt::join(options, " "), e.what()));
  }
}

void require_same_deck(Deck const& deck, Communicator const& comm) {
  if (!comm.same_everywhere(text_hash(deck.resolved())))
    throw InputError("the ranks were given different decks, or another section.key=value, besides " + deck.origin());
}

void require_known(Deck const& deck) {
  auto const foreign = deck.foreign();
  if (foreign.empty()) return;
  throw InputError(
      fmt::format("{}: this deck was written by a program that knows more: {}. Cure: go on with that program, or name a "
                  "deck of this one's with -i",
                  deck.origin(), fmt::join(foreign, ", ")));
}

Deck const& prepare_run(Deck const& deck, Communicator const& comm, Build const& build, Log const& log) {
  require_same_deck(deck, comm);
  require_known(deck);
  auto const& kernels = choose_blas_kernels();
  int const wanted = deck.integer("run.blas_threads");
  bool const set = set_blas_threads(wanted) || blas_threads() == wanted;
  int const threads = static_cast<int>(Kokkos::DefaultHostExecutionSpace().concurrency());
  reserve_blas_memory(std::max(threads, blas_threads()));
  log.line(banner(build, comm));
  if (!kernels.warning.empty()) log.warning(kernels.warning);
  if (!set) log.warning(fmt::format("this BLAS cannot be told to use {} threads; set its environment variable instead", wanted));
  auto const share = host_share(comm);
  for (auto const& w : performance_warnings(share, threads)) log.warning(w);
  set_waiting(cores_suffice(share, threads, comm) ? Waiting::spin : Waiting::yield);
  return deck;
}

}  // namespace kaon
