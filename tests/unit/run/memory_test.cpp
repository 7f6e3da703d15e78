#include <kaon/core/error.hpp>
#include <kaon/run/start/memory.hpp>

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace kaon {
namespace {

TEST(Memory, IsToldFromOtherTroubleInAllWaysOfSayingSo) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::bad_array_new_length()));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error("cudaMalloc(&p, n) error( cudaErrorMemoryAllocation): out of memory x.cpp:3")));
  EXPECT_TRUE(is_out_of_memory(std::runtime_error("hipMalloc error: hipErrorOutOfMemory")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("Kokkos: a view is out of bounds")));
  EXPECT_FALSE(is_out_of_memory(std::invalid_argument("kaon: Plan: needs at least one rank")));
}

TEST(Memory, KokkosSaysWhatWasAskedForAndByWhom) {
  std::runtime_error const e(
      "Kokkos failed to allocate memory for label \"kaon::W\".  Allocation using MemorySpace named \"Host\" failed with the "
      "following error:  Allocation of size 68.72 G failed, likely due to insufficient memory.  (The allocation mechanism was "
      "standard malloc().)\n");
  ASSERT_TRUE(is_out_of_memory(e));
  EXPECT_EQ(out_of_memory_text(e), "out of memory: 68.72 GB asked for kaon::W in Kokkos' memory space Host");
  EXPECT_EQ(out_of_memory_text(std::bad_alloc()), "out of memory");
}

TEST(Memory, TheAccountNamesWhatIsHeld) {
  auto const text = memory_account();
  EXPECT_NE(text.find("this rank holds "), std::string::npos) << text;
  EXPECT_EQ(text.find("holds 0 MB"), std::string::npos) << text;
}

TEST(Memory, ThreadsAreProvedWithoutLeavingAny) {
  EXPECT_NO_THROW(prove_threads(0));
  EXPECT_NO_THROW(prove_threads(8));
}

TEST(Memory, BlasGetsWhatCanBeHadAndRefusesWhatCannot) {
  EXPECT_NO_THROW(reserve_blas_memory(1));
  EXPECT_FALSE(blas_is_stuck());
  constexpr std::size_t more_than_addresses = std::size_t(1) << 60;
  try {
    reserve_blas_memory(2, more_than_addresses);
    GTEST_SKIP() << "this BLAS needs no care";
  } catch (IoError const& e) {
    EXPECT_NE(std::string(e.what()).find("ulimit -v"), std::string::npos) << e.what();
    EXPECT_TRUE(blas_is_stuck());
  }
}

}  // namespace
}  // namespace kaon
