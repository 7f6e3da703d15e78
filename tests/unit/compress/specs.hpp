// The list that every property test runs over: one line for each form of a compressor.
#ifndef KAON_TEST_COMPRESS_SPECS_HPP
#define KAON_TEST_COMPRESS_SPECS_HPP

#include "bf16_example.hpp"

#include <kaon/codec/index_code.hpp>

namespace kaon::test {

/// Sizes by formula, from what the headers say and no code of theirs.
struct Size {
  std::size_t m, n, word;  // of an m×n matrix of `word`-byte values
  static std::size_t up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }
  std::size_t count() const { return m * n; }
  std::size_t plain(std::size_t values) const { return 8 * up(values * word, 8); }
  static std::size_t natural(std::size_t values) { return 8 * (up(values, 8) + up(values, 64)); }
  static std::size_t sign(std::size_t values) { return 8 + 8 * up(values, 64); }
  static std::size_t bits(std::size_t values, std::size_t b, std::size_t block = 256) {
    return 8 * up(2 * up(values, block), 8) + 8 * up(values * b, 64);
  }
  /// ⌊percent/100 · of⌋, at least 1.
  static std::size_t part(std::size_t percent, std::size_t of) { return percent * of < 100 ? 1 : percent * of / 100; }
  std::size_t entries(std::size_t percent) const { return part(percent, count()); }
  std::size_t columns(std::size_t percent) const { return part(percent, n); }
  std::size_t rank(std::size_t percent) const { return part(percent, m < n ? m : n); }
};

enum class Length { exact, at_most };

struct SpecRow {
  std::string spec;
  std::size_t (*bytes)(Size const&);  ///< bytes_bound()
  Length length = Length::exact;      ///< whether every payload has it
};

