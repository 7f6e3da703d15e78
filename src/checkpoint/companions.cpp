#include <kaon/checkpoint/companions.hpp>

#include <kaon/checkpoint/remap.hpp>
#include <kaon/core/error.hpp>

#include <fmt/format.h>

#include <cstring>

namespace kaon {
namespace {

std::size_t leading_ones(FieldShape const& f) {
  std::size_t n = 0;
  while (n + 1 < f.shape.size() && f.shape[n] == 1) ++n;
  return n;
}
FieldShape without_leading_ones(FieldShape f) {
  f.shape.erase(f.shape.begin(), f.shape.begin() + static_cast<std::ptrdiff_t>(leading_ones(f)));
  return f;
}
/// A box of the field without its leading ones, in the field.
Part with_leading_ones(FieldShape const& f, Part box) {
  box.offset.insert(box.offset.begin(), leading_ones(f), 0);
  box.count.insert(box.count.begin(), leading_ones(f), 1);
  return box;
}

/// Index in `a` of the first element whose bits are others in `b`; empty: there is none.
std::string first_difference(CheckpointFile const& file, FieldShape const& a, FieldShape const& b) {
  Blocks const blocks(without_leading_ones(a));
  std::vector<unsigned char> x, y;
  for (std::uint64_t k = 0; k < blocks.count(); ++k) {
    Part const box = blocks.box(k);
    x.resize(box.elements() * size_of(a.type));
    y.resize(x.size());
    file.read(a, with_leading_ones(a, box), x.data());
    file.read(b, with_leading_ones(b, box), y.data());
    for (std::size_t e = 0; e < x.size(); e += size_of(a.type))
      if (std::memcmp(&x[e], &y[e], size_of(a.type)) != 0) return index_text(with_leading_ones(a, box), e / size_of(a.type));
  }
  return {};
}

template <class T>
double distance_from_mean(CheckpointFile const& file, FieldShape const& mean, FieldShape const& of) {
  auto const values = [&](FieldShape const& f) {
    auto const bytes = file.read(f);
    std::vector<T> v(f.elements());
    std::memcpy(v.data(), bytes.data(), bytes.size());
    return v;
  };
  return remap::distance_from_mean(values(mean), values(of), of.shape[0]);
}

void require_one(CheckpointFile const& file, FieldShape const& field, Companion const& companion) {
  auto const* const found = file.find(companion);
  if (!found || companion.says == Companion::Says::nothing) return;
  auto const& other = *found;
  auto const refuse = [&](std::string const& how) {
    throw InputError(
        fmt::format("the state in {} is not this run's: {}, but dataset {} {}", file.path(), companion.why, other.path, how));
  };
  auto const& of = file.has_older_paths() && !companion.of_was.empty() ? companion.of_was : companion.of;
  auto const* const compared = of.empty() ? &field : file.find(of);
  if (!compared) refuse("has no " + of + " beside it");
  auto const& have = *compared;
  if (other.type != have.type)
    refuse(fmt::format("is {}, and {} is {}", h5::name_of(other.type), have.path, h5::name_of(have.type)));
  if (companion.says == Companion::Says::same) {
    if (without_leading_ones(other).shape != without_leading_ones(have).shape)
      refuse(fmt::format("has shape {}, and {} has {}", other.shape_text(), have.path, have.shape_text()));
    if (auto const at = first_difference(file, other, have); !at.empty())
      refuse(fmt::format("differs from {}, first at {}", have.path, at));
    return;
  }
  if (have.type != ElementType::f32 && have.type != ElementType::f64)
    refuse(fmt::format("is {}, which has no mean", h5::name_of(have.type)));
  if (std::vector<std::uint64_t>(have.shape.begin() + 1, have.shape.end()) != other.shape)
    refuse(fmt::format("has shape {}, and is to be the mean of {}, {}", other.shape_text(), have.path, have.shape_text()));
  double const off = have.type == ElementType::f32 ? distance_from_mean<float>(file, other, have)
                                                   : distance_from_mean<double>(file, other, have);
  if (!(off <= remap::tolerance(have.type)))
    refuse(fmt::format("differs from the mean of {} by {:.1e} of the largest norm in it", have.path, off));
}

}  // namespace

void require_companions(CheckpointFile const& file, Field const& field) {
  if (field.companions.empty()) return;
  auto const* const have = file.find(field);
  if (!have) return;
  for (auto const& companion : field.companions) require_one(file, *have, companion);
}

}  // namespace kaon
