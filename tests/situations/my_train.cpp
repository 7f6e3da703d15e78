// The program of docs/own-objective.md, as it stands there: own_keys_test.py compares the two.
#include "factorisation.hpp"

template <class T>
struct MyObjective : example::Factorisation<T> {
  MyObjective(int width, int workers, std::uint64_t seed) : example::Factorisation<T>(24, 16, width, workers, seed) {}
};

// clang-format off
#include <kaon/run/train_main.hpp>

template <class T>
struct MyModel {  // makes it of what the deck says
  static std::unique_ptr<kaon::Objective<T>> make(kaon::SectionValues const& values, int workers, std::uint64_t seed) {
    return std::make_unique<MyObjective<T>>(values["mymodel"].integer("width"), workers, seed);
  }
};

int main(int argc, char** argv) {
  kaon::Key width{.section = "mymodel", .name = "width", .type = kaon::KeyType::integer, .fallback = "3"};
  width.low = 1;
  width.high = kaon::most_int;
  width.help = "columns of the model";
  kaon::Registrations own{.program = "my-train", .build = {"1.0", "", "", ""}};
  own.offer = [&] { kaon::offer_objective<MyModel>({.name = "mymodel", .help = "a model of mine", .keys = {width}}); };
  return kaon::train_main(argc, argv, own);
}
