#ifndef KAON_CHECKPOINT_WEIGHTS_HPP
#define KAON_CHECKPOINT_WEIGHTS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kaon {

/// The weights W of a file, on this rank alone: of a checkpoint (checked whole: seal and every block); of what
/// `kaon-ckpt extract FILE -o OUT` writes (a dataset /W/<layer> for each layer, of float32 or float64, and the attribute `step`);
/// or of an .npz archive (npz_weights.hpp).
class WeightFile {
 public:
  /// Throws InputError that names the file and the cure where it is neither, or is damaged; IoError when the file system refuses.
  explicit WeightFile(std::string const& path);
  ~WeightFile();
  WeightFile(WeightFile const&) = delete;
  WeightFile& operator=(WeightFile const&) = delete;

  std::string const& path() const { return path_; }
  std::uint64_t step() const;
  /// Of a checkpoint, whose run it is; empty where the file does not say.
  std::string run() const;
  /// Names of its layers, in the file's order.
  std::vector<std::string> layers() const;
  /// Bytes of one number of a layer that is there: 4 is float32, 8 float64.
  std::size_t width(std::string const& layer) const;
  /// A layer's numbers, row-major. Throws InputError that names file and layer where it is missing, has another shape, or holds a
  /// NaN or an infinity.
  std::vector<double> read(std::string const& layer, std::uint64_t rows, std::uint64_t cols) const;

  class Source;

 private:
  std::string path_;
  std::unique_ptr<Source> source_;
};

}  // namespace kaon

#endif
