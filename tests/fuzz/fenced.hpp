#ifndef KAON_TESTS_FUZZ_FENCED_HPP
#define KAON_TESTS_FUZZ_FENCED_HPP

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>

#if defined(__SANITIZE_ADDRESS__)
#define KAON_FUZZ_ADDRESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KAON_FUZZ_ADDRESS 1
#endif
#endif
#ifdef KAON_FUZZ_ADDRESS
#include <sanitizer/asan_interface.h>
#endif

namespace kaon::fuzz {

/// Memory for up to `capacity` bytes that ends where a page begins that cannot be touched. What does not end there for its
/// alignment is followed by fewer than 8 bytes, which AddressSanitizer guards.
class Fenced {
 public:
  explicit Fenced(std::size_t capacity) {
    auto const page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = (capacity + page - 1) / page * page;
    void* const all = ::mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::runtime_error("no memory for a fence");
    begin_ = static_cast<unsigned char*>(all);
    mapped_ = size_ + page;
    if (::mprotect(begin_ + size_, page, PROT_NONE) != 0) throw std::runtime_error("no fence");
  }
  ~Fenced() {
    open();
    ::munmap(begin_, mapped_);
  }
  Fenced(Fenced const&) = delete;
  Fenced& operator=(Fenced const&) = delete;

  /// The last `size` bytes, from a multiple of 8 on; what lies in front of them is out of bounds too under AddressSanitizer.
  unsigned char* last(std::size_t size) {
    auto const whole = (size + 7) / 8 * 8;
    if (whole > size_) throw std::runtime_error("a fence is too short");
    open();
    unsigned char* const at = begin_ + (size_ - whole);
#ifdef KAON_FUZZ_ADDRESS
    __asan_poison_memory_region(begin_, size_ - whole);
    if (size < whole) __asan_poison_memory_region(at + size, whole - size);
#endif
    return at;
  }

 private:
  void open() {
#ifdef KAON_FUZZ_ADDRESS
    __asan_unpoison_memory_region(begin_, size_);
#endif
  }
  unsigned char* begin_ = nullptr;
  std::size_t size_ = 0, mapped_ = 0;
};

}  // namespace kaon::fuzz

#endif
