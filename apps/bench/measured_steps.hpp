#ifndef KAON_BENCH_MEASURED_STEPS_HPP
#define KAON_BENCH_MEASURED_STEPS_HPP

#include <string>

namespace kaon::bench {

/// Median of the column `seconds` of a metrics.csv, without its first `skip` rows: they warm up. Throws IoError when the file
/// cannot be read, InputError when it has no such column, a row that is no row, or no more rows than are skipped.
double measured_seconds(std::string const& path, int skip);

}  // namespace kaon::bench

#endif
