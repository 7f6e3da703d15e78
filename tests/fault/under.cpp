#include "under.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace kaon::test {

Words preloaded(char const* library, int ranks, Words const& arguments, Words const& environment) {
  EXPECT_TRUE(std::filesystem::exists(library)) << library << " is not built: nothing would be tampered with";
  auto words = train_words(ranks, arguments);
  // A build with AddressSanitizer wants to be loaded before everything else, and works all the same.
  char const* const asan = std::getenv("ASAN_OPTIONS");
  Words before{"env", std::string("LD_PRELOAD=") + library,
               "ASAN_OPTIONS=" + (asan ? std::string(asan) + ":" : std::string()) + "verify_asan_link_order=0"};
  before.insert(before.end(), environment.begin(), environment.end());
  words.insert(std::find(words.begin(), words.end(), KAON_TRAIN), before.begin(), before.end());
  return words;
}

Words interposed(int ranks, Words const& arguments, Words const& environment) {
  return preloaded(KAON_INTERPOSER, ranks, arguments, environment);
}

std::map<std::string, std::int64_t> values_in(std::string const& line) {
  std::map<std::string, std::int64_t> out;
  std::istringstream in(line);
  for (std::string word; in >> word;)
    if (auto const eq = word.find('='); eq != std::string::npos) out[word.substr(0, eq)] = std::stoll(word.substr(eq + 1));
  return out;
}

std::int64_t in_summary(Scratch const& s, std::string const& key, std::string const& folder) {
  auto const text = s.read(folder + "/summary.json");
  auto const name = "\"" + key + "\": ";
  auto const at = text.find(name);
  return at == std::string::npos ? -1 : std::stoll(text.substr(at + name.size()));
}

std::vector<std::string> layer_names(Scratch const& s, Words const& arguments) {
  Words words = arguments;
  words.emplace_back("-c");
  auto const o = s.train(words);
  EXPECT_TRUE(ended(o, 0));
  std::vector<std::string> names;
  std::istringstream in(o.out + o.err);
  for (std::string line, program; std::getline(in, line);)
    if (line.find(" [group.") != std::string::npos) {
      std::istringstream parts(line);
      parts >> program >> names.emplace_back();
    }
  return names;
}

}  // namespace kaon::test
