#ifndef KAON_RUN_LOOP_TRAINING_HPP
#define KAON_RUN_LOOP_TRAINING_HPP

#include <kaon/checkpoint/checkpoints.hpp>
#include <kaon/core/error.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/mpi/communicator.hpp>
#include <kaon/objective/objective.hpp>
#include <kaon/run/records/log.hpp>
#include <kaon/run/records/metrics.hpp>
#include <kaon/run/records/run_summary.hpp>
#include <kaon/run/records/totals.hpp>
#include <kaon/run/saving/best.hpp>
#include <kaon/run/saving/saver.hpp>
#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/banner.hpp>
#include <kaon/run/start/run_folder.hpp>
#include <kaon/run/stop/signals.hpp>
#include <kaon/run/stop/stop_rules.hpp>
#include <kaon/run/stop/wall_clock.hpp>
#include <kaon/step/engine.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kaon {

class SameProblem;

/// One run, from deck to exit code: objective, optimizer, checkpoints, stop rules, metrics. Everything is collective.
template <class T>
class Training {
 public:
  /// Does what the deck asks of the process (prepare_run: the banner is logged here), builds the objective and the optimizer (and
  /// so checks data, shapes, norms and compressors).
  Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log);
  ~Training();

  /// The same with an objective of the caller's own; the deck's [objective] is not read.
  Training(Communicator const& comm, Deck const& deck, Build const& build, Log const& log,
           std::unique_ptr<Objective<T>> objective);

  /// A schedule of the program's own in the place of the deck's; before the calls below. It is a function of the step alone, and
  /// the same after a restart: no checkpoint can tell another one. Throws UsageError as the constructor does for what cannot be
  /// meant.
  void use_schedule(Schedule::Multiplier multiplier);

  /// Prints layers, groups, messages, owners and workers.
  void print_plan() const;

  /// Before the calls below: they look at the run folder and do not touch it.
  void look_only() { folder_.look_only(); }
  /// Throws what run() would say of the run folder before it begins, room for a checkpoint among it; touches nothing after
  /// look_only().
  void check_folder();

  /// Takes the state of `which`: "latest"; a file of the run folder, from which the run goes on, or goes back when there are
  /// newer ones; a file elsewhere, from which a run of its own begins. Holds the run folder from here on: IoError when another
  /// program does. Throws InputError when no sound checkpoint is left, its deck forbids going on with this one, or it is of
  /// another run than the folder; never starts afresh.
  void restart(std::string const& which);
  /// X = W = X⁰: the objective's, or the weights of the file that the deck's optimizer.init names (InputError when they are not
  /// the model's).
  void start();
  /// restart("latest") when the run folder has a committed checkpoint, sound or not; else start(). The log says which.
  void restart_or_start();

  /// Steps until the deck's number of steps or a stop rule; commits a checkpoint before it returns. `time_limit` in seconds from
  /// the construction on. Without restart() a run folder that holds an earlier run is refused (InputError), and the starting
  /// point is committed before the first step. Takes the run folder when restart() has not, and gives it back at the end.
  /// `early`: the caller's own handlers, which were there before; else run() has some.
  Exit run(std::optional<double> time_limit, Signals* early = nullptr);

  std::uint64_t steps_done() const { return totals_.steps; }
  /// Mean validation loss at W; NaN where the objective has none. Throws NumericalError on every rank when it is not finite.
  double validate();

 private:
  struct Prepared {};  // prepare_run() has been called
  Training(Prepared, Communicator const& comm, Deck const& deck, Build const& build, Log const& log,
           std::unique_ptr<Objective<T>> objective);
  struct Outputs;  // files and the progress line
  Exit run_to_end(std::optional<double> time_limit, Signals& signals);
  Decision one_step(Outputs& out);
  void know_losses(std::vector<StepLoss> const& losses);
  void complete_rows(Outputs& out, std::span<double const> bytes_of_all);
  void flush_rows(Outputs& out);
  bool measures(std::uint64_t step) const;
  void write_groups(Outputs& out);
  void refuse_another_deck(Restored const& restored) const;
  void open_folder();
  void require_room();
  void warn_if_done() const;
  void begin_saving(WallClock& clock, std::function<void()> sync_rows);
  CheckpointInfo describe();
  void save(bool last);
  Saver::Outcome save_now(bool last);
  void collect(bool for_another);
  void note(Saver::Outcome outcome);
  bool is_best(double loss);
  void write_summary(double validation, bool finished) const;
  RunState state_now(char const* state, std::optional<int> exit_code) const;
  void write_state(char const* state, std::optional<int> exit_code) const;
  void count_times();
  void write_failure(Exit code) const;
  double stop_allowance(WallClock const& clock) const;
  void report_validation(Outputs& out, double loss) const;
  std::unique_ptr<Metrics> open_rows(char const* name, std::vector<std::string> const& columns, std::int64_t done,
                                     std::vector<csv::Older> const& older) const;
  void warn_of_still_layers(std::uint64_t step);
  std::vector<ByteCount> bytes_by_group() const;
  Totals now() const { return add_exchange(totals_, optimizer_->exchange().bytes(), bytes_by_group(), comm_); }
  std::string file(char const* name) const { return directory_ + "/" + name; }

  double const born_ = steady_seconds();
  Communicator const& comm_;
  Deck deck_;
  Build build_;
  Log const& log_;
  std::string directory_;
  Space exec_;
  std::unique_ptr<Objective<T>> objective_;
  std::unique_ptr<SameProblem> problem_;
  LayerPlan plan_;
  Schedule schedule_;
  std::unique_ptr<Engine<T>> optimizer_;
  RunFolder folder_;  ///< before what writes there
  Beginning beginning_ = Beginning::afresh;
  bool running_ = false;  ///< summary.json is this start's
  std::unique_ptr<Checkpoints> checkpoints_;
  Registry registry_;
  Totals totals_;  ///< counters of earlier parts of the run, and the steps and samples of this one
  Totals saved_;   ///< what the registry writes
  double seconds_ = 0;
  double longest_step_ = 0;           ///< seconds, with the validation in it
  std::uint64_t samples_before_ = 0;  ///< this start
  EarlierStarts earlier_;             ///< rank 0's
  EarlierStarts taken_;               ///< rank 0's: with what this start had taken at its newest checkpoint
  bool resumed_ = false;
  bool still_said_ = false;
  double restore_seconds_ = 0;
  /// Rows of metrics.csv that wait for their bytes, and within a round of local steps for their losses: both are summed over the
  /// ranks along with the next losses, or when something else makes the ranks wait for each other.
  struct Row {
    std::uint64_t step = 0, samples = 0;
    double loss = 0, multiplier = 0, seconds = 0;
    ByteCount mine;
  };
  std::vector<Row> rows_;
  std::uint64_t last_row_ = 0;  ///< the step of the last row of this start
  std::unique_ptr<SavePolicy> policy_;
  std::unique_ptr<Saver> saver_;
  std::optional<Restored> restored_;
  std::optional<Parent> weights_;    ///< where a starting point that is not the objective's was taken from
  std::optional<Best> best_, kept_;  ///< the best validation; the best that a checkpoint is committed of
};

extern template class Training<float>;
extern template class Training<double>;

}  // namespace kaon

#endif
