#ifndef KAON_METHOD_REGISTRY_HPP
#define KAON_METHOD_REGISTRY_HPP

#include <kaon/keys/key.hpp>
#include <kaon/method/method.hpp>

#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// What a method is, beside its mathematics.
struct MethodTraits {
  std::string name;
  std::string help;               ///< one line
  std::vector<std::string> uses;  ///< group keys of LayerSettings that mean something to it: "norm", "beta", …
  std::vector<Key> keys;          ///< its own, of the section "group": numbers and choices
  /// Of both: what means something with local steps alone (OptimizerSettings::local).
  std::vector<std::string> rounds_only = {};
};

template <class T>
struct MethodEntry {
  MethodTraits traits;
  std::unique_ptr<Method<T>> (*make)(MethodLayers of);
  /// With local steps (OptimizerSettings::local); null: it has none.
  std::unique_ptr<Method<T>> (*make_local)(MethodLayers of) = nullptr;
};

/// The table that make_method reads; starts with what the library has.
template <class T>
std::vector<MethodEntry<T>>& method_table();

/// Names of all methods, the default first.
std::vector<std::string> method_names();
/// Throws UsageError, which lists the methods, where there is none of that name.
MethodTraits const& method_traits(std::string const& name);

/// Whether a layer's method reads the group key, one of `uses` or its own, with local steps or without.
bool reads_key(MethodTraits const& traits, std::string const& key, bool local);

/// A method for the layers of `of.mine`, which name it; with local steps where `of.optimizer` has them. Throws UsageError that
/// names a layer whose settings cannot be, or whose method has no local steps.
template <class T>
std::unique_ptr<Method<T>> make_method(std::string const& name, MethodLayers of);

/// The number of a method's own key: what the layer's settings say, or the default. Throws UsageError that names layer and key
/// where it is no number or out of range; std::invalid_argument where the method has no such key.
double own_number(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& key);

/// The same of a key with choices.
std::string own_choice(MethodTraits const& traits, Layer const& layer, LayerSettings const& settings, std::string const& key);

/// Throws UsageError where settings have a key that their method has not, or a value out of range; by layer and key.
void check_own_keys(Layer const& layer, LayerSettings const& settings);

/// Throws std::invalid_argument unless `traits` can be added: a name that is not taken, and keys that are numbers or choices,
/// with a default that is allowed.
void check_new_method(MethodTraits const& traits);

/// Adds a method of a program's own, for float and double; M<T>::make is a static function that makes it for MethodLayers. Call
/// it once, before the method is named.
template <template <class> class M>
void register_method(MethodTraits const& traits) {
  check_new_method(traits);
  method_table<float>().push_back({traits, M<float>::make});
  method_table<double>().push_back({traits, M<double>::make});
}

}  // namespace kaon

#endif
