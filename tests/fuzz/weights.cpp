// weights: archives of arrays as kaon-ckpt export and numpy write them, damaged; what is still taken must give the weights that
// were written. Or an archive that is sound, with an array whose header is the input.
#include "npy.hpp"
#include "patched_file.hpp"

#include <zip.h>
#include <kaon/checkpoint/npy.hpp>
#include <kaon/checkpoint/weights.hpp>

#include <numeric>

namespace kaon::fuzz {
namespace {

/// Of the layer `first`, 3 x 5.
std::vector<float> numbers() {
  std::vector<float> all(15);
  std::iota(all.begin(), all.end(), 0.5f);
  return all;
}
std::vector<double> second_numbers() { return {1.25, -3, 7.5e300, 0}; }  // 4 x 1

Input exported() {
  auto const path = scratch("exported.npz");
  files::Part part(path);
  ckpt::NpzWriter to(part);
  auto const a = numbers();
  auto const b = second_numbers();
  to.number("step", 7);
  to.text("deck", "[run]");
  to.array("model/W/first", ElementType::f32, {3, 5}, a.data());
  to.array("model/W/second", ElementType::f64, {4, 1}, b.data());
  to.close();
  part.commit();
  return file_bytes(path);
}

Input archive(std::vector<std::pair<std::string, std::string>> const& members, bool deflated) {
  auto const path = scratch("made.npz");
  int code = 0;
  zip_t* const to = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  for (auto const& [name, content] : members) {
    auto const at = zip_file_add(to, name.c_str(), zip_source_buffer(to, content.data(), content.size(), 0), 0);
    zip_set_file_compression(to, static_cast<zip_uint64_t>(at), deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  demand(zip_close(to) == 0, "libzip writes an archive");
  return file_bytes(path);
}

template <class T>
std::string array(std::vector<std::uint64_t> const& shape, std::vector<T> const& data) {
  auto text = ckpt::npy_header(sizeof(T) == 4 ? ElementType::f32 : ElementType::f64, shape);
  return text.append(reinterpret_cast<char const*>(data.data()), data.size() * sizeof(T));
}

Input saved() {
  return archive({{"first.npy", array<float>({3, 5}, numbers())}, {"second.npy", array<double>({4, 1}, second_numbers())}}, true);
}

void run_damaged(PatchedFile& file, InputView patches) {
  file.damage(patches);
  WeightFile const weights(file.path());
  weights.step();
  auto const a = numbers();
  demand(weights.read("first", 3, 5) == std::vector<double>(a.begin(), a.end()), "a damaged archive gives another layer");
  demand(weights.read("second", 4, 1) == second_numbers(), "a damaged archive gives another layer");
}

// The numbers of 3 x 5 floats behind a header that is the input.
void run_header(InputView input) {
  auto const a = numbers();
  std::string member(input.begin(), input.end());
  member.append(reinterpret_cast<char const*>(a.data()), a.size() * sizeof(float));
  auto const path = scratch("header.npz");
  put_file(path, archive({{"first.npy", member}}, false));
  WeightFile const weights(path);
  for (double const x : weights.read("first", 3, 5)) demand(x >= 0.5 && x <= 14.5, "numbers that were not there");
}

void run_weights(InputView input) {
  static PatchedFile stored("stored.npz", exported()), deflated("deflated.npz", saved());
  if (input.empty()) return;
  auto const rest = input.subspan(1);
  if (input[0] % 3 == 2) return run_header(rest);
  run_damaged(input[0] % 3 == 0 ? stored : deflated, rest);
}

std::vector<Input> seeds() {
  std::vector<Input> all;
  for (unsigned char const kind : {0, 1}) {
    all.push_back({kind});
    for (int i = 0; i < 16; ++i) {
      auto patch = one_bit(i / 16.0);
      patch.insert(patch.begin(), kind);
      all.push_back(std::move(patch));
    }
    all.push_back({kind, 2, 0, 2});
    all.push_back({kind, 5, 0, 0, 9, 1});
  }
  for (auto const* header :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }", "{\"shape\": (3,5), 'descr':'<f4','fortran_order':True}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }"}) {
    std::string text("\x02\x93NUMPY\x01\x00", 9);
    text += static_cast<char>(std::string_view(header).size());
    text += '\0';
    all.push_back(bytes_of(text + header));
  }
  auto const own = ckpt::npy_header(ElementType::f32, {3, 5});
  all.push_back(bytes_of("\x02" + own));
  return all;
}

}  // namespace

Target weights_target() {
  return {"weights", {Exit::bad_input},
          512,       run_weights,
          seeds,     {"descr", "fortran_order", "shape", "'<f4'", "False", "(3, 5)", "\x93NUMPY"}};
}

}  // namespace kaon::fuzz
