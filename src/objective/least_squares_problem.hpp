#ifndef KAON_OBJECTIVE_LEAST_SQUARES_PROBLEM_HPP
#define KAON_OBJECTIVE_LEAST_SQUARES_PROBLEM_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kaon {

/// The data of f_j(X) = ‖A_j X − B_j‖²_F / (2r), j < n, on the host, row-major.
struct LeastSquaresProblem {
  std::size_t workers = 0;  ///< n
  std::size_t samples = 0;  ///< r, of each worker
  std::size_t rows = 0;     ///< m: X is m×c
  std::size_t cols = 0;     ///< c
  std::vector<double> A;    ///< n×r×m
  std::vector<double> B;    ///< n×r×c
  std::vector<double> X0;   ///< m×c, the starting point
};

/// Reads the datasets /A (n×r×m), /B (n×r×c) and /X0 (m×c), all float64, of an HDF5 file. Throws InputError naming file and
/// dataset when one is missing, of another type, does not fit the others, or holds a NaN or an infinity; IoError when the file
/// system refuses.
LeastSquaresProblem read_problem(std::string const& path);

/// Hash of the sizes and of the numbers; how the file stores them does not matter.
std::uint64_t fingerprint_of(LeastSquaresProblem const& problem);

/// Writes such a file (replacing it). Throws std::invalid_argument when sizes do not fit, IoError when it cannot be written.
void write_problem(std::string const& path, LeastSquaresProblem const& problem);

}  // namespace kaon

#endif
