#include <kaon/objective/least_squares_problem.hpp>

#include <kaon/core/error.hpp>

#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>

namespace least_squares_problem_test {

using kaon::InputError;
using kaon::LeastSquaresProblem;

struct ProblemFile : ::testing::Test {
  std::string path = ::testing::TempDir() + "kaon_problem_" + std::to_string(getpid()) + ".h5";
  LeastSquaresProblem good{2, 3, 4, 5, std::vector<double>(24, 0.5), std::vector<double>(30, -1), std::vector<double>(20, 2)};
  void SetUp() override {
    for (std::size_t i = 0; i < good.A.size(); ++i) good.A[i] = 1.0 / static_cast<double>(i + 1);
    kaon::write_problem(path, good);
  }
  void TearDown() override { std::remove(path.c_str()); }

  std::string refusal() {
    try {
      kaon::read_problem(path);
    } catch (InputError const& e) {
      return e.what();
    } catch (std::exception const& e) {
      return std::string("another exception: ") + e.what();
    }
    return "accepted";
  }
  void replace(char const* name, hid_t type, std::vector<hsize_t> const& shape, hid_t how = H5P_DEFAULT) {
    hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, name, H5P_DEFAULT);
    if (!shape.empty()) {
      hid_t const space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
      H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT));
      H5Sclose(space);
    }
    H5Fclose(file);
  }
  void expect(std::string const& part) {
    auto const text = refusal();
    EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_NE(text.find(path), std::string::npos) << text;
  }
};

TEST_F(ProblemFile, ComesBackToTheBit) {
  auto const p = kaon::read_problem(path);
  EXPECT_EQ(p.workers, 2u);
  EXPECT_EQ(p.samples, 3u);
  EXPECT_EQ(p.rows, 4u);
  EXPECT_EQ(p.cols, 5u);
  EXPECT_EQ(p.A, good.A);
  EXPECT_EQ(p.B, good.B);
  EXPECT_EQ(p.X0, good.X0);
}

TEST_F(ProblemFile, EveryMissingDatasetIsNamed) {
  for (auto const* name : {"/A", "/B", "/X0"}) {
    kaon::write_problem(path, good);
    replace(name, H5T_IEEE_F64LE, {});
    expect(std::string("dataset ") + name + " is missing");
  }
}

TEST_F(ProblemFile, TypesAndShapesAreChecked) {
  replace("/B", H5T_IEEE_F32LE, {2, 3, 5});
  expect("dataset /B is not float64");
  replace("/B", H5T_IEEE_F64LE, {6, 5});
  expect("dataset /B has 2 dimensions, not 3");
  replace("/B", H5T_IEEE_F64LE, {2, 0, 5});
  expect("dataset /B is empty");
}

TEST_F(ProblemFile, NumbersMustBeThere) {
  replace("/A", H5T_IEEE_F64LE, {2, 3, 4});
  expect("dataset /A was never written");
  hid_t const chunked = H5Pcreate(H5P_DATASET_CREATE), elsewhere = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t const chunk[] = {1, 8, 1};
  H5Pset_chunk(chunked, 3, chunk);
  replace("/A", H5T_IEEE_F64LE, {hsize_t{1} << 40, 8, 4}, chunked);
  expect("dataset /A was never written");
  replace("/A", H5T_IEEE_F64LE, {(hsize_t{1} << 60) + 1, 16, 1}, chunked);
  expect("dataset /A is too large");
  H5Pset_external(elsewhere, path.c_str(), 0, 2 * 3 * 4 * sizeof(double));
  replace("/A", H5T_IEEE_F64LE, {2, 3, 4}, elsewhere);
  expect("dataset /A lies in another file");
  H5Pclose(chunked);
  H5Pclose(elsewhere);
}

TEST_F(ProblemFile, ADamagedSizeAsksForNoMemory) {
  std::remove(path.c_str());
  hid_t const file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);  // the oldest format: no checksums
  hsize_t const shape[] = {2, 3, 4};
  hid_t const space = H5Screate_simple(3, shape, nullptr);
  hid_t const set = H5Dcreate2(file, "/A", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, good.A.data());
  H5Dclose(set);
  H5Sclose(space);
  H5Fclose(file);
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::string const sizes(reinterpret_cast<char const*>(shape), sizeof shape);
  std::size_t changed = 0;
  for (auto at = bytes.find(sizes); at != std::string::npos; at = bytes.find(sizes, at + 1), ++changed) bytes[at + 5] = 1;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  ASSERT_GE(changed, 1u);
  expect("dataset /A is cut short");
}

