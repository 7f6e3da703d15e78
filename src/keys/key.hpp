#ifndef KAON_KEYS_KEY_HPP
#define KAON_KEYS_KEY_HPP

#include <limits>
#include <string>
#include <vector>

namespace kaon {

/// `high` of an integer that fits an int: what KeyValues::integer reads. Messages leave it out.
inline constexpr double most_int = std::numeric_limits<int>::max();

enum class KeyType { integer, real, boolean, choice, text, list };

/// Everything there is to know of one key of a deck. The table of these is the single truth: parsing, checks, --help, the
/// reference in docs/deck.md and the rules of a restart are all read from it. Objectives and methods bring keys of their own.
struct Key {
  std::string section;  ///< "group" stands for every [group.NAME]
  std::string name;
  KeyType type = KeyType::text;
  std::string fallback = "";  ///< the default, as text; "" is "none": allowed when the key is not `required`
  bool required = false;      ///< wherever it counts
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< `low` itself is not allowed
  bool high_open = false;  ///< `high` itself is not allowed
  std::vector<std::string> choices = {};
  bool may_change = false;              ///< on a restart
  bool path = false;                    ///< names files or a folder
  std::string inherits = "";            ///< the full key whose value an empty one takes
  std::string part_of = "";             ///< of a group: counts where this other key of the group does
  std::vector<std::string> words = {};  ///< what other programs call it: lower case, without - and _
  /// The values of objective.kind, or of a group's method, with which it counts; empty: with all. Filled as these are offered.
  std::vector<std::string> used_by = {};
  std::string help = "";  ///< one line, with the unit
};

}  // namespace kaon

#endif
