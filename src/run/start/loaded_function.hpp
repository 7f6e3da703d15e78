#ifndef KAON_RUN_START_LOADED_FUNCTION_HPP
#define KAON_RUN_START_LOADED_FUNCTION_HPP

#include <dlfcn.h>

namespace kaon {

/// The function of this name and type in whatever library the process has loaded; null where none has it. Which BLAS stands
/// behind the standard interface is chosen when the program is linked or started, so its own functions are looked up then.
template <class Function>
Function* loaded_function(char const* symbol) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, symbol));
}

}  // namespace kaon

#endif
