// Damaged checkpoints, in process: whatever happens to the bytes of a file, either it is refused and the older one is taken, or
// everything that is read from it is what was written.
#include "files_apart.hpp"
#include "files_damage.hpp"

#include "../unit/checkpoint/toy.hpp"

#include <kaon/checkpoint/folder.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

namespace {

using namespace kaon::test;

struct Options {
  bool long_form = false;
  std::uint64_t seed = 20250302;
  std::string out;
  std::vector<std::string> parts;
};

/// By what a file was refused: the words that its message must have.
std::string reason_of(std::string const& said) {
  static std::pair<char const*, char const*> const words[] = {
      {"do not fit their hash", "hash of a block"},
      {"the seal", "seal"},
      {"its datasets have", "size of the table"},
      {"not a Kaon checkpoint", "magic"},
      {"format version", "version"},
      {"its name says", "name of the file"},
      {"as HDF5", "HDF5 on opening"},
      {"cannot read", "HDF5 on reading"},
      {"cannot open", "HDF5 on opening an object"},
      {"is not in the integrity table", "tree"},
      {"this run needs", "shape"},
  };
  for (auto const& [word, reason] : words)
    if (said.find(word) != std::string::npos) return reason;
  return "other: " + said;
}

/// A folder with steps 1 and 2, made by a child process, since this one must stay without MPI.
class Folder {
 public:
  explicit Folder(bool small) : small_(small), path_(std::filesystem::temp_directory_path() / "kaon-files-XXXXXX") {
    if (!mkdtemp(path_.data())) throw std::runtime_error("cannot make " + path_);
    auto const made = judge_apart(1, 60, [&](std::size_t) {
      kaon::Communicator const comm(MPI_COMM_SELF);
      kaon::Checkpoints store(comm, path_, 0);
      for (std::uint64_t step : {1, 2}) {
        Toy toy(comm, step, small_);
        store.save(toy.info(), toy.registry());
      }
      return Verdict{Fate::harmless, ""};
    });
    if (made[0].fate != Fate::harmless) throw std::runtime_error("cannot make checkpoints: " + made[0].said);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(int step) const { return path_ + "/" + kaon::folder::step_name(static_cast<std::uint64_t>(step)); }

  /// What a restart from `latest` makes of the folder.
  Verdict restart() const {
    kaon::Communicator const comm(MPI_COMM_SELF);
    kaon::Checkpoints const store(comm, path_, 0);
    Toy back(comm, 2, small_), older(comm, 1, small_);
    auto const got = store.load("latest", back.registry());
    bool const fell_back = got.path == file(1);
    for (std::size_t i = 0; fell_back && i < back.registry().size(); ++i) older.registry()[i].set(back.received(i).data());
    std::string const said = got.warnings.empty() ? "" : got.warnings.front();
    if (!fell_back) {
      bool const same = got.path == file(2) && back.wrong_bytes() == 0 && got.info == back.info() && got.warnings.empty();
      return {same ? Fate::harmless : Fate::silent, said};
    }
    bool const promised = older.wrong_bytes() == 0 && got.info == older.info() && got.warnings.size() == 1 &&
                          said.find(file(2)) != std::string::npos;
    return {promised ? Fate::refused : Fate::wrong, said};
  }

  /// Damages step 2 in each way in turn.
  std::vector<Verdict> judge(std::vector<Damage> const& all) const {
    auto const good = file_text(file(2));
    auto verdicts = judge_apart(all.size(), 60, [&](std::size_t i) {
      auto bytes = good;
      all[i].apply(bytes);
      put_text(file(2), bytes);
      return restart();
    });
    put_text(file(2), good);
    auto const sound = judge_apart(1, 60, [&](std::size_t) { return restart(); });
    if (sound[0].fate != Fate::harmless) throw std::runtime_error("the undamaged file is refused: " + sound[0].said);
    return verdicts;
  }

 private:
  bool small_;
  std::string path_;
};

std::string quoted(std::string const& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string json(std::map<std::string, std::uint64_t> const& counts) {
  std::string out;
  for (auto const& [key, n] : counts) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(key), n);
  return "{" + out + "}";
}

bool run(std::string const& part, Options const& o) {
  auto const begin = std::chrono::steady_clock::now();
  Folder const folder(part == "exhaustive" || part == "bursts");
  auto const good = file_text(folder.file(2));
  std::vector<Damage> all;
  if (part == "flips") all = some_flips(folder.file(2), o.long_form ? 1000 : 40, o.seed);
  if (part == "exhaustive") all = all_flips(good.size(), o.long_form, o.seed);
  if (part == "bursts") all = bursts(good.size(), o.long_form ? 10000 : 500, o.seed);
  if (part == "damage") all = coarse_damage(good, file_text(folder.file(1)), o.seed);
  if (part == "damage" && !o.long_form)  // every fourth
    for (std::size_t i = all.size(); i-- > 0;)
      if (i % 4 != 1) all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
  auto const region = regions_of(folder.file(2));
  auto const verdicts = folder.judge(all);

  std::map<std::string, std::uint64_t> fate, reason, where, harmless;
  bool holds = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const& v = verdicts[i];
    ++fate[name_of(v.fate)];
    ++where[region(all[i].at)];
    if (v.fate == Fate::refused) ++reason[reason_of(v.said)];
    if (v.fate == Fate::harmless) ++harmless[region(all[i].at)];
    if (v.fate == Fate::refused || v.fate == Fate::harmless) continue;
    holds = false;
    std::fprintf(stderr, "%s: %s: %s (%s)\n", part.c_str(), all[i].what.c_str(), name_of(v.fate), v.said.c_str());
  }
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  auto const line = fmt::format(
      "{{\"part\": \"files_{}\", \"form\": \"{}\", \"seed\": {}, \"holds\": {}, \"file_bytes\": {}, \"cases\": {}, \"fate\": {}, "
      "\"refused_by\": {}, \"where\": {}, \"harmless_where\": {}, \"seconds\": {:.1f}}}\n",
      part, o.long_form ? "long" : "short", o.seed, holds, good.size(), all.size(), json(fate), json(reason), json(where),
      json(harmless), seconds);
  std::cout << line << std::flush;
  if (!o.out.empty()) std::ofstream(o.out, std::ios::app) << line;
  return holds && !all.empty();
}

constexpr char const* usage = R"(kaon_damage [--long] [--seed N] [--out FILE] [flips] [exhaustive] [bursts] [damage]
Damages checkpoints and restarts from them; a JSON line for each part. Exit code 1 when a damaged file was taken, or killed the reader.
)";

}  // namespace

int main(int argc, char** argv) try {
  Options o;
  for (int i = 1; i < argc; ++i) {
    std::string const word = argv[i];
    if (word == "--long")
      o.long_form = true;
    else if (word == "--seed" && i + 1 < argc)
      o.seed = std::stoull(argv[++i]);
    else if (word == "--out" && i + 1 < argc)
      o.out = argv[++i];
    else if (word == "flips" || word == "exhaustive" || word == "bursts" || word == "damage")
      o.parts.push_back(word);
    else
      return std::fputs(usage, stderr), 64;
  }
  if (o.parts.empty()) o.parts = {"flips", "exhaustive", "bursts", "damage"};
  bool good = true;
  for (auto const& part : o.parts) good = run(part, o) && good;
  return good ? 0 : 1;
} catch (std::exception const& e) {
  std::fprintf(stderr, "kaon_damage: %s\n", e.what());
  return 1;
}
