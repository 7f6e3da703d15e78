// kaon-train with an objective of one's own: decks name it, and have keys for it; command line, checkpoints, restarts, metrics,
// stop rules and exit codes are kaon-train's. Run it on any number of ranks, stop it, run it again:
//   mpiexec -n 2 build/factorise -i factorise.deck -r auto factorise.rank=4
#include "factorisation.hpp"

#include <kaon/run/train_main.hpp>

#include <algorithm>
#include <memory>

namespace {

// 1. What decks see of it: `kind = factorise` in [objective], and the keys of a section [factorise].
kaon::Key count(char const* name, char const* fallback, char const* help) {
  kaon::Key key{.section = "factorise", .name = name, .type = kaon::KeyType::integer, .fallback = fallback, .help = help};
  key.low = 1;
  key.high = kaon::most_int;
  return key;
}

kaon::Key noise() {
  kaon::Key key{.section = "factorise", .name = "noise", .type = kaon::KeyType::real, .fallback = "0.3"};
  key.low = 0;
  key.help = "standard deviation of each worker's own noise in Y";
  return key;
}

void check(kaon::SectionValues const& values) {
  auto const& own = values["factorise"];
  if (own.integer("rank") > std::min(own.integer("rows"), own.integer("cols")))
    own.refuse("rank", "is more than a side of the matrix");
}

kaon::ObjectiveTraits const traits{.name = "factorise",
                                   .help = "a matrix as a product of two",
                                   .keys = {count("rows", "96", "rows of Y and U"), count("cols", "64", "columns of Y and V"),
                                            count("rank", "8", "columns of U, rows of V; at most rows and cols"), noise()},
                                   .check = check};

// 2. How it is made of their values.
template <class T>
struct Factorise {
  static std::unique_ptr<kaon::Objective<T>> make(kaon::SectionValues const& values, int workers, std::uint64_t seed) {
    auto const& own = values["factorise"];
    return std::make_unique<example::Factorisation<T>>(own.integer("rows"), own.integer("cols"), own.integer("rank"), workers,
                                                       seed, own.real("noise"));
  }
};

}  // namespace

int main(int argc, char** argv) {
  kaon::Registrations own;
  own.program = "factorise";
  own.build.version = "1.0";
  own.offer = [] { kaon::offer_objective<Factorise>(traits); };
  return kaon::train_main(argc, argv, own);
}
