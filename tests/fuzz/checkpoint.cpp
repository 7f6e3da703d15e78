// checkpoint: a file of Kaon's writer, damaged. What is still taken must give the state that was written, to the last bit.
#include "checkpoint_state.hpp"
#include "hdf5_ids.hpp"
#include "patched_file.hpp"

#include <kaon/checkpoint/writer.hpp>

namespace kaon::fuzz {
namespace {

void run_checkpoint(InputView input) {
  static PatchedFile file("step-00000005.h5", [] {
    auto const path = scratch("sound-checkpoint.h5");
    Communicator const self(MPI_COMM_SELF);
    write_checkpoint(self, path, sample_info(), sample_registry());
    return file_bytes(path);
  }());
  file.damage(input);
  NoIdLeft const watch;
  CheckpointFile const checkpoint(file.path());
  checkpoint.require_fields(sample_registry());
  checkpoint.verify();
  demand(checkpoint.info() == sample_info(), "a damaged checkpoint says other things of itself and is taken");
  for (auto const& field : sample_registry()) {
    Input want(field.written.elements() * size_of(field.type)), got(want.size());
    field.get(want.data());
    checkpoint.read({field.path, field.type, field.shape}, field.needed, got.data());
    demand(got == want, "a damaged checkpoint gives another " + field.path + " and is taken");
  }
}

std::vector<Input> seeds_of_checkpoint() {
  std::vector<Input> all{{}};
  for (int i = 0; i < 32; ++i) all.push_back(one_bit(i / 32.0));
  all.push_back({2, 0, 8});
  all.push_back({3, 0, 4, 12, 0});
  all.push_back({5, 0, 0, 40, 1});
  return all;
}

}  // namespace

Target checkpoint_target() { return {"checkpoint", {Exit::bad_input}, 256, run_checkpoint, seeds_of_checkpoint}; }

}  // namespace kaon::fuzz
