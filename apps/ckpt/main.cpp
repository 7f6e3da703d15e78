// kaon-ckpt: looks into checkpoints and makes others of them. Serial, needs no MPI launcher.
#include "commands.hpp"
#include "text.hpp"

#include <kaon/core/error.hpp>
#include <kaon/files/standard_output.hpp>

#include <fmt/format.h>
#include <hdf5.h>
#include <boost/program_options.hpp>

#include <kaon_build_info.hpp>

#include <algorithm>
#include <cstdio>

namespace {

namespace po = boost::program_options;

constexpr char const* help = R"(kaon-ckpt: look into Kaon's checkpoints, take things out of them, tidy up

  kaon-ckpt show FILE                     step, deck, provenance, the tree of datasets and totals
  kaon-ckpt verify FILE...                re-read every block and compare its hash
  kaon-ckpt diff A B                      compare two states bit by bit: for each dataset the first element that differs, with
                                          both values, and how many; provenance and deck are listed, not counted
  kaon-ckpt export FILE -o OUT [--what PATTERN]... [--force]
                                          datasets for Python under their own names: OUT.npz for numpy alone, OUT.h5 for h5py;
                                          the model W, or all that match a pattern as '/model/*' (a * crosses slashes)
  kaon-ckpt extract FILE -o OUT [--npy] [--force]
                                          the model W alone: one HDF5 file, or with --npy a folder of .npy files
  kaon-ckpt resize FILE -w N -o OUT       the state for N workers: ANOTHER ALGORITHMIC STATE, with the means over the workers
                                          kept; says what was done to what
  kaon-ckpt prune FOLDER --keep N [--every M] [--dry-run] [--leftovers] [--drop-best]
                                          delete old checkpoints of a run folder. The newest N sound ones stay, those of steps
                                          that are multiples of M, what latest and best point at (best not with --drop-best), and
                                          what is another run's. With --leftovers unfinished files go too. While a job runs in the
                                          folder it ends with 74
  kaon-ckpt --help | --version

What stands at OUT is not overwritten (64): --force replaces it, but never FILE itself, a checkpoint, or what a run's folder
checkpoints holds.
Exit codes: 0 success (diff: equal), 1 diff found a difference, 64 usage, 65 damaged or unfit file, 74 I/O.
)";

constexpr char const* commands = "show, verify, diff, export, extract, resize and prune";

int run(int argc, char** argv) {
  // 1. Options.
  std::string out;
  std::vector<std::string> words, what;
  std::int64_t workers = 0;
  kaon::ckpt::Pruning pruning;
  po::options_description all;
  all.add_options()("help,h", "")("version", "")("npy", "")("force", "")("dry-run", "")("leftovers", "")("drop-best", "")(
      "output,o", po::value(&out))("what", po::value(&what))("workers,w", po::value(&workers))("keep", po::value(&pruning.keep))(
      "every", po::value(&pruning.every))("words", po::value(&words));
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
  if (given.count("help")) return kaon::ckpt::print("{}", help), 0;
  if (given.count("version")) return kaon::ckpt::print("kaon-ckpt {} ({})\n", KAON_VERSION, KAON_GIT_HASH), 0;

  // 2. The command, its files and its options.
  if (words.empty()) throw kaon::UsageError(fmt::format("which command? There are {} (see kaon-ckpt --help)", commands));
  std::string const command = words.front();
  words.erase(words.begin());
  auto const want = [&](bool right, char const* takes) {
    if (!right) throw kaon::UsageError(fmt::format("kaon-ckpt {} takes {} (see kaon-ckpt --help)", command, takes));
  };
  auto const only = [&](std::initializer_list<char const*> options) {
    for (auto const& [name, value] : given)
      if (name != "words" && std::find(options.begin(), options.end(), name) == options.end())
        throw kaon::UsageError(fmt::format("kaon-ckpt {} has no option {} (see kaon-ckpt --help)", command, "--" + name));
  };

  // 3. The work.
  if (command == "show") return only({}), want(words.size() == 1, "one file"), kaon::ckpt::show(words[0]);
  if (command == "verify") return only({}), want(!words.empty(), "at least one file"), kaon::ckpt::verify(words);
  if (command == "diff") return only({}), want(words.size() == 2, "two files"), kaon::ckpt::diff(words[0], words[1]);
  if (command == "export") {
    only({"output", "what", "force"});
    want(words.size() == 1 && !out.empty(), "one file and -o OUT");
    return kaon::ckpt::export_arrays(words[0], out, what, given.count("force") != 0);
  }
  if (command == "extract") {
    only({"output", "npy", "force"});
    want(words.size() == 1 && !out.empty(), "one file and -o OUT");
    return kaon::ckpt::extract(words[0], out, given.count("npy") != 0, given.count("force") != 0);
  }
  if (command == "resize") {
    only({"output", "workers"});
    want(words.size() == 1 && !out.empty() && given.count("workers"), "one file, -w N and -o OUT");
    return kaon::ckpt::resize(words[0], workers, out);
  }
  if (command == "prune") {
    only({"keep", "every", "dry-run", "leftovers", "drop-best"});
    want(words.size() == 1 && given.count("keep"), "one folder and --keep N");
    pruning.dry_run = given.count("dry-run") != 0;
    pruning.leftovers = given.count("leftovers") != 0;
    pruning.drop_best = given.count("drop-best") != 0;
    return kaon::ckpt::prune(words[0], pruning);
  }
  throw kaon::UsageError(fmt::format("unknown command '{}'; there are {}", command, commands));
}

int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (kaon::Error const& e) {
    kaon::ckpt::complain("kaon-ckpt: {}\n", e.what());
    return static_cast<int>(e.code());
  } catch (std::exception const& e) {
    kaon::ckpt::complain("kaon-ckpt: {}\n", e.what());
    return static_cast<int>(kaon::Exit::io);
  }
}

}  // namespace

int main(int argc, char** argv) {
  kaon::files::secure_standard_streams();
  H5dont_atexit();  // it would close once more what could not be closed on a full disk, and crash
  return kaon::files::with_output_written("kaon-ckpt", guarded(argc, argv));
}
