// kaon_clock SEED JOBS: jobs of a simulated clock that obey WallClock, as Training does. Prints one JSON object; exit code 1 when
// a job outlived its limit, or one of 30 minutes or more left over a twentieth of it.
#include <kaon/run/stop/wall_clock.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

class Job {
 public:
  Job(std::mt19937_64& random, double shortest, double longest)
      : random_(random),
        limit(log_uniform(shortest, longest)),
        step_(log_uniform(0.05, 10)),
        save_(log_uniform(0.2, 30)),
        every_(uniform() < 0.5 ? 0 : static_cast<long>(log_uniform(20, 1000))),
        validate_every_(uniform() < 0.5 ? 0 : static_cast<long>(log_uniform(10, 500))),
        restarted_(uniform() < 0.5) {}

  /// Seconds from the start to the end.
  double run() {
    kaon::WallClock clock(limit, [this] { return now_; });
    if (restarted_)
      clock.expect_save(near(save_));  // measured by the job before
    else
      save(clock);
    for (long done = 0;;) {
      clock.step_begins();
      double const length = near(step_) * (uniform() < 0.01 ? 1.5 : 1);
      now_ += 0.9 * length;
      bool const stop = clock.must_stop();
      now_ += 0.1 * length;
      if (++done; validate_every_ > 0 && done % validate_every_ == 0) {
        clock.validation_begins();
        now_ += near(2 * step_);
        clock.validation_ends();
      }
      clock.step_ends();
      bool const due = every_ > 0 && done % every_ == 0;
      if (stop || due) save(clock);
      if (stop || (due && clock.must_stop())) break;
    }
    return now_ += 0.5 + uniform();  // the end of MPI and Kokkos
  }

 private:
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double log_uniform(double least, double most) { return least * std::pow(most / least, uniform()); }
  double near(double mean) { return mean * (0.8 + 0.4 * uniform()); }
  void save(kaon::WallClock& clock) {
    clock.save_begins();
    now_ += near(save_);
    clock.save_ends();
  }

  std::mt19937_64& random_;
  double now_ = 0;

 public:
  double const limit;

 private:
  double step_, save_;
  long every_, validate_every_;
  bool restarted_;
};

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 random(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1);
  int const jobs = argc > 2 ? std::atoi(argv[2]) : 200;
  int killed = 0, wasteful = 0, long_ones = 0;
  double least = 1, sum = 0;
  for (int i = 0; i < jobs; ++i) {
    bool const brief = i % 4 == 0;
    Job job(random, brief ? 300 : 1800, brief ? 1800 : 86400);
    double const used = job.run() / job.limit;
    killed += used > 1;
    if (brief) continue;
    ++long_ones;
    least = std::min(least, used);
    sum += used;
    wasteful += used < 0.95;
  }
  std::printf(
      "{\"simulated_jobs\": %d, \"killed\": %d, \"of_30_minutes_or_more\": %d, \"least_used\": %.4f, \"mean_used\": %.4f}\n",
      jobs, killed, long_ones, least, sum / long_ones);
  return killed > 0 || wasteful > 0;
}
