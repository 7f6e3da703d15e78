// The one table in which a compressor is registered, and the grammar of specs.
#include <kaon/compress/block_bits.hpp>
#include <kaon/compress/column_top.hpp>
#include <kaon/compress/damping.hpp>
#include <kaon/compress/dithering.hpp>
#include <kaon/compress/dropout.hpp>
#include <kaon/compress/identity.hpp>
#include <kaon/compress/natural.hpp>
#include <kaon/compress/natural_coded.hpp>
#include <kaon/compress/randk.hpp>
#include <kaon/compress/rankk.hpp>
#include <kaon/compress/registry.hpp>
#include <kaon/compress/sign.hpp>
#include <kaon/compress/topk.hpp>

#include <charconv>

namespace kaon {
namespace {

template <class T, class Exec>
using Part = SpecPart<T, Exec>;
template <class T, class Exec>
using Made = typename SpecPart<T, Exec>::Made;

template <class T, class Exec>
Made<T, Exec> make_identity(Part<T, Exec> const& p) {
  p.expect(1, 1);
  return std::make_unique<Identity<T, Exec>>(p.rows, p.cols);
}
template <class T, class Exec>
Made<T, Exec> make_natural(Part<T, Exec> const& p) {
  p.expect(1, 3);
  std::size_t at = 1;
  auto const flag = [&](char const* name) { return at < p.fields.size() && p.fields[at] == name ? ++at : 0; };
  bool const stochastic = flag("stochastic"), coded = flag("coded");
  if (at != p.fields.size()) p.refuse("natural takes nothing but 'stochastic' and then 'coded'");
  if (coded) return std::make_unique<NaturalCoded<T, Exec>>(p.rows, p.cols, stochastic);
  return std::make_unique<Natural<T, Exec>>(p.rows, p.cols, stochastic);
}
template <class T, class Exec>
Made<T, Exec> make_bits(Part<T, Exec> const& p) {
  p.expect(2, 3);
  return std::make_unique<BlockBits<T, Exec>>(p.rows, p.cols, p.integer(1), p.option(2, "block", 256));
}
template <class T, class Exec>
Made<T, Exec> make_top(Part<T, Exec> const& p) {
  double const f = p.fraction();
  int const kept = static_cast<int>(TopK<T, Exec>::count(f, p.rows, p.cols));
  return std::make_unique<TopK<T, Exec>>(p.rows, p.cols, f, p.values(1, kept));
}
template <class T, class Exec>
Made<T, Exec> make_rank(Part<T, Exec> const& p) {
  double const f = p.fraction();
  int const rank = RankK<T, Exec>::count(f, p.rows, p.cols);
  return std::make_unique<RankK<T, Exec>>(p.rows, p.cols, f, p.values(p.rows, rank), p.values(rank, p.cols));
}

/// To add a compressor: its file, and one line here (docs/add-a-compressor.md).
template <class T, class Exec>
std::vector<CompressorEntry<T, Exec>> library() {
  return {
      {"identity", "identity                      every value as it is", Role::plain, make_identity},
      {"natural", "natural[:stochastic][:coded]  powers of two, 9 bits a value, or entropy-coded", Role::value, make_natural},
      {"bits", "bits:B[:block=N]              B = 1, 2, 4, 8 bits a value, a scale for every N (256)", Role::value, make_bits},
      {"dither", "dither:B[:block=N]            B = 2, 4, 8 bits a value, rounded at random, a scale for every N (256)",
       Role::value, Dithering<T, Exec>::make},
      {"sign", "sign                          one bit a value, one scale", Role::value, Sign<T, Exec>::make},
      {"top",
       "top:F[+VALUES]                the fraction F in (0, 1] of entries largest in magnitude; VALUES: natural, bits, dither, "
       "sign",
       Role::selector, make_top},
      {"rand", "rand:F[+VALUES]               the fraction F of entries, at random", Role::selector, RandK<T, Exec>::make},
      {"columns", "columns:F[+VALUES]            the fraction F of columns largest in 2-norm", Role::selector,
       ColumnTop<T, Exec>::make},
      {"rank", "rank:F[+VALUES]               rank F * min(rows, columns)", Role::selector, make_rank},
      {"damp", "damp:G                        G times every value, G in (0, 2)", Role::plain, Damping<T, Exec>::make},
      {"dropout",
       "dropout:P[+SPEC]              with probability P in (0, 1] what SPEC sends (default: every value), else nothing",
       Role::wrapper, Dropout<T, Exec>::make},
  };
}

std::vector<std::string> split(std::string const& text, char separator) {
  std::vector<std::string> words{""};
  for (char const c : text)
    if (c == separator)
      words.emplace_back();
    else
      words.back() += c;
  return words;
}

/// A refusal that already names the grammar.
struct BadSpec : UsageError {
  using UsageError::UsageError;
};

template <class N>
N number(SpecFields const& f, std::string const& text, char const* what) {
  N value{};
  auto const r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size()) f.refuse("'" + text + "' is not " + what);
  return value;
}

template <class T, class Exec>
CompressorEntry<T, Exec> const& find(SpecFields const& f) {
  for (auto const& entry : compressor_table<T, Exec>())
    if (f.fields[0] == entry.name) return entry;
  f.refuse("nothing is called '" + f.fields[0] + "'");
}

/// Makes the compressor of `text`, which is `spec` or what follows a '+' of it.
template <class T, class Exec>
Made<T, Exec> parse(std::string const& spec, std::string const& text, int rows, int cols) {
  auto const plus = text.find('+');
  Part<T, Exec> part{{spec, split(text.substr(0, plus), ':')}, rows, cols, nullptr};
  auto const entry = find<T, Exec>(part);
  if (plus != std::string::npos) {
    std::string const rest = text.substr(plus + 1);
    SpecFields const next{spec, split(rest.substr(0, rest.find('+')), ':')};
    auto const follower = find<T, Exec>(next);
    if (entry.role != Role::selector && entry.role != Role::wrapper) part.refuse("nothing can follow '" + part.fields[0] + "'");
    bool const fits = entry.role == Role::selector ? follower.role == Role::value
                                                   : follower.role != Role::wrapper && next.fields[0] != "identity";
    if (!fits) part.refuse("'" + next.fields[0] + "' cannot follow '" + part.fields[0] + "'");
    part.follower = [spec, rest](int m, int n) { return parse<T, Exec>(spec, rest, m, n); };
  }
  try {
    return entry.make(part);
  } catch (BadSpec const&) {
    throw;
  } catch (UsageError const& e) {
    part.refuse(e.what());
  }
}

}  // namespace

