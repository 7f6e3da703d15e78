#include <kaon/core/error.hpp>
#include <kaon/run/start/kokkos_options.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kaon {
namespace {

using Words = std::vector<std::string>;
constexpr int old = 30401, now = 40601;

/// An environment variable for as long as it lives; the value of before comes back.
class Variable {
 public:
  Variable(char const* name, char const* value) : name_(name) {
    if (char const* const v = std::getenv(name)) before_ = v;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(char const* value) const {
    if (value)
      setenv(name_, value, 1);
    else
      unsetenv(name_);
  }
  char const* name_;
  std::optional<std::string> before_;
};

std::string refusal(std::function<void()> const& body) {
  try {
    body();
  } catch (UsageError const& e) {
    return e.what();
  }
  return "none";
}

TEST(KokkosOptions, NumbersOfThreads) {
  EXPECT_EQ(thread_count("X", "1", 2), 1);
  EXPECT_EQ(thread_count("X", "32", 2), 32);
  EXPECT_EQ(thread_count("X", "512", 256), 512);
  for (char const* const text : {"", "0", "-1", "abc", "2x", " 2", "1.5", "33", "20000", "99999999999999999999"}) {
    auto const what = refusal([&] { thread_count("OMP_NUM_THREADS", text, 2); });
    EXPECT_NE(what.find("OMP_NUM_THREADS"), std::string::npos) << text << ": " << what;
    EXPECT_NE(what.find("fair share"), std::string::npos) << "the cure: " << what;
  }
  EXPECT_NE(refusal([] { thread_count("X", "513", 256); }), "none") << "Kokkos has no room for more";
}

TEST(KokkosOptions, TheEnvironmentIsChecked) {
  Variable const kokkos("KOKKOS_NUM_THREADS", nullptr);
  for (char const* const good : {"1", "2,1", " 2 , 1"}) {
    Variable const omp("OMP_NUM_THREADS", good);
    EXPECT_NO_THROW(check_thread_environment()) << good;
  }
  for (char const* const bad : {"", "0", "abc", "2,", "2,0", "20000"}) {
    Variable const omp("OMP_NUM_THREADS", bad);
    EXPECT_THROW(check_thread_environment(), UsageError) << bad;
  }
  Variable const omp("OMP_NUM_THREADS", nullptr);
  EXPECT_NO_THROW(check_thread_environment());
  for (char const* const bad : {"", "0", "abc", "1,1", "20000"}) {
    Variable const threads("KOKKOS_NUM_THREADS", bad);
    EXPECT_THROW(check_thread_environment(), UsageError) << bad;
  }
}

TEST(KokkosOptions, EachReleaseGetsItsOwnNames) {
  for (auto const& name : {"--kokkos-threads", "--kokkos-num-threads"}) {
    EXPECT_EQ(kokkos_options({name + std::string("=2")}, old), Words{"--kokkos-threads=2"});
    EXPECT_EQ(kokkos_options({name + std::string("=2")}, now), Words{"--kokkos-num-threads=2"});
  }
  EXPECT_EQ(kokkos_options({"--kokkos-device=1", "--kokkos-tools-library=x.so"}, now),
            (Words{"--kokkos-device-id=1", "--kokkos-tools-libs=x.so"}));
  EXPECT_EQ(kokkos_options({"--kokkos-tools-libs=x.so", "--kokkos-disable-warnings"}, old),
            (Words{"--kokkos-tools-library=x.so", "--kokkos-disable-warnings"}));
  for (int const version : {old, now})
    for (auto const& word :
         kokkos_options({"--kokkos-threads=3", "--kokkos-num-devices=2,1", "--kokkos-tune-internals"}, version))
      EXPECT_EQ(kokkos_options({word}, version), Words{word}) << "what is right stays";
}

TEST(KokkosOptions, WhatCannotBeMeantIsRefused) {
  EXPECT_NE(refusal([] { kokkos_options({"--kokkos-nun-threads=2"}, old); }).find("--kokkos-num-threads"), std::string::npos);
  EXPECT_NE(refusal([] { kokkos_options({"--kokkos-devise-id=2"}, now); }).find("--kokkos-device-id"), std::string::npos);
  EXPECT_NE(refusal([] { kokkos_options({"--kokkos-map-device-id-by=random"}, old); }).find("3.4.01"), std::string::npos);
  for (char const* const bad : {"--kokkos-threads", "--kokkos-threads=", "--kokkos-threads=0", "--kokkos-threads=abc",
                                "--kokkos-threads=20000", "--kokkos-device-id=x", "--kokkos-device-id=-1", "--kokkos-threads2"})
    for (int const version : {old, now}) EXPECT_THROW(kokkos_options({bad}, version), UsageError) << bad;
}

TEST(KokkosOptions, TheUsersChoice) {
  Variable const a("OMP_NUM_THREADS", nullptr);
  {
    Variable const b("KOKKOS_NUM_THREADS", nullptr);
    EXPECT_EQ(chosen_threads({}), 0);
    EXPECT_EQ(chosen_threads({"--kokkos-device-id=0"}), 0);
    EXPECT_EQ(chosen_threads({kokkos_threads_option(3)}), 3);
    Variable const c("OMP_NUM_THREADS", "2,1");
    EXPECT_EQ(chosen_threads({}), 2);
    Variable const d("KOKKOS_NUM_THREADS", "4");
    EXPECT_EQ(chosen_threads({}), 4);
    EXPECT_EQ(chosen_threads({kokkos_threads_option(3)}), 3);
    kokkos_options({"--kokkos-threads=3"});
    EXPECT_EQ(std::getenv("KOKKOS_NUM_THREADS"), nullptr) << "some releases refuse to choose between the two";
  }
}

}  // namespace
}  // namespace kaon
