#include <kaon/checkpoint/zip.hpp>

#include <kaon/core/error.hpp>

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace kaon {

namespace {

struct ZipError {
  zip_error_t e;
  ZipError(int code, int system) {
    zip_error_init(&e);
    zip_error_set(&e, code, system);
  }
  ~ZipError() { zip_error_fini(&e); }
  ZipError(ZipError const&) = delete;
  ZipError& operator=(ZipError const&) = delete;
};

bool is_the_systems(int system) {
  return system == EIO || system == ESTALE || system == EACCES || system == EMFILE || system == ENFILE;
}

}  // namespace

void ZipFile::fail(std::string const& what, int code, int system) const {
  if (code == ZIP_ER_MEMORY) throw std::bad_alloc();
  if (code == ZIP_ER_EXISTS) throw InputError(fmt::format("cannot read {}: two of its members have one name", path_));
  ZipError error(code, system);
  auto const text = fmt::format("cannot read {}{}: {}", what, path_, zip_error_strerror(&error.e));
  if (zip_error_system_type(&error.e) == ZIP_ET_SYS && is_the_systems(system)) throw IoError(text);
  throw InputError(text);
}

ZipFile::ZipFile(std::string const& path) : path_(path) {
  int code = 0;
  archive_ = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (!archive_) fail("", code, errno);
  try {
    auto const count = zip_get_num_entries(archive_, 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      char const* const name = zip_get_name(archive_, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
      if (!name) {
        auto* const e = zip_get_error(archive_);
        fail("the directory of ", zip_error_code_zip(e), zip_error_code_system(e));
      }
      names_.emplace_back(name);
    }
  } catch (...) {
    zip_discard(archive_);
    throw;
  }
}

ZipFile::~ZipFile() { zip_discard(archive_); }

ZipFile::Member ZipFile::open(std::string const& name) const {
  auto const at = std::find(names_.begin(), names_.end(), name);
  require(at != names_.end(), "ZipFile: there is no such member");
  return Member(*this, static_cast<std::size_t>(at - names_.begin()));
}

ZipFile::Member::Member(ZipFile const& archive, std::size_t index) : archive_(archive), name_(archive.names_[index]) {
  auto const failed = [&] {
    auto* const e = zip_get_error(archive.archive_);
    archive.fail(fmt::format("member {} of ", name_), zip_error_code_zip(e), zip_error_code_system(e));
  };
  zip_stat_t s;
  zip_stat_init(&s);
  if (zip_stat_index(archive.archive_, index, 0, &s) != 0) failed();
  if (!(s.valid & ZIP_STAT_SIZE)) refuse("the archive does not say how long it is");
  if ((s.valid & ZIP_STAT_ENCRYPTION_METHOD) && s.encryption_method != ZIP_EM_NONE) refuse("it is encrypted");
  size_ = s.size;
  file_.reset(zip_fopen_index(archive.archive_, index, 0));
  if (!file_) failed();
}

void ZipFile::Member::Close::operator()(zip_file* f) const { zip_fclose(f); }

void ZipFile::Member::refuse(std::string const& why) const {
  throw InputError(fmt::format("member {} of {}: {}", name_, archive_.path_, why));
}

std::size_t ZipFile::Member::read(std::span<unsigned char> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    auto const n = zip_fread(file_.get(), to.data() + done, to.size() - done);
    if (n < 0) {
      auto* const e = zip_file_get_error(file_.get());
      archive_.fail(fmt::format("member {} of ", name_), zip_error_code_zip(e), zip_error_code_system(e));
    }
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

// libzip compares the checksum when it comes to the end.
void ZipFile::Member::end() {
  unsigned char more = 0;
  if (read({&more, 1}) != 0) refuse("it is longer than the archive says");
}

}  // namespace kaon
