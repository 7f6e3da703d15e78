// The check that an objective's own tests call passes a sound objective, and names what an unsound one does.
#include <kaon/core/error.hpp>
#include <kaon/step/check_objective.hpp>
#include <kaon/support/quadratic.hpp>
#include <kaon/support/state.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace kaon {
namespace {

/// A quadratic that is sound but for one thing.
struct Unsound final : Objective<double> {
  test::Quadratic<double> right{test::odd_layers(), 3, 77, 2};
  std::string fault;
  int calls = 0, starts = 0;
  explicit Unsound(std::string f) : fault(std::move(f)) {}
  std::vector<Layer> const& layers() const override { return right.layers(); }
  int micro_batches() const override { return right.micro_batches(); }
  void initialize(Space const& e, Point const& X) override {
    right.initialize(e, X);
    if (fault == "start" && starts++ > 0) Kokkos::deep_copy(e, X[3], 1.0);
    if (fault == "endless") Kokkos::deep_copy(e, X[3], std::numeric_limits<double>::infinity());
  }
  void gradient(Space const& e, Scalar<double, Space> const& loss, ConstPoint const& W, Share const& share,
                Sink const& sink) override {
    ++calls;
    right.gradient(e, loss, W, share, [&](int i, ConstMatrix<double, Space> const& g) {
      if (fault == "missing" && i == 2 && share.worker == 2) return;
      Matrix<double, Space> const copy("kaon::test::copy", g.extent(0), g.extent(1));
      Kokkos::deep_copy(e, copy, g);
      if (fault == "depends" && i == 1) Kokkos::deep_copy(e, copy, static_cast<double>(calls));
      if (fault == "nan" && i == 4) Kokkos::deep_copy(e, copy, std::numeric_limits<double>::quiet_NaN());
      e.fence();
      sink(i, copy);
    });
    if (fault == "loss") Kokkos::deep_copy(loss, static_cast<double>(calls));
  }
  std::string describe() const override { return "unsound"; }
};

std::string told(std::string const& fault) {
  Unsound objective(fault);
  try {
    check_objective<double>(Space(), objective, 3);
  } catch (UsageError const& e) {
    return e.what();
  }
  return "sound";
}

TEST(CheckObjective, PassesASoundOne) {
  EXPECT_EQ(told("nothing"), "sound");
  test::Quadratic<float> other(test::odd_layers(), 2, 3);
  EXPECT_NO_THROW(check_objective<float>(Space(), other, 2, 5));
}

TEST(CheckObjective, NamesWhatIsUnsound) {
  for (auto const& [fault, part] :
       {std::pair("start", "starting point of layer row is another one"), std::pair("endless", "starting point of layer row"),
        std::pair("missing", "layer square (2) was never given: worker 2"),
        std::pair("depends", "other bits the second time: the gradient of layer wide, worker 2"),
        std::pair("nan", "NaN or an infinity: the gradient of layer column, worker 0"),
        std::pair("loss", "other bits the second time: the loss")})
    EXPECT_NE(told(fault).find(part), std::string::npos) << fault << ": " << told(fault);
}

}  // namespace
}  // namespace kaon
