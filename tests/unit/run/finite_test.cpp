// A state with a NaN or an infinity is found wherever it stands; whole numbers and empty parts are passed over.
#include <kaon/run/saving/finite.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

namespace kaon {
namespace {

template <class T>
Field field(std::string path, ElementType type, std::vector<T> const& data) {
  Field f;
  f.path = std::move(path);
  f.type = type;
  f.shape = {data.size()};
  f.written = f.needed = {{0}, {data.size()}};
  f.get = [&data](void* out) { std::memcpy(out, data.data(), data.size() * sizeof(T)); };
  return f;
}

class Finite : public ::testing::Test {
 protected:
  Finite() {
    registry.push_back(field("/a", ElementType::f32, a));
    registry.push_back(field("/b", ElementType::f64, b));
    registry.push_back(field("/c", ElementType::u64, c));
    Field nothing;
    nothing.path = "/d";
    nothing.shape = {4};
    nothing.written = {{0}, {0}};
    registry.push_back(nothing);
  }
  std::string look() const { return first_not_finite(comm, registry); }
  Communicator comm{MPI_COMM_WORLD};
  std::vector<float> a = std::vector<float>(5, std::numeric_limits<float>::max());
  std::vector<double> b = std::vector<double>(7, -std::numeric_limits<double>::denorm_min());
  std::vector<std::uint64_t> c = std::vector<std::uint64_t>(3, ~std::uint64_t(0));  // a NaN, were it a number
  Registry registry;
};

TEST_F(Finite, AFiniteStateIsFine) { EXPECT_EQ(look(), ""); }

TEST_F(Finite, EveryPlaceAndEveryKindIsFound) {
  for (double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                     std::numeric_limits<double>::quiet_NaN()})
    for (std::size_t i = 0; i < b.size(); ++i) {
      auto const kept = b[i];
      b[i] = bad;
      EXPECT_EQ(look(), "/b, element " + std::to_string(i) + " of what rank 0 writes,");
      b[i] = kept;
    }
  a[4] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(look(), "/a, element 4 of what rank 0 writes,");
}

TEST_F(Finite, TheFirstFieldIsNamed) {
  b[0] = a[2] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(look(), "/a, element 2 of what rank 0 writes,");
}

}  // namespace
}  // namespace kaon