struct OldestFormat : ProblemFile {
  void write(hid_t creation) {
    std::remove(path.c_str());
    hid_t const file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    auto const put = [&](char const* name, std::vector<hsize_t> const& shape, std::vector<double> const& numbers) {
      hid_t const space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
      hid_t const set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data());
      H5Dclose(set);
      H5Sclose(space);
    };
    put("/A", {2, 3, 4}, good.A);
    put("/B", {2, 3, 5}, good.B);
    put("/X0", {4, 5}, good.X0);
    H5Fclose(file);
  }
  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(OldestFormat, IsReadWithEverySizeOfItsNumbersAndBehindAUserBlock) {
  for (std::size_t const addresses : {4, 8})
    for (std::size_t const lengths : {4, 8})
      for (hsize_t const block : {0, 512, 2048}) {
        hid_t const how = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_sizes(how, addresses, lengths);
        H5Pset_userblock(how, block);
        write(how);
        H5Pclose(how);
        auto const p = kaon::read_problem(path);
        EXPECT_EQ(p.A, good.A) << addresses << ' ' << lengths << ' ' << block;
        EXPECT_EQ(p.B, good.B);
        EXPECT_EQ(p.X0, good.X0);
      }
}

// HDF5 1.10 adds the length of a heap to others and copies as many bytes as that makes.
TEST_F(OldestFormat, AHeapLongerThanTheFileIsRefused) {
  for (std::size_t const lengths : {4, 8})
    for (unsigned char const low : {0xff, 0xe0, 0xf8, 0x00}) {
      hid_t const how = H5Pcreate(H5P_FILE_CREATE);
      H5Pset_sizes(how, 8, lengths);
      write(how);
      H5Pclose(how);
      auto damaged = bytes();
      auto const at = damaged.find("HEAP");
      ASSERT_NE(at, std::string::npos);
      damaged.replace(at + 8, lengths, lengths, '\xff');
      damaged[at + 8] = static_cast<char>(low);
      std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
      expect("problem file");
    }
}

TEST_F(ProblemFile, MayBeCompressed) {
  hid_t const how = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t const chunk[] = {1, 3, 4};
  H5Pset_chunk(how, 3, chunk);
  H5Pset_deflate(how, 6);
  replace("/A", H5T_IEEE_F64LE, {2, 3, 4}, how);
  hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(file, "/A", H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, good.A.data());
  H5Dclose(set);
  H5Fclose(file);
  H5Pclose(how);
  EXPECT_EQ(kaon::read_problem(path).A, good.A);
}

/// Metadata of the format that writers choose carry checksums: a flipped bit in them is told before HDF5 believes it.
TEST_F(ProblemFile, NoFlippedBitOutsideTheNumbersPassesUnseenOrIsFollowed) {
  std::ifstream in(path, std::ios::binary);
  std::string const sound{std::istreambuf_iterator<char>(in), {}};
  std::size_t refused = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    auto bad = sound;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
    auto const text = refusal();
    EXPECT_EQ(text.find("another exception"), std::string::npos) << "byte " << at << ": " << text;
    refused += text != "accepted";
  }
  EXPECT_GT(refused, 500u);
}

TEST_F(ProblemFile, SizesMustAgreeAndBothAreNamed) {
  auto const with = [&](std::size_t workers, std::size_t samples, std::size_t rows, std::size_t cols) {
    kaon::write_problem(path, {workers, samples, rows, cols, std::vector<double>(workers * samples * rows),
                               std::vector<double>(workers * samples * cols), std::vector<double>(rows * cols)});
  };
  auto const swap_b = [&](std::vector<double> const& data, std::vector<hsize_t> const& shape, char const* name) {
    replace(name, H5T_IEEE_F64LE, shape);
    hid_t const file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(file, name, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data());
    H5Dclose(set);
    H5Fclose(file);
  };
  with(2, 3, 4, 5);
  swap_b(std::vector<double>(20), {2, 2, 5}, "/B");
  expect("/A (n×r×m) is 2×3×4 and /B (n×r×c) is 2×2×5");
  with(2, 3, 4, 5);
  swap_b(std::vector<double>(24), {4, 6}, "/X0");
  expect("/X0 is 4×6, /A and /B make it 4×5");
}

TEST_F(ProblemFile, NumbersMustBeFinite) {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    auto p = good;
    p.B[7] = bad;
    kaon::write_problem(path, p);
    expect("dataset /B holds");
    expect("at element 7");
  }
}

TEST_F(ProblemFile, StrangersAndAbsentFilesAreToldApart) {
  std::ofstream(path, std::ios::trunc) << "no HDF5 at all";
  expect("not a sound HDF5 file");
  std::remove(path.c_str());
  expect("No such file");
  EXPECT_THROW(kaon::write_problem("no/such/folder/p.h5", good), kaon::IoError);
  auto p = good;
  p.X0.pop_back();
  EXPECT_THROW(kaon::write_problem(path, p), std::invalid_argument);
}

}  // namespace least_squares_problem_test
