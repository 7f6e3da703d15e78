// Files made for one test, removed with it.
#ifndef KAON_TEST_DATA_FILES_HPP
#define KAON_TEST_DATA_FILES_HPP

#include <kaon/core/error.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace kaon::test {

class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "kaon-data-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;

  std::string path(std::string const& name) const { return (path_ / name).string(); }
  std::string text(std::string const& name, std::string const& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  /// A GPT-2 token shard; `claimed` is the count its header states (default: the true one).
  std::string shard(std::string const& name, std::vector<std::uint16_t> const& tokens, std::int32_t magic = 20240520,
                    std::int32_t version = 1, std::int64_t claimed = -1) const {
    std::vector<std::int32_t> header(256, 0);
    header[0] = magic;
    header[1] = version;
    header[2] = static_cast<std::int32_t>(claimed < 0 ? static_cast<std::int64_t>(tokens.size()) : claimed);
    std::ofstream out(path(name), std::ios::binary);
    out.write(reinterpret_cast<char const*>(header.data()), 1024);
    out.write(reinterpret_cast<char const*>(tokens.data()), static_cast<std::streamsize>(2 * tokens.size()));
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

/// Runs f, which must throw E with every one of `words` in its message.
template <class E, class F>
void expect_error(F const& f, std::vector<std::string> const& words) {
  try {
    f();
    FAIL() << "no error was thrown";
  } catch (E const& e) {
    std::printf("  %s\n", e.what());
    for (auto const& word : words) EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << "missing: " << word;
  }
}

}  // namespace kaon::test

#endif
