#ifndef KAON_METHOD_MEASURE_HPP
#define KAON_METHOD_MEASURE_HPP

#include <kaon/layer/layer.hpp>
#include <kaon/layer/space.hpp>
#include <kaon/linalg/norms.hpp>
#include <kaon/method/figures.hpp>
#include <kaon/mpi/communicator.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kaon {

/// What a step's measurements say of one layer: the columns of its method.
struct LayerReport {
  Figures const* figures = nullptr;  ///< the method's
  std::vector<double> values;        ///< in the order of figures->columns
  /// None where the layer's method has no such column.
  std::optional<double> find(std::string_view column) const;
  /// The same, and NaN.
  double operator[](std::string_view column) const;
};

/// Collects, on the device, the squared norms behind the reports of one step; read once when the step is over.
class Measure {
 public:
  /// `figures`: of each layer's method; they outlive this object and its reports.
  Measure(std::vector<Figures const*> figures, int workers, std::int64_t largest_layer);

  void clear(Space const& exec);
  /// ‖x‖² as the `what`-th figure of a worker.
  template <class T>
  void worker(Space const& exec, int layer, int worker, std::size_t what, ConstMatrix<T, Space> const& x) {
    sum_squares<T>(exec, slot(worker_index(layer, worker, what)), partials_, x);
  }
  /// ‖x‖² as the `what`-th figure of the server.
  template <class T>
  void server(Space const& exec, int layer, std::size_t what, ConstMatrix<T, Space> const& x) {
    sum_squares<T>(exec, slot(server_index(layer, what)), partials_, x);
  }
  /// ⟨x, y⟩ as the `what`-th figure of the server.
  template <class T>
  void server_dot(Space const& exec, int layer, std::size_t what, ConstMatrix<T, Space> const& x,
                  ConstMatrix<T, Space> const& y) {
    dot<T>(exec, slot(server_index(layer, what)), partials_, x, y);
  }
  /// Collective: adds the ranks' values (each is measured on one rank, zero elsewhere, so the sum is exact) and derives reports.
  std::vector<LayerReport> reports(Space const& exec, Communicator const& comm);
  /// Which squared norm behind the last reports was a NaN or beyond the range of double, "" when none was; the same on every
  /// rank.
  std::string beyond_range(std::vector<Layer> const& layers) const;

 private:
  Scalar<double, Space> slot(std::size_t i) const { return Scalar<double, Space>(values_.data() + i); }
  Figures const& of(int layer) const { return *figures_[static_cast<std::size_t>(layer)]; }
  std::size_t worker_index(int layer, int worker, std::size_t what) const {
    return first_[static_cast<std::size_t>(layer)] + static_cast<std::size_t>(worker) * of(layer).of_worker.size() + what;
  }
  std::size_t server_index(int layer, std::size_t what) const { return worker_index(layer, workers_, what); }

  std::vector<Figures const*> figures_;
  int workers_;
  std::vector<std::size_t> first_;  ///< layer: its first value; one more: their number
  Vector<double, Space> values_;
  Vector<double, Space> partials_;
  std::vector<double> read_;  ///< the values behind the last reports
};

}  // namespace kaon

#endif
