// problem: a problem file of Kaon's writer, damaged. foreign-problem: the same in HDF5's oldest format, which other programs
// write and whose metadata have no checksums. forged-problem: a sound HDF5 file with other things in it than a problem.
#include "forge.hpp"
#include "hdf5_ids.hpp"
#include "patched_file.hpp"

#include <kaon/objective/least_squares_problem.hpp>

#include <cmath>

namespace kaon::fuzz {
namespace {

LeastSquaresProblem sample() {
  LeastSquaresProblem p;
  p.workers = 2;
  p.samples = 3;
  p.rows = 4;
  p.cols = 2;
  p.A.assign(24, 1.5);
  p.B.assign(12, -2);
  p.X0.assign(8, 0.25);
  return p;
}

void read(std::string const& path) {
  NoIdLeft const watch;
  auto const p = read_problem(path);
  demand(p.workers > 0 && p.samples > 0 && p.rows > 0 && p.cols > 0, "a problem without a size");
  demand(p.A.size() == p.workers * p.samples * p.rows && p.B.size() == p.workers * p.samples * p.cols &&
             p.X0.size() == p.rows * p.cols,
         "a problem whose sizes do not fit its numbers");
  for (auto const* numbers : {&p.A, &p.B, &p.X0})
    for (double const v : *numbers) demand(std::isfinite(v), "a problem with a number that is not finite");
}

void run_own(InputView input) {
  static PatchedFile file("problem.h5", [] {
    write_problem(scratch("sound.h5"), sample());
    return file_bytes(scratch("sound.h5"));
  }());
  file.damage(input);
  read(file.path());
}

void run_foreign(InputView input) {
  static PatchedFile file("foreign.h5", [] {
    auto const path = scratch("sound.h5");
    auto const p = sample();
    Id const out(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    auto const put = [&](char const* name, std::vector<hsize_t> const& shape, std::vector<double> const& numbers) {
      Id const space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
      Id const set(H5Dcreate2(out, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
      H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
    };
    put("A", {2, 3, 4}, p.A);
    put("B", {2, 3, 2}, p.B);
    put("X0", {4, 2}, p.X0);
    H5Fflush(out, H5F_SCOPE_LOCAL);
    return file_bytes(path);
  }());
  file.damage(input);
  read(file.path());
}

void run_forged(InputView input) {
  auto const path = scratch("forged-problem.h5");
  {
    Choices choices(input);
    Id const file(new_file(path), H5Fclose);
    forge_link(file, choices.seldom() ? "A" : "loop", choices);
    hid_t const type = H5T_IEEE_F64LE;  // nvcc loses the parentheses of HDF5's macro between braces
    forge_dataset(file, "A", {{2, 3, 4}, type}, choices);
    forge_dataset(file, "B", {{2, 3, 2}, type}, choices);
    forge_dataset(file, "X0", {{4, 2}, type}, choices);
  }
  read(path);
}

std::vector<Input> damages() {
  std::vector<Input> all{{}};
  for (int i = 0; i < 8; ++i) all.push_back(one_bit(i / 8.0));
  all.push_back({2, 0, 2});
  all.push_back({3, 0, 1, 9, 0});
  return all;
}

std::vector<Input> damages_of_the_oldest_format() {
  auto all = damages();
  all.push_back({0x3f, 0xbd, 0xfd, 0x47, 0xff});  // ended HDF5 1.10.8 by SIGSEGV in H5F__accum_read
  return all;
}

std::vector<Input> nothing_forged() { return {Input(8, 0), Input(64, 0), Input(200, 7)}; }

}  // namespace

Target problem_target() { return {"problem", {Exit::bad_input}, 256, run_own, damages}; }
Target foreign_problem_target() { return {"foreign-problem", {Exit::bad_input}, 256, run_foreign, damages_of_the_oldest_format}; }
Target forged_problem_target() { return {"forged-problem", {Exit::bad_input}, 512, run_forged, nothing_forged}; }

}  // namespace kaon::fuzz
