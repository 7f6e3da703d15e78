#ifndef KAON_DECK_VALUE_HPP
#define KAON_DECK_VALUE_HPP

#include <kaon/deck/schema.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// written: by somebody, now, who may have slipped; stored: in a checkpoint, taken as it was once understood.
enum class Spelling { written, stored };

/// The one way to write the value `raw` of `key`: numbers in the shortest form that parses back to the same bits, yes/no, a list
/// as "a, b" with double quotes around elements that hold a separator; quotes around a whole value other than a list are taken
/// off. canonical(canonical(x)) == canonical(x).
/// Throws UsageError saying what is allowed, without file and key: the caller adds these. What is written may besides not hold
/// what looks like a comment (; or // behind a blank), odd characters, quotes that do not fit, or, in a path, ~ or a variable.
std::string canonical(Key const& key, std::string_view raw, Spelling spelling = Spelling::written);

/// Readers of canonical text.
std::int64_t as_integer(std::string_view canonical);
double as_real(std::string_view canonical);
std::vector<std::string> as_list(std::string_view canonical);

/// Shortest decimal text that parses back to the same bits.
std::string number_text(double value);

}  // namespace kaon

#endif
