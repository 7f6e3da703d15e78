#include <kaon/run/start/assemble.hpp>
#include <kaon/run/start/idle_keys.hpp>

#include <gtest/gtest.h>

namespace kaon {
namespace {

std::vector<std::string> idle(std::string const& keys) {
  auto const deck = Deck::from_text(
      "[run]\nsteps = 5\n[objective]\nkind = own\n[optimizer]\nworkers = 3\n[group.all]\nlayers = *\nradius = 0.5\n" + keys,
      "own deck");
  auto lines = idle_keys(deck, "all");
  EXPECT_EQ(layer_settings(deck, {{"V", 6, 4}}).warnings, lines) << "what is idle is warned of";
  return lines;
}

TEST(IdleKeys, DefaultsAndUsedKeysAreSilent) {
  for (auto const* keys :
       {"", "norm = row\n", "norm = schatten\nschatten_p = 3\n", "norm = ky-fan\nky_fan_k = 2\n",
        "norm = dual-ky-fan\nky_fan_k = 3\n", "polar = muon\npolar_steps = 7\n",
        "polar_form = gram\npolar_scaling = spectral\npolar_lower = 0.1\n", "polar = qdwh\n",
        "polar = cans\npolar_tolerance = 0.2\npolar_lower = 0.1\n", "norm = max-abs\npolar_steps = 5\nky_fan_k = 1\n",
        "method = adamw\nadam_beta1 = 0.5\nweight_decay = 0.1\n", "method = ef21-muon\n", "adam_beta1 = 0.9\n"})
    EXPECT_TRUE(idle(keys).empty()) << keys << idle(keys).front();
}

TEST(IdleKeys, EachNamesTheKeyAndWhatItNeeds) {
  struct Case {
    char const *keys, *key, *needs;
  };
  for (auto const& c : {Case{"schatten_p = 3\n", "group.all.schatten_p", "norm = schatten"},
                        Case{"norm = schatten\nky_fan_k = 2\n", "group.all.ky_fan_k", "ky-fan"},
                        Case{"norm = row\npolar = muon\n", "group.all.polar ", "norm = spectral"},
                        Case{"norm = max-abs\npolar_steps = 6\n", "group.all.polar_steps", "norm = spectral"},
                        Case{"polar = exact\npolar_steps = 6\n", "group.all.polar_steps", "polynomial"},
                        Case{"polar_steps = 6\npolar_tolerance = 0.1\n", "group.all.polar_steps", "polar_tolerance = 0"},
                        Case{"polar = muon\npolar_lower = 0.1\n", "group.all.polar_lower", "minimax"},
                        Case{"polar = qdwh\npolar_form = gram\n", "group.all.polar_form", "polynomial"},
                        Case{"norm = l1\npolar_scaling = spectral\n", "group.all.polar_scaling", "norm = spectral"},
                        Case{"norm = nuclear\npolar_half = yes\n", "group.all.polar_half", "norm = spectral"},
                        Case{"polar = exact\npolar_tolerance = 0.1\n", "group.all.polar_tolerance", "polynomial"},
                        Case{"method = muon\nuplink = top:0.1\n", "group.all.uplink", "method = ef21-muon"},
                        Case{"method = adamw\nnorm = row\n", "group.all.norm", "method = ef21-muon or muon"},
                        Case{"method = adamw\npolar_steps = 6\n", "group.all.polar_steps", "method = ef21-muon or muon"},
                        Case{"adam_beta1 = 0.5\n", "group.all.adam_beta1", "method = adamw"},
                        Case{"feedback_decay = 0.9\n", "group.all.feedback_decay", "feedback = ef14"},
                        Case{"feedback = none\n", "group.all.feedback ", "an uplink that drops something"}}) {
    auto const lines = idle(c.keys);
    ASSERT_EQ(lines.size(), 1u) << c.keys;
    EXPECT_EQ(lines[0].rfind(c.key, 0), 0u) << lines[0];
    EXPECT_NE(lines[0].find(c.needs), std::string::npos) << lines[0];
  }
}

std::vector<std::string> idle_of(std::string const& kind, std::vector<std::string> const& words) {
  return idle_keys(
      Deck::from_text("[run]\nsteps = 5\n[objective]\nkind = " + kind +
                          "\n[data]\ntrain =a\n[least-squares]\nproblem = p\n[optimizer]\nworkers = 3\n[group.all]\nlayers = "
                          "*\nradius = 0.5\n",
                      "deck", words));
}

TEST(IdleKeys, OfOtherSections) {
  struct Case {
    char const* kind;
    std::vector<std::string> words;
    char const *key, *needs;
  };
  for (auto const& c :
       {Case{"gpt", {"least-squares.problem=", "optimizer.constant_fraction=0.9"}, "optimizer.constant_fraction", "linear"},
        Case{"gpt", {"least-squares.problem=", "least-squares.noise=1"}, "least-squares.noise", "kind = least-squares"},
        Case{"gpt",
             {"least-squares.problem=", "data.validation=v", "data.validation_fraction=0.1"},
             "data.validation_fraction",
             "to be empty"},
        Case{"gpt",
             {"least-squares.problem=", "data.validation_fraction=0", "run.validate_every=1"},
             "run.validate_every",
             "data.validation"},
        Case{"least-squares", {"data.train=", "gpt.width=64"}, "gpt.width", "kind = gpt"},
        Case{"least-squares", {"data.train=a.txt"}, "data.train", "kind = gpt"},
        Case{"own", {"optimizer.nesterov=yes", "optimizer.beta=1"}, "optimizer.nesterov", "beta below 1"},
        Case{"own", {"group.all.method=adamw", "optimizer.nesterov=yes"}, "optimizer.nesterov", "whose method has a beta"},
        Case{"own", {"group.all.method=adamw", "optimizer.start=zero"}, "optimizer.start", "whose method has a beta"},
        Case{"own", {"group.all.method=adamw", "optimizer.beta=0.5"}, "optimizer.beta", "a beta of its own"},
        Case{"own", {"group.all.method=muon", "optimizer.start=zero", "optimizer.nesterov=yes"}, "", ""},
        Case{"own", {"optimizer.beta=0.5", "group.all.beta = 1"}, "", ""}}) {
    auto const lines = idle_of(c.kind, c.words);
    if (*c.key == 0) {
      EXPECT_TRUE(lines.empty()) << lines.front();  // both on the command line: where they stand does not tell them apart
      continue;
    }
    ASSERT_EQ(lines.size(), 1u) << c.key;
    EXPECT_EQ(lines[0].rfind(c.key, 0), 0u) << lines[0];
    EXPECT_NE(lines[0].find(c.needs), std::string::npos) << lines[0];
  }
  EXPECT_TRUE(idle_of("own", {"gpt.width=64", "optimizer.schedule=linear", "optimizer.constant_fraction=0.2"}).empty())
      << "an objective of one's own may read any key";
  auto const common = Deck::from_text(
      "[run]\nsteps = 5\n[objective]\nkind = own\n[optimizer]\nworkers = 3\nbeta = 0.5\n[group.all]\n"
      "layers = *\nradius = 0.5\nbeta = 0.25\n",
      "deck");
  ASSERT_EQ(idle_keys(common).size(), 1u);
  EXPECT_EQ(idle_keys(common)[0].rfind("optimizer.beta has no effect", 0), 0u);
}

}  // namespace
}  // namespace kaon
