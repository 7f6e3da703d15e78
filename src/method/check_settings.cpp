#include <kaon/method/check_settings.hpp>

#include <kaon/core/error.hpp>
#include <kaon/method/registry.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>
#include <string>

namespace kaon {

namespace {

bool may_stand_in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string text_of(double x) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  out << x;
  return out.str();
}

void check_layers(std::vector<Layer> const& layers) {
  if (layers.empty()) throw UsageError("the objective has no layers");
  std::set<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const& l = layers[i];
    auto const which = "layer '" + l.name + "' (" + std::to_string(i) + ")";
    // "." and ".." are no names in files.
    if (l.name.find_first_not_of('.') == std::string::npos || !std::all_of(l.name.begin(), l.name.end(), may_stand_in_a_name))
      throw UsageError(which + ": a layer's name is made of letters, digits, '.', '_' and '-', and not of dots alone");
    if (!names.insert(l.name).second) throw UsageError(which + ": another layer has this name too");
    if (l.rows < 1 || l.cols < 1)
      throw UsageError(which + ": a shape of " + std::to_string(l.rows) + " x " + std::to_string(l.cols) +
                       "; both must be at least 1");
    if (std::int64_t{l.rows} * l.cols >= std::int64_t{1} << 31)
      throw UsageError(which + ": " + std::to_string(l.rows) + " x " + std::to_string(l.cols) +
                       " are 2^31 entries or more; split the layer");
  }
}

}  // namespace

void check_settings(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                    OptimizerSettings const& optimizer, int micro_batches) {
  check_layers(layers);
  if (settings.size() != layers.size())
    throw UsageError("there are settings for " + std::to_string(settings.size()) + " layers, and the objective has " +
                     std::to_string(layers.size()) + ": one for each is needed");
  if (optimizer.workers < 1) throw UsageError("workers is " + std::to_string(optimizer.workers) + ", and must be at least 1");
  if (optimizer.fan_out < 0) throw UsageError("fan_out is " + std::to_string(optimizer.fan_out) + ", and must not be negative");
  if (micro_batches < 1)
    throw UsageError("there are " + std::to_string(micro_batches) + " micro-batches, and must be at least 1");
  if (auto const& local = optimizer.local; local.on()) {
    auto const refuse = [](char const* what, double x, char const* range) {
      throw UsageError(std::string("local steps: ") + what + " is " + text_of(x) + ", and must be " + range);
    };
    if (!std::isfinite(local.rate) || local.rate <= 0) refuse("outer_rate", local.rate, "positive and finite");
    if (!(local.momentum >= 0 && local.momentum < 1)) refuse("outer_momentum", local.momentum, "in [0, 1)");
    if (!std::isfinite(local.walk) || local.walk < 0) refuse("local_rate", local.walk, "finite and not negative");
    if (local.form == LocalForm::gradient && local.outer != Outer::average)
      throw UsageError("local steps: with local_form = gradient a round is a step of the server's oracle; outer is for update");
  }
  if (!std::isfinite(optimizer.clip) || optimizer.clip < 0)
    throw UsageError("clip is " + text_of(optimizer.clip) + ", and must be finite and not negative");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto const& s = settings[i];
    auto const refuse = [&](char const* what, double x, char const* range) {
      throw UsageError("layer " + layers[i].name + ": " + what + " is " + text_of(x) + ", and must be " + range);
    };
    if (!std::isfinite(s.radius) || s.radius <= 0) refuse("radius", s.radius, "positive and finite");
    if (!std::isfinite(s.beta) || s.beta <= 0 || s.beta > 1) refuse("beta", s.beta, "in (0, 1]");
    if (!std::isfinite(s.decay) || s.decay < 0) refuse("decay", s.decay, "finite and not negative");
    check_own_keys(layers[i], s);
    if (!std::isfinite(s.lmo.factor) || s.lmo.factor <= 0) refuse("factor", s.lmo.factor, "positive and finite");
  }
}

std::uint64_t settings_hash(std::vector<Layer> const& layers, std::vector<LayerSettings> const& settings,
                            OptimizerSettings const& optimizer, int micro_batches) {
  std::ostringstream all;
  all.precision(std::numeric_limits<double>::max_digits10);
  auto const put = [&all](auto const&... values) { ((all << values << '\n'), ...); };
  put(optimizer.workers, static_cast<int>(optimizer.start), optimizer.nesterov, optimizer.adaptive, optimizer.clip,
      optimizer.seed, optimizer.local.steps, optimizer.local.total, static_cast<int>(optimizer.local.form),
      static_cast<int>(optimizer.local.outer), optimizer.local.rate, optimizer.local.momentum, optimizer.local.walk,
      static_cast<int>(optimizer.topology), optimizer.bundle_bytes, optimizer.fan_out, static_cast<int>(optimizer.messages),
      micro_batches);
  for (auto const& l : layers) put(l.name, l.rows, l.cols);
  for (auto const& s : settings) {
    auto const& m = s.lmo;
    put(s.radius, s.beta, s.decay, s.uplink, s.downlink, m.norm, m.scale, m.factor, m.row_blocks, m.col_blocks, m.p, m.k);
    put(m.polar.set, m.polar.steps, m.polar.exact, m.polar.qdwh, m.polar.form, m.polar.scaling, m.polar.tolerance, m.polar.lower,
        m.polar.half);
    put(s.method);
    for (auto const& [key, value] : s.own) put(key, value);
  }
  auto const text = all.str();
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace kaon
