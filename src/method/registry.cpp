#include <kaon/method/registry.hpp>

#include <kaon/core/error.hpp>
#include <kaon/keys/allowed.hpp>
#include <kaon/method/adamw/adamw.hpp>
#include <kaon/method/dion/dion.hpp>
#include <kaon/method/ef21_muon/ef21_muon.hpp>
#include <kaon/method/local_steps/make_local.hpp>
#include <kaon/method/muon/muon.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace kaon {

namespace {

template <class T, template <class> class M>
MethodEntry<T> entry(std::unique_ptr<Method<T>> (*make_local)(MethodLayers of) = nullptr) {
  return {M<T>::traits(), M<T>::make, make_local};
}

}  // namespace

template <class T>
std::vector<MethodEntry<T>>& method_table() {
  static std::vector<MethodEntry<T>> table{entry<T, Ef21Muon>(make_local_muon<T>), entry<T, AdamW>(make_local_adamw<T>),
                                           entry<T, Muon>(), entry<T, Dion>()};
  return table;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (auto const& e : method_table<double>()) names.push_back(e.traits.name);
  return names;
}

namespace {

template <class T>
MethodEntry<T> const& method_entry(std::string const& name) {
  for (auto const& e : method_table<T>())
    if (e.traits.name == name) return e;
  std::string known;
  for (auto const& n : method_names()) known += (known.empty() ? "" : ", ") + n;
  throw UsageError("there is no method '" + name + "'; there are " + known);
}

// Empty where a value of the key may be `text`.
std::string wrong(Key const& key, std::string const& text) {
  bool right = false;
  if (key.type == KeyType::choice) {
    right = std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end();
  } else {
    char* end = nullptr;
    double const x = std::strtod(text.c_str(), &end);
    right = !text.empty() && *end == 0 && std::isfinite(x) && (key.low_open ? x > key.low : x >= key.low) &&
            (key.high_open ? x < key.high : x <= key.high) && (key.type == KeyType::real || x == std::floor(x));
  }
  return right ? "" : key.name + " is " + text + ", and must be " + allowed(key);
}

void check(Key const& key, Layer const& layer, std::string const& text) {
  if (auto const what = wrong(key, text); !what.empty()) throw UsageError("layer " + layer.name + ": " + what);
}

}  // namespace

MethodTraits const& method_traits(std::string const& name) { return method_entry<double>(name).traits; }

bool reads_key(MethodTraits const& traits, std::string const& key, bool local) {
  auto const holds = [&](std::vector<std::string> const& all) { return std::find(all.begin(), all.end(), key) != all.end(); };
  bool const own = std::any_of(traits.keys.begin(), traits.keys.end(), [&](Key const& k) { return k.name == key; });
  return (own || holds(traits.uses)) && (local || !holds(traits.rounds_only));
}

template <class T>
std::unique_ptr<Method<T>> make_method(std::string const& name, MethodLayers of) {
  auto const& entry = method_entry<T>(name);
  if (!of.optimizer.local.on()) return entry.make(std::move(of));
  if (!entry.make_local)
    throw UsageError("layer " + of.layers[static_cast<std::size_t>(of.mine.front())].name + ": the method " + name +
                     " has no local steps; ef21-muon and adamw have, and local_steps = 0 is without");
  return entry.make_local(std::move(of));
}

namespace {

Key const* find_own(MethodTraits const& traits, std::string const& name) {
  auto const key = std::find_if(traits.keys.begin(), traits.keys.end(), [&](auto const& k) { return k.name == name; });
  return key == traits.keys.end() ? nullptr : &*key;
}

// What the layer says, checked, or the default.
std::string own_text(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& name) {
  auto const* const key = find_own(traits, name);
  if (!key) throw std::invalid_argument("method " + traits.name + " has no key " + name);
  auto const given = settings.own.find(name);
  if (given == settings.own.end()) return key->fallback;
  check(*key, layer, given->second);
  return given->second;
}

}  // namespace

double own_number(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& name) {
  return std::strtod(own_text(traits, layer, settings, name).c_str(), nullptr);
}

std::string own_choice(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& name) {
  return own_text(traits, layer, settings, name);
}

void check_own_keys(Layer const& layer, LayerSettings const& settings) {
  auto const& traits = [&]() -> MethodTraits const& {
    try {
      return method_traits(settings.method);
    } catch (UsageError const& e) {
      throw UsageError("layer " + layer.name + ": " + e.what());
    }
  }();
  for (auto const& given : settings.own) {
    auto const* const key = find_own(traits, given.first);
    if (!key) throw UsageError("layer " + layer.name + ": the method " + traits.name + " has no key " + given.first);
    check(*key, layer, given.second);
  }
}

void check_new_method(MethodTraits const& traits) {
  auto const names = method_names();
  if (traits.name.empty() || std::find(names.begin(), names.end(), traits.name) != names.end())
    throw std::invalid_argument("register_method: the name '" + traits.name + "' is empty or taken");
  for (auto const& key : traits.keys) {
    auto const refuse = [&](std::string const& why) {
      throw std::invalid_argument("register_method: " + traits.name + ": the key '" + key.name + "': " + why);
    };
    if (key.type != KeyType::real && key.type != KeyType::integer && key.type != KeyType::choice)
      refuse("it is neither a number nor a choice");
    if (auto const what = wrong(key, key.fallback); !what.empty()) refuse(what);
  }
}

template std::vector<MethodEntry<float>>& method_table<float>();
template std::vector<MethodEntry<double>>& method_table<double>();
template std::unique_ptr<Method<float>> make_method<float>(std::string const&, MethodLayers);
template std::unique_ptr<Method<double>> make_method<double>(std::string const&, MethodLayers);

}  // namespace kaon
