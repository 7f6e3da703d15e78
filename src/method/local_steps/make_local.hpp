#ifndef KAON_METHOD_LOCAL_STEPS_MAKE_LOCAL_HPP
#define KAON_METHOD_LOCAL_STEPS_MAKE_LOCAL_HPP

#include <kaon/method/method.hpp>

#include <memory>

namespace kaon {

/// ef21-muon with local steps, in the form that `of.optimizer.local` says. Throws UsageError that names a layer whose settings
/// cannot be.
template <class T>
std::unique_ptr<Method<T>> make_local_muon(MethodLayers of);

/// adamw with local steps: form update, outer average or nesterov.
template <class T>
std::unique_ptr<Method<T>> make_local_adamw(MethodLayers of);

}  // namespace kaon

#endif
