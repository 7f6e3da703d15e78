// Runs targets without a fuzzing engine: mutations of the seeds by chance, or given files. What CTest runs.
//
//   kaon_fuzz_loop TARGET [--runs N] [--seed S] [--files FILE...] [--write-seeds FOLDER] [--write-words FILE]
#include "mutate.hpp"
#include "scratch.hpp"
#include "setup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace {

using namespace kaon;
using namespace kaon::fuzz;

// What a signal handler writes out: the input that was running.
unsigned char const* running = nullptr;
std::size_t running_size = 0;
char kept_path[256] = "";

extern "C" void on_signal(int which) {
  static char const hang[] = "fuzz: FINDING: an input takes more than 60 seconds\n", kept[] = "fuzz: the input is in ";
  bool told = true;
  if (which == SIGALRM) told = ::write(2, hang, sizeof hang - 1) > 0;
  int const fd = ::open(kept_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  told = fd >= 0 && ::write(fd, running, running_size) >= 0 && told;
  told = ::write(2, kept, sizeof kept - 1) > 0 && ::write(2, kept_path, std::char_traits<char>::length(kept_path)) > 0 &&
         ::write(2, "\n", 1) > 0 && told;
  std::signal(which, SIG_DFL);
  std::raise(which == SIGALRM || !told ? SIGABRT : which);
}

void watch(Target const& target) {
  std::snprintf(kept_path, sizeof kept_path, "finding-%s.bin", target.name.c_str());
  for (int const which : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) std::signal(which, on_signal);
}

Outcome run(Target const& target, Input const& input, std::string* why = nullptr) {
  running = input.data();
  running_size = input.size();
  ::alarm(60);
  auto const outcome = feed(target, input, why);
  ::alarm(0);
  return outcome;
}

int loop(Target const& target, std::uint64_t runs, std::uint64_t seed) {
  auto const start = std::chrono::steady_clock::now();
  std::uint64_t seeds_taken = 0, taken = 0;
  auto const seeds = target.seeds();
  for (auto const& s : seeds) seeds_taken += run(target, s) == Outcome::taken;
  demand(seeds_taken > 0, "no seed of the target is taken: its writer and its reader have parted");
  Mutator mutator(target, seed);
  for (std::uint64_t i = 0; i < runs; ++i) {
    auto input = mutator.next();
    if (run(target, input) == Outcome::refused) continue;
    ++taken;
    mutator.keep(std::move(input));
  }
  auto const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s: seed %llu, %zu seeds (%llu taken), %llu inputs (%llu taken, %llu refused), %.1f s, no finding\n",
              target.name.c_str(), static_cast<unsigned long long>(seed), seeds.size(),
              static_cast<unsigned long long>(seeds_taken), static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(taken), static_cast<unsigned long long>(runs - taken), seconds);
  return 0;
}

int write_seeds(Target const& target, std::string const& folder) {
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (auto const& s : target.seeds()) put_file(folder + "/seed-" + std::to_string(number++), s);
  return 0;
}

/// A dictionary as libFuzzer reads it.
int write_words(Target const& target, std::string const& path) {
  std::string text;
  for (auto const& word : target.words) {
    text += '"';
    for (auto const c : word) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += hex;
    }
    text += "\"\n";
  }
  put_file(path, bytes_of(text));
  return 0;
}

int work(std::vector<std::string> const& words) {
  if (words.empty()) target("");
  auto const& chosen = target(words[0]);
  watch(chosen);
  std::uint64_t runs = 20000, seed = 1;
  for (std::size_t i = 1; i < words.size(); ++i) {
    auto const& option = words[i];
    if (option == "--files") {
      for (++i; i < words.size(); ++i) {
        std::string why;
        bool const taken = run(chosen, file_bytes(words[i]), &why) == Outcome::taken;
        std::printf("%s: %s %s\n", words[i].c_str(), taken ? "taken" : "refused:", why.c_str());
      }
      return 0;
    }
    if (++i == words.size()) throw UsageError(option + " needs a value");
    if (option == "--runs")
      runs = std::stoull(words[i]);
    else if (option == "--seed")
      seed = std::stoull(words[i]);
    else if (option == "--write-seeds")
      return write_seeds(chosen, words[i]);
    else if (option == "--write-words")
      return write_words(chosen, words[i]);
    else
      throw UsageError("unknown option " + option);
  }
  return loop(chosen, runs, seed);
}

}  // namespace

int main(int argc, char** argv) {
  static Setup const setup;
  try {
    return work({argv + 1, argv + argc});
  } catch (Error const& e) {
    std::fprintf(stderr, "kaon_fuzz_loop: %s\n", e.what());
    return static_cast<int>(e.code());
  }
}
