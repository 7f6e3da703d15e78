#ifndef KAON_HYGIENE_HEAP_HPP
#define KAON_HYGIENE_HEAP_HPP

namespace kaon::test {

/// Calls of operator new so far, by any thread, of what is linked into this program (MPI and Kokkos' Views use malloc).
long heap_calls();
void set_heap_calls(long n);

}  // namespace kaon::test

#endif
