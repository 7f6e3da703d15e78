// deck: the text of a deck; behind each zero byte an override. What is taken must resolve to a text that means the same.
#include "target.hpp"

#include <kaon/compress/compressor.hpp>
#include <kaon/deck/deck.hpp>
#include <kaon/deck/groups.hpp>
#include <kaon/deck/offer.hpp>
#include <kaon/deck/schema.hpp>
#include <kaon/objective/data_keys.hpp>
#include <kaon/objective/gpt_keys.hpp>
#include <kaon/objective/least_squares_keys.hpp>

#include <filesystem>

namespace kaon::fuzz {
namespace {

// What decks of the library know, without what it makes of them; and a method with keys of its own.
bool offer() {
  auto const gpt = gpt_traits(), squares = least_squares_traits();
  offer_keys(gpt.keys, Resolved::always);
  offer_keys(squares.keys);
  offer_keys(data_keys(), Resolved::always);
  offer_kind(gpt.name, gpt.help, {"gpt", "data"}, gpt.check);
  offer_kind(squares.name, squares.help, {"least-squares"});
  offer_group_method("ef21-muon", "compressed", {}, {"norm", "scale", "radius", "beta", "weight_decay", "uplink", "downlink"});
  Key rank{.section = "group", .name = "sketch", .type = KeyType::integer, .required = true, .low = 1, .help = "of a test"};
  offer_group_method("other", "with a key of its own", {rank}, {"radius"});
  return true;
}
bool const offered = offer();

std::vector<std::string> parts_of(InputView input) {
  std::vector<std::string> parts{""};
  for (auto const c : input)
    if (c == 0)
      parts.emplace_back();
    else
      parts.back() += static_cast<char>(c);
  return parts;
}

/// Every value as the program asks for it.
void read_all(Deck const& deck) {
  auto const read = [&](Key const& key, std::string const& section) {
    auto const name = section + "." + std::string(key.name);
    deck.has_default(name);
    if (!deck.counts(name)) return;
    if (key.type == KeyType::integer && (key.required || !deck.has_default(name))) deck.integer64(name);
    if (key.type == KeyType::real && !key.inherits.empty()) deck.real(name);
    if (key.type == KeyType::boolean) deck.flag(name);
    if (key.type == KeyType::list) deck.list(name);
    if (key.type == KeyType::text || key.type == KeyType::choice) deck.text(name);
  };
  for (auto const& key : schema())
    if (key.section != "group") read(key, std::string(key.section));
  for (auto const& group : deck.groups())
    for (auto const& key : schema())
      if (key.section == "group") read(key, "group." + group);
}

void run_deck(InputView input) {
  auto parts = parts_of(input);
  std::string const text = parts.front();
  parts.erase(parts.begin());
  auto const stored = Deck::from_checkpoint(text, "stored").resolved();
  demand(Deck::from_checkpoint(stored, "again").resolved() == stored, "a stored deck resolves to another text");
  auto const deck = Deck::from_text(text, "input", parts);
  read_all(deck);
  for (auto const& group : deck.groups()) deck.values("group." + group);
  deck.objective_values();
  auto const resolved = deck.resolved();
  Deck const again = [&] {
    try {
      return Deck::from_text(resolved, "resolved");
    } catch (Error const& e) {
      demand(false, std::string("a resolved deck is refused: ") + e.what());
      throw;
    }
  }();
  demand(again.resolved() == resolved, "a resolved deck resolves to another text");
  demand(again.disagreements(deck).empty() && deck.disagreements(again).empty(), "a resolved deck disagrees with its origin");
  for (auto const& group : deck.groups()) {
    for (auto const* way : {"uplink", "downlink"})
      make_compressor<float, Kokkos::Serial>(deck.text("group." + group + "." + way), 6, 10);
  }
  assign_groups(deck, {"embed", "h0.attn.q", "h0.mlp.up", "head"});
}

std::vector<Input> seeds_of_deck() {
  std::string const smallest =
      "[run]\nsteps = 100\n[objective]\nkind = gpt\n[data]\ntrain = a.txt\n[optimizer]\nworkers = 4\n"
      "[group.all]\nlayers = *\nradius = 0.02\n";
  std::vector<Input> all{bytes_of(smallest)};
  std::string overridden = smallest;
  for (auto const* o :
       {"run.steps=5", "group.all.uplink=top:0.15+natural:coded", "data.train=\"a b\", c*.bin", "group.b.radius=1"})
    overridden += '\0' + std::string(o);
  all.push_back(bytes_of(overridden));
  all.push_back(bytes_of(Deck::from_text(smallest, "seed").resolved()));
  for (auto const& file : std::filesystem::directory_iterator(KAON_FUZZ_DECKS))
    if (file.path().extension() == ".deck") all.push_back(bytes_of(read_deck_file(file.path().string())));
  return all;
}

std::vector<std::string> words() {
  std::vector<std::string> all{"[", "]", "[group.", "=", "#", "\n", "\"", ",", "1e308", "-1", "nan", "inf", "9223372036854775807",
                               "+"};
  for (auto const& key : schema()) {
    all.push_back(std::string(key.section) + "." + std::string(key.name) + "=");
    all.emplace_back(key.name);
    for (auto const& choice : key.choices) all.emplace_back(choice);
  }
  for (auto const& section : sections()) all.push_back('[' + std::string(section) + "]\n");
  for (auto const* spec : {"top:", "rand:", "columns:", "rank:", "bits:", ":block=", "dither:", "sign", "natural", ":stochastic",
                           ":coded", "damp:", "dropout:", "identity"})
    all.emplace_back(spec);
  return all;
}

}  // namespace

Target deck_target() { return {"deck", {Exit::usage}, 8192, run_deck, seeds_of_deck, words()}; }

}  // namespace kaon::fuzz
