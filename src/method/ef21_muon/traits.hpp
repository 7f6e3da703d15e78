#ifndef KAON_METHOD_EF21_MUON_TRAITS_HPP
#define KAON_METHOD_EF21_MUON_TRAITS_HPP

#include <kaon/method/figures.hpp>
#include <kaon/method/registry.hpp>

#include <cstddef>

namespace kaon::ef21_muon {

/// Places of the figures; causes first.
enum OfWorker : std::size_t { momentum, up_rest, up_shift };
enum OfServer : std::size_t { estimate, model, down_rest, down_shift };

Figures const& figures();
MethodTraits traits();
/// feedback and feedback_decay, of every method that sends by Ef21Muon.
std::vector<Key> feedback_keys();

}  // namespace kaon::ef21_muon

#endif
