#ifndef KAON_RUN_START_KOKKOS_OPTIONS_HPP
#define KAON_RUN_START_KOKKOS_OPTIONS_HPP

#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// Threads a rank that nobody can mean: more than Kokkos has room for, or more than so many for every CPU of the host.
inline constexpr int most_kokkos_threads = 512, most_threads_of_a_cpu = 16;

/// The number of threads that `text` says, the value of `name` (an option or an environment variable). Throws UsageError, with
/// the cure, for anything else than a whole number from 1 to what `cpus` bear.
int thread_count(std::string const& name, std::string_view text, int cpus);

/// Throws UsageError when KOKKOS_NUM_THREADS or OMP_NUM_THREADS is set to what is no number of threads ("4,2" is one for OpenMP):
/// Kokkos and OpenMP would abort, crash, or take the number of cores.
void check_thread_environment();

/// The --kokkos options as the Kokkos of this program calls them: its releases have renamed some, and pass over what they do not
/// know. Throws UsageError for what no release knows, naming the nearest, for what this one has not, and for values that cannot
/// be. A number of threads given here outweighs KOKKOS_NUM_THREADS.
std::vector<std::string> kokkos_options(std::vector<std::string> const& given);

/// The same for a Kokkos of another version, as KOKKOS_VERSION counts.
std::vector<std::string> kokkos_options(std::vector<std::string> const& given, int version);

/// The option that gives Kokkos::initialize that number.
std::string kokkos_threads_option(int threads);

/// The number that the user chose: by an option of kokkos_options(), KOKKOS_NUM_THREADS or OMP_NUM_THREADS, in this order; 0:
/// none.
int chosen_threads(std::vector<std::string> const& options);

}  // namespace kaon

#endif