inline std::vector<SpecRow> const& spec_rows() {
  using S = Size const&;
  auto const at_most = Length::at_most;
  static std::vector<SpecRow> const rows =
      (register_compressor<Bf16>("bf16", "bf16   16 bits a value", Role::value),
       std::vector<SpecRow>{
           {"identity", [](S s) { return s.plain(s.count()); }},
           {"natural", [](S s) { return s.natural(s.count()); }},
           {"natural:stochastic", [](S s) { return s.natural(s.count()); }},
           {"natural:coded", [](S s) { return 8 + s.natural(s.count()); }, at_most},
           {"natural:stochastic:coded", [](S s) { return 8 + s.natural(s.count()); }, at_most},
           {"bits:1", [](S s) { return s.bits(s.count(), 1); }},
           {"bits:2", [](S s) { return s.bits(s.count(), 2); }},
           {"bits:4", [](S s) { return s.bits(s.count(), 4); }},
           {"bits:8", [](S s) { return s.bits(s.count(), 8); }},
           {"bits:2:block=64", [](S s) { return s.bits(s.count(), 2, 64); }},
           {"dither:2", [](S s) { return s.bits(s.count(), 2); }},
           {"dither:4", [](S s) { return s.bits(s.count(), 4); }},
           {"dither:8", [](S s) { return s.bits(s.count(), 8); }},
           {"dither:4:block=64", [](S s) { return s.bits(s.count(), 4, 64); }},
           {"sign", [](S s) { return s.sign(s.count()); }},
           {"damp:0.6", [](S s) { return s.plain(s.count()); }},
           {"top:0.15", [](S s) { return s.plain(s.entries(15)) + index_bytes_bound(s.count(), s.entries(15)); }, at_most},
           {"top:0.15+natural", [](S s) { return s.natural(s.entries(15)) + index_bytes_bound(s.count(), s.entries(15)); },
            at_most},
           {"top:0.1+bits:4", [](S s) { return s.bits(s.entries(10), 4) + index_bytes_bound(s.count(), s.entries(10)); },
            at_most},
           {"top:0.3+bits:1", [](S s) { return s.bits(s.entries(30), 1) + index_bytes_bound(s.count(), s.entries(30)); },
            at_most},
           {"top:0.2+natural:stochastic",
            [](S s) { return s.natural(s.entries(20)) + index_bytes_bound(s.count(), s.entries(20)); }, at_most},
           {"top:1+bits:8", [](S s) { return s.bits(s.count(), 8) + index_bytes_bound(s.count(), s.count()); }, at_most},
           {"top:0.2+sign", [](S s) { return s.sign(s.entries(20)) + index_bytes_bound(s.count(), s.entries(20)); }, at_most},
           {"top:0.2+dither:4", [](S s) { return s.bits(s.entries(20), 4) + index_bytes_bound(s.count(), s.entries(20)); },
            at_most},
           {"rand:0.1", [](S s) { return 8 + s.plain(s.entries(10)); }},
           {"rand:0.3+natural", [](S s) { return 8 + s.natural(s.entries(30)); }},
           {"rand:0.3+natural:coded", [](S s) { return 16 + s.natural(s.entries(30)); }, at_most},
           {"top:0.15+natural:coded",
            [](S s) { return 16 + s.natural(s.entries(15)) + index_bytes_bound(s.count(), s.entries(15)); }, at_most},
           {"rand:0.1+bits:4", [](S s) { return 8 + s.bits(s.entries(10), 4); }},
           {"rand:0.5+natural:stochastic", [](S s) { return 8 + s.natural(s.entries(50)); }},
           {"columns:0.25", [](S s) { return s.plain(s.m * s.columns(25)) + index_bytes_bound(s.n, s.columns(25)); }, at_most},
           {"columns:0.25+natural", [](S s) { return s.natural(s.m * s.columns(25)) + index_bytes_bound(s.n, s.columns(25)); },
            at_most},
           {"columns:0.5+bits:4", [](S s) { return s.bits(s.m * s.columns(50), 4) + index_bytes_bound(s.n, s.columns(50)); },
            at_most},
           {"rank:0.3", [](S s) { return 8 + s.plain(s.m * s.rank(30)) + s.plain(s.n * s.rank(30)); }},
           {"rank:0.3+natural", [](S s) { return 8 + s.natural(s.m * s.rank(30)) + s.natural(s.n * s.rank(30)); }},
           {"rank:0.3+bits:4", [](S s) { return 8 + s.bits(s.m * s.rank(30), 4) + s.bits(s.n * s.rank(30), 4); }},
           {"rank:0.3+bits:1", [](S s) { return 8 + s.bits(s.m * s.rank(30), 1) + s.bits(s.n * s.rank(30), 1); }},
           {"rank:0.2+natural:stochastic", [](S s) { return 8 + s.natural(s.m * s.rank(20)) + s.natural(s.n * s.rank(20)); }},
           {"rank:1", [](S s) { return 8 + s.plain(s.m * s.rank(100)) + s.plain(s.n * s.rank(100)); }},
           {"dropout:0.5", [](S s) { return 8 + s.plain(s.count()); }, at_most},
           {"dropout:0.5+natural", [](S s) { return 8 + s.natural(s.count()); }, at_most},
           {"dropout:0.7+rand:0.5", [](S s) { return 16 + s.plain(s.entries(50)); }, at_most},
           {"dropout:0.6+top:0.2+bits:4",
            [](S s) { return 8 + s.bits(s.entries(20), 4) + index_bytes_bound(s.count(), s.entries(20)); }, at_most},
           {"dropout:0.8+rank:0.3", [](S s) { return 16 + s.plain(s.m * s.rank(30)) + s.plain(s.n * s.rank(30)); }, at_most},
           {"bf16", [](S s) { return 8 * s.up(2 * s.count(), 8); }},
       });
  return rows;
}

inline std::vector<std::string> const& all_specs() {
  static std::vector<std::string> const specs = [] {
    std::vector<std::string> names;
    for (auto const& row : spec_rows()) names.push_back(row.spec);
    return names;
  }();
  return specs;
}

}  // namespace kaon::test

#endif
