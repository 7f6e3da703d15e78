#include "program.hpp"

#include <kaon/objective/least_squares_problem.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kaon::test {

namespace fs = std::filesystem;

namespace {

std::string text_of(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

unsigned next(unsigned& state) { return (state = state * 1664525u + 1013904223u) >> 16; }

}  // namespace

Scratch::Scratch() : path_(fs::canonical(::testing::TempDir()).string() + "/kaon_cli_XXXXXX") {
  if (!mkdtemp(path_.data())) throw std::runtime_error("cannot make a folder in " + ::testing::TempDir());
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Scratch::write(std::string const& name, std::string const& text) const {
  std::ofstream(*this / name, std::ios::binary) << text;
}

std::string Scratch::read(std::string const& name) const { return text_of(*this / name); }

bool Scratch::has(std::string const& name) const { return fs::exists(*this / name); }

std::vector<std::string> Scratch::snapshot(std::string const& name) const {
  std::vector<std::string> all;
  for (auto const& entry : fs::recursive_directory_iterator(*this / name)) {
    std::string content = "\n";
    if (entry.is_symlink())
      content += "-> " + fs::read_symlink(entry.path()).string();
    else if (!entry.is_directory())
      content += text_of(entry.path());
    all.push_back(entry.path().string() + content);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Words train_words(int ranks, Words const& arguments) {
  Words words{KAON_TRAIN};
  if (ranks > 1) {
    words = {KAON_MPIEXEC, KAON_MPIEXEC_NUMPROC, std::to_string(ranks)};
    std::istringstream flags(KAON_MPIEXEC_PREFLAGS);
    for (std::string flag; flags >> flag;) words.push_back(flag);
    words.emplace_back(KAON_TRAIN);
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Words ckpt_words(Words const& arguments) {
  Words words{KAON_CKPT};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

std::string some_text(std::size_t bytes, unsigned seed) {
  char const* const words[] = {"meson", "kaon", "decays", "into", "pions", "and", "the", "rate", "is", "small", "because", "of"};
  std::string text;
  while (text.size() < bytes) {
    text += words[next(seed) % (sizeof words / sizeof words[0])];
    text += next(seed) % 9 == 0 ? ".\n" : " ";
  }
  text.resize(bytes);
  return text;
}

std::string gpt_deck() {
  return "[run]\nsteps = 3\ndirectory = run\nlog_every = 1\n\n"
         "[objective]\nkind = gpt\n\n"
         "[gpt]\nlayers = 1\nheads = 2\nwidth = 16\ncontext = 16\nbatch = 2\n\n"
         "[data]\ntrain = text.txt\nvalidation_batches = 2\n\n"
         "[optimizer]\nworkers = 2\n\n"
         "[group.hidden]\nlayers = h[0-9]*\nradius = 0.02\nuplink = top:0.2\n\n"
         "[group.table]\nlayers = embed head\nnorm = max-abs\nradius = 0.005\n";
}

std::string least_squares_deck() {
  return "[run]\nsteps = 3\ndirectory = run\nlog_every = 1\n\n"
         "[objective]\nkind = least-squares\n\n[least-squares]\nproblem = problem.h5\n\n"
         "[optimizer]\nworkers = 2\n\n"
         "[group.all]\nlayers = *\nradius = 0.1\n";
}

void put_gpt(Scratch const& scratch) {
  scratch.write("gpt.deck", gpt_deck());
  scratch.write("text.txt", some_text(8192));
}

void put_least_squares(Scratch const& scratch) {
  LeastSquaresProblem p;
  p.workers = 2, p.samples = 4, p.rows = 3, p.cols = 2;
  unsigned state = 7;
  auto const fill = [&](std::vector<double>& v, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) v.push_back(static_cast<double>(next(state) % 2001) / 1000 - 1);
  };
  fill(p.A, 2 * 4 * 3);
  fill(p.B, 2 * 4 * 2);
  fill(p.X0, 3 * 2);
  write_problem(scratch / "problem.h5", p);
  scratch.write("squares.deck", least_squares_deck());
}

::testing::AssertionResult ended(Outcome const& o, int code, std::vector<std::string> const& parts) {
  if (o.code != code) return ::testing::AssertionFailure() << "expected exit code " << code << ": " << o.all();
  for (auto const& part : parts)
    if ((code > 1 ? o.err : o.out + o.err).find(part) == std::string::npos)
      return ::testing::AssertionFailure() << "'" << part << "' is missing: " << o.all();
  return ::testing::AssertionSuccess();
}

}  // namespace kaon::test
