#include <kaon/objective/least_squares.hpp>
#include <kaon/objective/least_squares_entry.hpp>

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

template <class T>
std::unique_ptr<Objective<T>> make_least_squares(SectionValues const& values, int workers, std::uint64_t seed) {
  auto const& own = values["least-squares"];
  return std::make_unique<LeastSquares<T>>(own.text("problem"), workers, own.real("noise"), seed);
}
template std::unique_ptr<Objective<float>> make_least_squares<float>(SectionValues const&, int, std::uint64_t);
template std::unique_ptr<Objective<double>> make_least_squares<double>(SectionValues const&, int, std::uint64_t);

}  // namespace kaon