void SpecFields::refuse(std::string const& why) const {
  std::string message = "compressor '" + spec + "': " + why + "; the grammar is";
  for (auto const& line : compressor_grammar()) message += "\n  " + line;
  throw BadSpec(message);
}
void SpecFields::expect(std::size_t least, std::size_t most) const {
  if (fields.size() < least || fields.size() > most) refuse("'" + fields[0] + "' has too few or too many fields");
}
double SpecFields::real(std::size_t field) const { return number<double>(*this, fields.at(field), "a number"); }
int SpecFields::integer(std::size_t field) const { return number<int>(*this, fields.at(field), "a whole number"); }
double SpecFields::fraction() const {
  expect(2, 2);
  double const f = real(1);
  if (!(f > 0 && f <= 1)) refuse("the fraction " + fields[1] + " is not in (0, 1]");
  return f;
}
int SpecFields::option(std::size_t field, char const* name, int fallback) const {
  if (fields.size() <= field) return fallback;
  std::string const head = std::string(name) + "=";
  if (fields[field].rfind(head, 0) != 0) refuse("'" + fields[0] + "' takes nothing but '" + head + "' there");
  return number<int>(*this, fields[field].substr(head.size()), "a whole number");
}

template <class T, class Exec>
typename SpecPart<T, Exec>::Made SpecPart<T, Exec>::values(int m, int n) const {
  if (follower) return follower(m, n);
  return std::make_unique<Identity<T, Exec>>(m, n);
}

template <class T, class Exec>
typename SpecPart<T, Exec>::Made SpecPart<T, Exec>::fixed_values(int m, int n) const {
  auto coder = values(m, n);
  if (!coder->fixed_length()) this->refuse("'" + this->fields[0] + "' takes values of a fixed length only");
  return coder;
}

template <class T, class Exec>
std::vector<CompressorEntry<T, Exec>>& compressor_table() {
  static std::vector<CompressorEntry<T, Exec>> table = library<T, Exec>();
  return table;
}

std::vector<std::string> compressor_grammar() {
  std::vector<std::string> lines;
  for (auto const& entry : compressor_table<float, Kokkos::DefaultHostExecutionSpace>()) lines.emplace_back(entry.grammar);
  return lines;
}

template <class T, class Exec>
std::unique_ptr<Compressor<T, Exec>> make_compressor(std::string const& spec, int rows, int cols) {
  return parse<T, Exec>(spec, spec, rows, cols);
}

#define KAON_KERNEL(T, Exec)                                                   \
  template struct SpecPart<T, Exec>;                                           \
  template std::vector<CompressorEntry<T, Exec>>& compressor_table<T, Exec>(); \
  template std::unique_ptr<Compressor<T, Exec>> make_compressor<T, Exec>(std::string const&, int, int);
KAON_FOR_EACH_SCALAR_AND_SPACE(KAON_KERNEL)

}  // namespace kaon
