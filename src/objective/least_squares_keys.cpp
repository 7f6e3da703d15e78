#include <kaon/objective/least_squares_keys.hpp>

namespace kaon {

namespace {

// clang-format off

std::vector<Key> least_squares_keys() {
  char const* const s = "least-squares";
  return {
      {.section = s, .name = "problem", .type = KeyType::text, .required = true, .may_change = true, .path = true,
       .help = "problem file (HDF5); its numbers are checked on a restart, its name is not"},
      {.section = s, .name = "noise", .type = KeyType::real, .fallback = "0", .low = 0,
       .help = "sigma of Gaussian noise in every gradient: sigma^2 is the mean of its squared Frobenius norm; losses stay exact"},
  };
}

// clang-format on

}  // namespace

ObjectiveTraits least_squares_traits() {
  return {.name = "least-squares", .help = "the problem of an HDF5 file", .keys = least_squares_keys()};
}

}  // namespace kaon
