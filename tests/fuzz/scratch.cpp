#include "scratch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace kaon::fuzz {
namespace {

class Folder {
 public:
  Folder() {
    namespace fs = std::filesystem;
    char const* const given = std::getenv("KAON_FUZZ_SCRATCH");
    auto const base = given ? fs::path(given) : fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string pattern = (base / "kaon-fuzz-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw IoError("cannot make a folder " + pattern);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string path_;
};

}  // namespace

std::string scratch(std::string const& name) {
  static Folder const folder;
  return folder.path_ + '/' + name;
}

void put_file(std::string const& path, InputView content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<char const*>(content.data()), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

Input file_bytes(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace kaon::fuzz
