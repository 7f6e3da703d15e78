#include <kaon/core/error.hpp>
#include <kaon/run/start/meant.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kaon {

namespace {

// A number of few digits that is at most `limit`.
std::string at_most(double limit) {
  auto const text = fmt::format("{:.4g}", limit);
  return std::stod(text) <= limit ? text : fmt::format("{:.4g}", limit * (1 - 5e-4));
}

template <class T>
class Check {
 public:
  Check(Deck const& deck, Schedule const& schedule, LayerPlan const& plan, std::size_t layer, Layer const& shape)
      : deck_(deck),
        section_(std::string("group.") + plan.group[layer]),
        settings_(plan.settings[layer]),
        layer_(shape),
        adaptive_(schedule.adaptive()),
        multiplier_(schedule.largest(static_cast<std::uint64_t>(deck.integer64("run.steps")))) {
    auto const& lmo = settings_.lmo;
    if (uses("norm"))
      ball_ = lmo.factor * lmo_scale(lmo.norm, lmo.scale, shape.rows / lmo.row_blocks, shape.cols / lmo.col_blocks);
  }

  void refuse() const {
    if (uses("beta") && is_zero(settings_.beta))
      refuse_key("beta", settings_.beta, "it is zero in this precision, and nothing would ever move");
    if (is_zero(ball_) || ball_ > most)
      refuse_key("factor", settings_.lmo.factor,
                 fmt::format("the ball of layer {} has the radius {:g}, which is {} in this precision", layer_.name, ball_,
                             is_zero(ball_) ? "zero" : "infinite"));
    if (adaptive_ || !uses("radius")) return;
    double const t = settings_.radius * multiplier_;
    if (is_zero(t)) refuse_key("radius", settings_.radius, "it is zero in this precision, and nothing would ever move");
    double const steps = static_cast<double>(std::max<std::int64_t>(1, deck_.integer64("run.steps")));
    if (std::log(t) + std::log(ball_) + std::log(steps) > std::log(most))  // the product itself may leave the range of double
      refuse_key(
          "radius", settings_.radius,
          fmt::format("{:g} steps of {:g} in a ball of {:g} take the weights of layer {} beyond {:g}, the largest number of "
                      "this precision",
                      steps, t, ball_, layer_.name, most));
    if (!uses("weight_decay") || !(t * settings_.decay > 1)) return;
    if (constrained())
      refuse_key("radius", settings_.radius,
                 fmt::format("optimizer.form = constrained needs t <= 1, and with the schedule t reaches {:g}; at most {}", t,
                             at_most(1 / multiplier_)));
    refuse_key("weight_decay", settings_.decay,
               fmt::format("steps turn the signs of the weights, t weight_decay = {:g} > 1 (t reaches {:g}); at most {}, or "
                           "a smaller radius",
                           t * settings_.decay, t, at_most(1 / t)));
  }

  void doubt(std::vector<std::string>& warnings) const {
    double const t = settings_.radius * multiplier_;
    auto const say = [&](char const* name, double value, char const* why) {
      auto line = fmt::format("{}.{} = {:g}: {} in precision {}", section_, name, value, why, precision());
      if (std::find(warnings.begin(), warnings.end(), line) == warnings.end()) warnings.push_back(std::move(line));
    };
    if (!adaptive_ && uses("weight_decay") && settings_.decay > 0 && static_cast<T>(1 - t * settings_.decay) == T(1))
      say("weight_decay", settings_.decay, "has no effect, 1 - t weight_decay is 1");
    if (uses("beta") && T(1) - static_cast<T>(settings_.beta) == T(1))
      say("beta", settings_.beta, "the momentum never forgets, 1 - beta is 1");
  }

 private:
  static constexpr double most = static_cast<double>(std::numeric_limits<T>::max());
  static bool is_zero(double v) { return v <= static_cast<double>(std::numeric_limits<T>::denorm_min()) / 2; }
  static char const* precision() { return sizeof(T) == 4 ? "float" : "double"; }
  bool uses(char const* name) const { return deck_.counts(section_ + "." + name); }
  bool constrained() const { return deck_.text("optimizer.form") == "constrained"; }

  [[noreturn]] void refuse_key(char const* name, double value, std::string const& why) const {
    auto const key = section_ + "." + name;
    throw UsageError(fmt::format("{}: {} = {:g} (precision {}): {}", deck_.where(key), key, value, precision(), why));
  }

  Deck const& deck_;
  std::string section_;
  LayerSettings const& settings_;
  Layer const& layer_;
  bool adaptive_;
  double multiplier_, ball_ = 1;
};

}  // namespace

template <class T>
std::vector<std::string> check_meant(Deck const& deck, Schedule const& schedule, LayerPlan const& plan,
                                     std::vector<Layer> const& layers) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const& lmo = plan.settings[i].lmo;
    // What the oracle itself refuses it names better.
    if (lmo.row_blocks < 1 || lmo.col_blocks < 1 || layers[i].rows < lmo.row_blocks || layers[i].cols < lmo.col_blocks) continue;
    Check<T> const check(deck, schedule, plan, i, layers[i]);
    check.refuse();
    check.doubt(warnings);
  }
  return warnings;
}

template std::vector<std::string> check_meant<float>(Deck const&, Schedule const&, LayerPlan const&, std::vector<Layer> const&);
template std::vector<std::string> check_meant<double>(Deck const&, Schedule const&, LayerPlan const&, std::vector<Layer> const&);

}  // namespace kaon
