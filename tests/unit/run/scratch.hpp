// A folder of a test's own, and readers and writers of small files.
#ifndef KAON_TESTS_RUN_SCRATCH_HPP
#define KAON_TESTS_RUN_SCRATCH_HPP

#include <kaon/support/texts.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace kaon::test {

class Scratch {
 public:
  Scratch() : path_(::testing::TempDir() + "kaon_run_" + std::to_string(getpid())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  std::string const& path() const { return path_; }
  std::string operator/(std::string const& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string read(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write(std::string const& path, std::string const& text) { std::ofstream(path, std::ios::binary) << text; }

/// A FILE* whose text can be looked at.
class Captured {
 public:
  Captured() : file_(std::tmpfile()) {}
  ~Captured() { std::fclose(file_); }
  Captured(Captured const&) = delete;
  Captured& operator=(Captured const&) = delete;
  std::FILE* file() const { return file_; }
  std::string text() const {
    std::fflush(file_);
    std::rewind(file_);
    std::string out;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) out += static_cast<char>(c);
    std::fseek(file_, 0, SEEK_END);
    return out;
  }

 private:
  std::FILE* file_;
};

/// The message of the E that `action` throws; "" and a failure when it throws none.
template <class E, class F>
std::string message_of(F const& action) {
  try {
    action();
  } catch (E const& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace kaon::test

#endif
