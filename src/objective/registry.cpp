#include <kaon/objective/data_keys.hpp>
#include <kaon/objective/gpt.hpp>
#include <kaon/objective/gpt_keys.hpp>
#include <kaon/objective/least_squares.hpp>
#include <kaon/objective/least_squares_keys.hpp>
#include <kaon/objective/registry.hpp>

#include <algorithm>
#include <stdexcept>

namespace kaon {

template <class T>
std::vector<ObjectiveEntry<T>>& objective_table() {
  static std::vector<ObjectiveEntry<T>> table{
      {gpt_traits(), Gpt<T>::make},
      {least_squares_traits(), LeastSquares<T>::make},
  };
  return table;
}
template std::vector<ObjectiveEntry<float>>& objective_table<float>();
template std::vector<ObjectiveEntry<double>>& objective_table<double>();

std::vector<Key> shared_keys() { return data_keys(); }

ObjectiveTraits const* find_objective(std::string const& name) {
  auto const& all = objective_table<double>();
  auto const at = std::find_if(all.begin(), all.end(), [&](auto const& entry) { return entry.traits.name == name; });
  return at == all.end() ? nullptr : &at->traits;
}

void check_new_objective(ObjectiveTraits const& traits) {
  if (traits.name.empty() || find_objective(traits.name))
    throw std::invalid_argument("register_objective: the name '" + traits.name + "' is empty or taken");
}

}  // namespace kaon
