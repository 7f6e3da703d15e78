#ifndef KAON_METHOD_MEASURE_HPP
#define KAON_METHOD_MEASURE_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/method/report.hpp>
#include <kaon/method/settings.hpp>
#include <kaon/mpi/communicator.hpp>

#include <string>
#include <vector>

namespace kaon {

/// Collects, on the device, the squared norms behind the reports of one step; read once when the step is over.
class Measure {
 public:
  enum class Up { shift, rest, momentum, count };           ///< ‖M_j − G_j‖² before and after the round, ‖M_j‖²
  enum class Down { shift, rest, model, estimate, count };  ///< ‖X − W‖² before and after, ‖W‖², ‖G‖²

  Measure(int layers, int workers, std::int64_t largest_layer);

  void clear(Space const& exec);
  template <class T>
  void up(Space const& exec, int layer, int worker, Up what, ConstMatrix<T, Space> const& x) {
    sum_squares<T>(exec, slot(up_index(layer, worker, what)), partials_, x);
  }
  template <class T>
  void down(Space const& exec, int layer, Down what, ConstMatrix<T, Space> const& x) {
    sum_squares<T>(exec, slot(down_index(layer, what)), partials_, x);
  }
  /// Collective: adds the ranks' values (each is measured on one rank, zero elsewhere, so the sum is exact) and derives reports.
  std::vector<LayerReport> reports(Space const& exec, Communicator const& comm);
  /// Which squared norm behind the last reports was a NaN or beyond the range of double, "" when none was; the same on every
  /// rank.
  std::string beyond_range(std::vector<Layer> const& layers) const;

 private:
  Scalar<double, Space> slot(std::size_t i) const { return Scalar<double, Space>(values_.data() + i); }
  std::size_t up_index(int layer, int worker, Up what) const {
    return (static_cast<std::size_t>(layer) * static_cast<std::size_t>(workers_) + static_cast<std::size_t>(worker)) *
               static_cast<std::size_t>(Up::count) +
           static_cast<std::size_t>(what);
  }
  std::size_t down_index(int layer, Down what) const {
    return up_index(layers_, 0, Up::shift) + static_cast<std::size_t>(layer) * static_cast<std::size_t>(Down::count) +
           static_cast<std::size_t>(what);
  }
  int layers_, workers_;
  Vector<double, Space> values_;
  Vector<double, Space> partials_;
  std::vector<double> read_;  ///< the values behind the last reports
};

}  // namespace kaon

#endif
