// kaon-ckpt: looks into checkpoints. Serial, needs no MPI launcher.
#include "commands.hpp"

#include <kaon/core/error.hpp>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include <kaon_build_info.hpp>

#include <cstdio>

namespace {

namespace po = boost::program_options;

constexpr char const* help = R"(kaon-ckpt: look into Kaon's checkpoints

  kaon-ckpt show FILE                    step, deck, provenance and the tree of datasets
  kaon-ckpt verify FILE...               re-read every block and compare its hash
  kaon-ckpt diff A B                     compare two states bit by bit; provenance and deck are listed, not counted
  kaon-ckpt extract FILE -o OUT [--npy]  the model W: one HDF5 file, or with --npy a folder of .npy files
  kaon-ckpt --help | --version

Exit codes: 0 success (diff: equal), 1 diff found a difference, 64 usage, 65 damaged or unfit file, 74 I/O.
)";

int run(int argc, char** argv) {
  // 1. Options.
  std::string out;
  std::vector<std::string> words;
  po::options_description visible, all;
  visible.add_options()("help,h", "")("version", "")("npy", "")("output,o", po::value(&out));
  all.add(visible).add_options()("words", po::value(&words));
  po::positional_options_description positional;
  positional.add("words", -1);
  po::variables_map given;
  try {
    using Style = po::command_line_style::style_t;
    auto const style = static_cast<Style>(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing);
    po::store(po::command_line_parser(argc, argv).options(all).positional(positional).style(style).run(), given);
    po::notify(given);
  } catch (po::error const& e) {
    throw kaon::UsageError(std::string(e.what()) + " (see kaon-ckpt --help)");
  }
  if (given.count("help")) return fmt::print("{}", help), 0;
  if (given.count("version")) return fmt::print("kaon-ckpt {} ({})\n", KAON_VERSION, KAON_GIT_HASH), 0;

  // 2. The command and its files.
  if (words.empty()) throw kaon::UsageError("which command? show, verify, diff or extract (see kaon-ckpt --help)");
  std::string const command = words.front();
  words.erase(words.begin());
  auto const want = [&](bool right, char const* what) {
    if (!right) throw kaon::UsageError(fmt::format("kaon-ckpt {} takes {} (see kaon-ckpt --help)", command, what));
  };
  if (command != "extract") want(out.empty() && !given.count("npy"), "neither -o nor --npy");

  // 3. The work.
  if (command == "show") return want(words.size() == 1, "one file"), kaon::ckpt::show(words[0]);
  if (command == "verify") return want(!words.empty(), "at least one file"), kaon::ckpt::verify(words);
  if (command == "diff") return want(words.size() == 2, "two files"), kaon::ckpt::diff(words[0], words[1]);
  if (command == "extract") {
    want(words.size() == 1 && !out.empty(), "one file and -o OUT");
    return kaon::ckpt::extract(words[0], out, given.count("npy") != 0);
  }
  throw kaon::UsageError("unknown command '" + command + "'; there are show, verify, diff and extract");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (kaon::Error const& e) {
    fmt::print(stderr, "kaon-ckpt: {}\n", e.what());
    return static_cast<int>(e.code());
  } catch (std::exception const& e) {
    fmt::print(stderr, "kaon-ckpt: {}\n", e.what());
    return static_cast<int>(kaon::Exit::io);
  }
}
