#include <kaon/method/local_steps/make_local.hpp>

#include <kaon/core/error.hpp>
#include <kaon/method/local_steps/local_adamw.hpp>
#include <kaon/method/local_steps/local_gradient.hpp>
#include <kaon/method/local_steps/local_muon.hpp>

namespace kaon {

template <class T>
std::unique_ptr<Method<T>> make_local_muon(MethodLayers of) {
  if (of.optimizer.local.form == LocalForm::gradient) return std::make_unique<LocalGradient<T>>(std::move(of));
  return std::make_unique<LocalMuon<T>>(std::move(of));
}

template <class T>
std::unique_ptr<Method<T>> make_local_adamw(MethodLayers of) {
  auto const& local = of.optimizer.local;
  auto const refuse = [&](char const* what) {
    throw UsageError("layer " + of.layers[static_cast<std::size_t>(of.mine.front())].name + ": the method adamw has no " + what +
                     ": it has no norm for the server's oracle");
  };
  if (local.form == LocalForm::gradient) refuse("local_form = gradient");
  if (local.outer == Outer::lmo) refuse("outer = lmo");
  return std::make_unique<LocalAdamW<T>>(std::move(of));
}

template std::unique_ptr<Method<float>> make_local_muon<float>(MethodLayers);
template std::unique_ptr<Method<double>> make_local_muon<double>(MethodLayers);
template std::unique_ptr<Method<float>> make_local_adamw<float>(MethodLayers);
template std::unique_ptr<Method<double>> make_local_adamw<double>(MethodLayers);

}  // namespace kaon
