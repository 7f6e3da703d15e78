#include <kaon/method/registry.hpp>

#include <kaon/core/error.hpp>
#include <kaon/method/adamw/adamw.hpp>
#include <kaon/method/ef21_muon/ef21_muon.hpp>
#include <kaon/method/muon/muon.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace kaon {

namespace {

template <class T, template <class> class M>
MethodEntry<T> entry() {
  return {M<T>::traits(), M<T>::make};
}

}  // namespace

template <class T>
std::vector<MethodEntry<T>>& method_table() {
  static std::vector<MethodEntry<T>> table{entry<T, Ef21Muon>(), entry<T, AdamW>(), entry<T, Muon>()};
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

std::string range_of(MethodKey const& key) {
  auto const bound = [](double x) {
    auto text = std::to_string(x);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return std::isinf(x) ? std::string(x < 0 ? "-infinity" : "infinity") : text;
  };
  std::string text(key.low_open ? "(" : "[");
  text += bound(key.low);
  text += ", ";
  text += bound(key.high);
  text += key.high_open ? ")" : "]";
  return text;
}

void check_choice(MethodKey const& key, Layer const& layer, std::string const& text) {
  if (std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end()) return;
  std::string known;
  for (auto const& c : key.choices) known += (known.empty() ? "" : ", ") + c;
  throw UsageError("layer " + layer.name + ": " + key.name + " is " + text + ", and must be one of " + known);
}

double checked(MethodKey const& key, Layer const& layer, std::string const& text) {
  char* end = nullptr;
  double const x = std::strtod(text.c_str(), &end);
  bool const number = !text.empty() && *end == 0 && std::isfinite(x);
  bool const low = key.low_open ? x > key.low : x >= key.low, high = key.high_open ? x < key.high : x <= key.high;
  if (!number || !low || !high)
    throw UsageError("layer " + layer.name + ": " + key.name + " is " + text + ", and must be a number in " + range_of(key));
  return x;
}

}  // namespace

MethodTraits const& method_traits(std::string const& name) { return method_entry<double>(name).traits; }

template <class T>
std::unique_ptr<Method<T>> make_method(std::string const& name, MethodLayers of) {
  return method_entry<T>(name).make(std::move(of));
}

namespace {

MethodKey const& key_of(MethodTraits const& traits, std::string const& name) {
  auto const key = std::find_if(traits.keys.begin(), traits.keys.end(), [&](auto const& k) { return k.name == name; });
  if (key == traits.keys.end()) throw std::invalid_argument("method " + traits.name + " has no key " + name);
  return *key;
}

}  // namespace

double own_number(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& name) {
  auto const& key = key_of(traits, name);
  auto const given = settings.own.find(name);
  return given == settings.own.end() ? key.fallback : checked(key, layer, given->second);
}

std::string own_choice(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& name) {
  auto const& key = key_of(traits, name);
  auto const given = settings.own.find(name);
  if (given == settings.own.end()) return key.choices.front();
  check_choice(key, layer, given->second);
  return given->second;
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
    auto const &name = given.first, &text = given.second;
    auto const key = std::find_if(traits.keys.begin(), traits.keys.end(), [&](auto const& k) { return k.name == name; });
    if (key == traits.keys.end()) throw UsageError("layer " + layer.name + ": the method " + traits.name + " has no key " + name);
    if (key->choices.empty())
      checked(*key, layer, text);
    else
      check_choice(*key, layer, text);
  }
}

void check_new_method(MethodTraits const& traits) {
  auto const names = method_names();
  if (traits.name.empty() || std::find(names.begin(), names.end(), traits.name) != names.end())
    throw std::invalid_argument("register_method: the name '" + traits.name + "' is empty or taken");
  for (auto const& key : traits.keys)
    if (key.name.empty() || !(key.low <= key.fallback && key.fallback <= key.high))
      throw std::invalid_argument("register_method: " + traits.name + ": the key '" + key.name +
                                  "' has no name, or a default out of its range");
}

template std::vector<MethodEntry<float>>& method_table<float>();
template std::vector<MethodEntry<double>>& method_table<double>();
template std::unique_ptr<Method<float>> make_method<float>(std::string const&, MethodLayers);
template std::unique_ptr<Method<double>> make_method<double>(std::string const&, MethodLayers);

}  // namespace kaon
