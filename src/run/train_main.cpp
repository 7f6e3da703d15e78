#include <kaon/run/train_main.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/files/standard_output.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/run/loop/training.hpp>
#include <kaon/run/start/arguments.hpp>
#include <kaon/run/start/deck_text.hpp>
#include <kaon/run/start/place.hpp>
#include <kaon/run/start/prepare.hpp>
#include <kaon/run/start/shipped.hpp>
#include <kaon/run/stop/leave.hpp>
#include <kaon/run/stop/signals.hpp>

#include <mpi.h>
#include <Kokkos_Core.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace kaon {

namespace {

double const began = steady_seconds();  // what MPI and Kokkos take to start counts against -t

// The deck of the run: the file's, or the checkpoint's when there is none.
Deck take_deck(Arguments const& arguments, Communicator const& comm) {
  if (!comm.same_everywhere(text_hash(arguments.deck))) throw InputError("the ranks were given different decks with -i");
  if (!arguments.deck.empty())
    return Deck::from_text(read_deck_together(comm, arguments.deck), deck_name(arguments.deck), arguments.overrides);
  std::string directory = "kaon-run";
  for (auto const& o : arguments.overrides)
    if (o.rfind("run.directory=", 0) == 0) directory = o.substr(14);
  bool const newest = arguments.restart == "auto" || arguments.restart == "latest";
  auto const found =
      Checkpoints(comm, directory + "/checkpoints", 0).find(newest ? latest_in(directory, comm) : *arguments.restart);
  return Deck::from_checkpoint(found.info.deck, found.path, arguments.overrides);
}

// What MPI must allow: calls from a second thread where checkpoints are to be written beside the training. MPI is asked before
// anybody can speak, so what is wrong with the deck is told later, and a deck that stands in the checkpoint, or in a pipe that
// can be read once, may have the wish.
int thread_level(Arguments const& arguments) {
  try {
    std::string const key = "checkpoint.asynchronous";
    if (deck_is_a_file(arguments.deck))
      return Deck::from_file(arguments.deck, arguments.overrides).text(key) == "no" ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE;
    for (auto const& o : arguments.overrides)
      if (o == key + "=no") return MPI_THREAD_FUNNELED;
    return MPI_THREAD_MULTIPLE;
  } catch (Error const&) {
    return MPI_THREAD_FUNNELED;
  }
}

template <class T>
Exit train(Arguments const& arguments, Deck const& deck, Build const& build, Communicator const& comm, Log const& log,
           Signals& signals) {
  auto limit = arguments.time_limit;
  if (limit) *limit -= steady_seconds() - began;
  Training<T> training(comm, deck, build, log);
  if (arguments.check) training.look_only();
  training.print_plan();
  if (arguments.restart == "auto")
    training.restart_or_start();
  else if (arguments.restart)
    training.restart(*arguments.restart);
  else
    training.start();
  if (arguments.check) {
    training.check_folder();
    log.line("checked: deck, data, shapes and compressors fit; nothing was trained");
    return Exit::finished;
  }
  return training.run(limit, &signals);
}

Exit run_on_all_ranks(Arguments arguments, Build const& build, Signals& signals) {
  Communicator const comm(MPI_COMM_WORLD);
  Log const log(comm.rank());

  // 1. The run folder and the deck, the same on every rank.
  auto const place = place_run(arguments, comm);
  Deck const deck = take_deck(arguments, comm);
  require_same_deck(deck, comm);
  if (arguments.show_deck) {
    Ballot ballot(comm);
    if (comm.rank() == 0)
      ballot.attempt([&] {
        files::print(deck.resolved());
        files::flush_standard_output();
      });
    ballot.vote("printing the deck");
    return Exit::finished;
  }

  if (!place.empty()) log.line(place);

  // 2. Train.
  return deck.text("run.precision") == "double" ? train<double>(arguments, deck, build, comm, log, signals)
                                                : train<float>(arguments, deck, build, comm, log, signals);
}

}  // namespace

int train_main(int argc, char** argv, Registrations const& own) {
  char const* const program = own.program.c_str();
  files::secure_standard_streams();
  // 1. What is asked for, and whether this machine can do it. The signals' handlers stand before MPI and Kokkos start and until
  // the process has ended, so that no signal kills: one that comes early waits for the first step.
  Arguments arguments;
  std::optional<Signals> signals;
  try {
    offer_shipped();
    if (own.offer) own.offer();
    arguments = parse_arguments(argc, argv);
    if (arguments.help || arguments.version) {
      files::print(arguments.help ? help_text(own.program) : version_line(own.build) + "\nBLAS: " + blas_text() + "\n");
      return files::with_output_written(program, 0);
    }
    prepare_process();
    signals.emplace();
  } catch (Error const& e) {
    std::fprintf(stderr, "%s: error: %s\n", program, e.what());
    leave_alone(static_cast<int>(e.code()));
  } catch (std::exception const& e) {  // what own.offer brings cannot be
    std::fprintf(stderr, "%s: internal error: %s\n", program, e.what());
    leave_alone(static_cast<int>(Exit::numerical));
  }

  // 2. All ranks together.
  int provided = 0;
  signals->hold();
  MPI_Init_thread(&argc, &argv, thread_level(arguments), &provided);
  signals->renew();
  int const code = leave_together(program, [&] {
    if (!arguments.show_deck) start_kokkos(arguments.kokkos);  // a deck can be read where there is no device
    return run_on_all_ranks(arguments, own.build, *signals);
  });
  signals->leaving(code);
  if (Kokkos::is_initialized()) Kokkos::finalize();
  leave(program, code);
}

}  // namespace kaon
