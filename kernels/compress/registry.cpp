// The grammar of compressors, and the one table in which a compressor is registered.
#include <kaon/compress/block_bits.hpp>
#include <kaon/compress/detail.hpp>
#include <kaon/compress/identity.hpp>
#include <kaon/compress/natural.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/compress/topk.hpp>
#include <kaon/core/instantiate.hpp>

#include <functional>

namespace kaon {
namespace {

using Words = std::vector<std::string>;

Words split(std::string const& text, char separator) {
  Words words{""};
  for (char const c : text)
    if (c == separator)
      words.emplace_back();
    else
      words.back() += c;
  return words;
}

[[noreturn]] void refuse(std::string const& spec, std::string const& why) {
  std::string message = "compressor '" + spec + "': " + why + "; the grammar is";
  for (auto const& line : compressor_grammar()) message += "\n  " + line;
  throw UsageError(message);
}

template <class N>
N number(std::string const& spec, std::string const& text, char const* what) {
  N value{};
  auto const r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size()) refuse(spec, "'" + text + "' is not " + what);
  return value;
}

/// One part of a spec: `words` are its fields between colons, words[0] the name; `coder` makes the values' compressor.
template <class T, class Exec>
struct Part {
  using Made = std::unique_ptr<Compressor<T, Exec>>;
  std::string spec;
  Words words;
  std::function<Made(int, int)> coder;
  int rows, cols;

  void fields(std::size_t least, std::size_t most) const {
    if (words.size() < least || words.size() > most) refuse(spec, "'" + words[0] + "' has too few or too many fields");
  }
  double fraction() const {
    fields(2, 2);
    double const f = number<double>(spec, words[1], "a number");
    if (!(f > 0 && f <= 1)) refuse(spec, "the fraction " + words[1] + " is not in (0, 1]");
    return f;
  }
};

template <class T, class Exec>
typename Part<T, Exec>::Made make_identity(Part<T, Exec> const& p) {
  p.fields(1, 1);
  return std::make_unique<Identity<T, Exec>>(p.rows, p.cols);
}
template <class T, class Exec>
typename Part<T, Exec>::Made make_natural(Part<T, Exec> const& p) {
  p.fields(1, 2);
  if (p.words.size() == 2 && p.words[1] != "stochastic") refuse(p.spec, "natural takes nothing but 'stochastic'");
  return std::make_unique<Natural<T, Exec>>(p.rows, p.cols, p.words.size() == 2);
}
template <class T, class Exec>
typename Part<T, Exec>::Made make_bits(Part<T, Exec> const& p) {
  p.fields(2, 3);
  int const bits = number<int>(p.spec, p.words[1], "a number of bits");
  int block = 256;
  if (p.words.size() == 3) {
    if (p.words[2].rfind("block=", 0) != 0) refuse(p.spec, "bits takes nothing but 'block='");
    block = number<int>(p.spec, p.words[2].substr(6), "a block size");
  }
  try {
    return std::make_unique<BlockBits<T, Exec>>(p.rows, p.cols, bits, block);
  } catch (UsageError const& e) {
    refuse(p.spec, e.what());
  }
}
template <class T, class Exec>
typename Part<T, Exec>::Made make_top(Part<T, Exec> const& p) {
  double const f = p.fraction();
  int const kept = static_cast<int>(TopK<T, Exec>::count(f, p.rows, p.cols));
  return std::make_unique<TopK<T, Exec>>(p.rows, p.cols, f, p.coder(1, kept));
}
template <class T, class Exec>
typename Part<T, Exec>::Made make_rank(Part<T, Exec> const& p) {
  double const f = p.fraction();
  int const rank = RankK<T, Exec>::count(f, p.rows, p.cols);
  return std::make_unique<RankK<T, Exec>>(p.rows, p.cols, f, p.coder(p.rows, rank), p.coder(rank, p.cols));
}

/// role: `value` may follow '+', `selector` may stand before it.
enum class Role { plain, value, selector };
template <class T, class Exec>
struct Entry {
  char const* name;
  char const* grammar;
  Role role;
  typename Part<T, Exec>::Made (*make)(Part<T, Exec> const&);
};

/// To add a compressor: its file, and one line here.
template <class T, class Exec>
std::vector<Entry<T, Exec>> const& table() {
  static std::vector<Entry<T, Exec>> const entries{
      {"identity", "identity                       every value as it is", Role::plain, make_identity<T, Exec>},
      {"natural", "natural[:stochastic]           powers of two, 9 bits a value", Role::value, make_natural<T, Exec>},
      {"bits", "bits:B[:block=N]               B = 1, 2, 4, 8 bits a value, a scale for every N (256)", Role::value,
       make_bits<T, Exec>},
      {"top", "top:F[+natural…|+bits:…]       the fraction F in (0, 1] of entries largest in magnitude", Role::selector,
       make_top<T, Exec>},
      {"rank", "rank:F[+natural…|+bits:…]      rank F · min(rows, columns), F in (0, 1]", Role::selector, make_rank<T, Exec>},
  };
  return entries;
}

template <class T, class Exec>
Entry<T, Exec> const& find(std::string const& spec, std::string const& name) {
  for (auto const& entry : table<T, Exec>())
    if (name == entry.name) return entry;
  refuse(spec, "nothing is called '" + name + "'");
}

}  // namespace

std::vector<std::string> compressor_grammar() {
  std::vector<std::string> lines;
  for (auto const& entry : table<float, Kokkos::DefaultHostExecutionSpace>()) lines.emplace_back(entry.grammar);
  return lines;
}

template <class T, class Exec>
std::unique_ptr<Compressor<T, Exec>> make_compressor(std::string const& spec, int rows, int cols) {
  auto const parts = split(spec, '+');
  auto const words = split(parts[0], ':');
  auto const& entry = find<T, Exec>(spec, words[0]);
  if (parts.size() > 2) refuse(spec, "more than one '+'");
  std::function<std::unique_ptr<Compressor<T, Exec>>(int, int)> coder = [](int m, int n) {
    return std::make_unique<Identity<T, Exec>>(m, n);
  };
  if (parts.size() == 2) {
    auto const value_words = split(parts[1], ':');
    auto const& value = find<T, Exec>(spec, value_words[0]);
    if (entry.role != Role::selector) refuse(spec, "nothing can follow '" + words[0] + "'");
    if (value.role != Role::value) refuse(spec, "'" + value_words[0] + "' cannot follow '+'");
    coder = [&value, spec, value_words](int m, int n) { return value.make({spec, value_words, nullptr, m, n}); };
  }
  return entry.make({spec, words, coder, rows, cols});
}

#define KAON_KERNEL(T, Exec) template std::unique_ptr<Compressor<T, Exec>> make_compressor<T, Exec>(std::string const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
