#ifndef KAON_KEYS_ALLOWED_HPP
#define KAON_KEYS_ALLOWED_HPP

#include <kaon/keys/key.hpp>

#include <string>

namespace kaon {

/// "an integer >= 1", "yes or no", "one of float, double": what a value of this key may be.
std::string allowed(Key const& key);

}  // namespace kaon

#endif
