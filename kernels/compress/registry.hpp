#ifndef KAON_COMPRESS_REGISTRY_HPP
#define KAON_COMPRESS_REGISTRY_HPP

#include <kaon/compress/compressor.hpp>
#include <kaon/core/instantiate.hpp>

#include <functional>

namespace kaon {

/// One part of a spec, NAME:FIELD:FIELD…, as a compressor's make() sees it. What it throws is a UsageError with the grammar.
struct SpecFields {
  std::string spec;                 ///< the whole spec, for messages
  std::vector<std::string> fields;  ///< between colons; the first is the name

  [[noreturn]] void refuse(std::string const& why) const;
  /// Refuses unless the number of fields, the name included, is in [least, most].
  void expect(std::size_t least, std::size_t most) const;
  double real(std::size_t field) const;
  int integer(std::size_t field) const;
  /// real(1) of a part with this one field; refuses unless in (0, 1].
  double fraction() const;
  /// The integer of the field `NAME=integer`, which may be absent; refuses if `field` holds something else.
  int option(std::size_t field, char const* name, int fallback) const;
};

template <class T, class Exec>
struct SpecPart : SpecFields {
  using Made = std::unique_ptr<Compressor<T, Exec>>;
  int rows, cols;
  /// Makes what stands after '+' for a shape; empty if nothing does.
  std::function<Made(int, int)> follower;

  /// A coder of rows×cols values: what stands after '+', else the values as they are.
  Made values(int m, int n) const;
  /// The same; refuses a coder whose payloads differ in length.
  Made fixed_values(int m, int n) const;
};

/// value: may follow the '+' of a selector; selector: NAME[+VALUE]; wrapper: NAME[+SPEC], SPEC any but a wrapper or identity.
enum class Role { plain, value, selector, wrapper };

template <class T, class Exec>
struct CompressorEntry {
  char const* name;
  char const* grammar;  ///< one line: the form, blanks, what it does
  Role role;
  typename SpecPart<T, Exec>::Made (*make)(SpecPart<T, Exec> const&);
};

/// The table that make_compressor reads; starts with what the library has.
template <class T, class Exec>
std::vector<CompressorEntry<T, Exec>>& compressor_table();

/// Adds the compressor C of a program's own to the grammar, for every scalar type and execution space; C<T, Exec>::make is a
/// static function of a SpecPart<T, Exec>. Call it once, before any spec is read. Throws std::invalid_argument if the name is
/// taken.
template <template <class, class> class C>
void register_compressor(char const* name, char const* grammar, Role role) {
  for (auto const& e : compressor_table<float, Kokkos::DefaultHostExecutionSpace>())
    require(std::string(e.name) != name, "register_compressor: the name is taken");
#define KAON_ENTRY(T, Exec) compressor_table<T, Exec>().push_back({name, grammar, role, C<T, Exec>::make});
  KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_ENTRY)
#undef KAON_ENTRY
}

}  // namespace kaon

#endif
