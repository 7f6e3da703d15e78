#include <kaon/keys/allowed.hpp>

#include <fmt/format.h>

#include <limits>

namespace kaon {

std::string allowed(Key const& key) {
  switch (key.type) {
    case KeyType::boolean:
      return "yes or no";
    case KeyType::text:
      return "text";
    case KeyType::list:
      return "a list, separated by commas or blanks";
    case KeyType::choice:
      return fmt::format("one of {}", fmt::join(key.choices, ", "));
    case KeyType::integer:
    case KeyType::real:
      break;
  }
  std::string out = key.type == KeyType::integer ? "an integer" : "a number";
  bool const below = key.low > -std::numeric_limits<double>::infinity();
  bool const above = key.high < std::numeric_limits<double>::infinity() && key.high != most_int;
  if (below) out += fmt::format(" {} {}", key.low_open ? ">" : ">=", key.low);
  if (above) out += fmt::format("{} {} {}", below ? " and" : "", key.high_open ? "<" : "<=", key.high);
  return out;
}

}  // namespace kaon
