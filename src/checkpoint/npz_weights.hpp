#ifndef KAON_CHECKPOINT_NPZ_WEIGHTS_HPP
#define KAON_CHECKPOINT_NPZ_WEIGHTS_HPP

#include <kaon/checkpoint/weight_source.hpp>

#include <memory>
#include <string>

namespace kaon {

/// A file that begins as a zip archive does, or whose name ends in .npz; no pipe. Throws nothing.
bool is_npz(std::string const& path);

/// Weights of an .npz archive, stored or deflated. One of `kaon-ckpt export` has the layer L as the member model/W/L.npy (of
/// checkpoints of versions 1 and 2 server/W/L.npy) and its step in step.npy; other members are not looked at. In any other one,
/// as numpy.savez(FILE, **{L: array, …}) writes it, every member is a layer, L.npy. Arrays are matrices of little-endian float32
/// or float64 in C order. Throws InputError that names file and member: here where the archive is none of those, else where a
/// member is damaged, is no such array, or has another size than its header says.
std::unique_ptr<WeightFile::Source> open_npz(std::string const& path);

}  // namespace kaon

#endif
