#ifndef KAON_APPS_CKPT_PART_HPP
#define KAON_APPS_CKPT_PART_HPP

#include <kaon/checkpoint/folder.hpp>

#include <unistd.h>

#include <string>

namespace kaon::ckpt {

/// A file on its way: <path>.part until commit() syncs and renames it; removed when it is not committed.
class Part {
 public:
  explicit Part(std::string path) : path_(std::move(path)), part_(path_ + ".part") { folder::create_empty(part_); }
  ~Part() {
    if (!committed_) ::unlink(part_.c_str());
  }
  Part(Part const&) = delete;
  Part& operator=(Part const&) = delete;

  std::string const& name() const { return part_; }
  void commit() {
    folder::sync(part_);
    folder::rename(part_, path_);
    committed_ = true;
  }

 private:
  std::string path_, part_;
  bool committed_ = false;
};

}  // namespace kaon::ckpt

#endif
