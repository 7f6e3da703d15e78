#ifndef KAON_TESTS_FAULT_UNDER_HPP
#define KAON_TESTS_FAULT_UNDER_HPP

#include "program.hpp"

#include <map>
#include <string>

namespace kaon::test {

/// kaon-train on `ranks` ranks with a library in front of all others; `environment`: NAME=value words for both.
Words preloaded(char const* library, int ranks, Words const& arguments, Words const& environment);

/// kaon-train on `ranks` ranks with the interposer between it and MPI; `environment`: NAME=value words for it.
Words interposed(int ranks, Words const& arguments, Words const& environment);

/// The words `key=value` of a line.
std::map<std::string, std::int64_t> values_in(std::string const& line);

/// A number of summary.json; -1 where there is no such key.
std::int64_t in_summary(Scratch const& s, std::string const& key, std::string const& folder = "run");

/// The names of the layers of a deck, in the order of the log's list.
std::vector<std::string> layer_names(Scratch const& s, Words const& arguments);

}  // namespace kaon::test

#endif
