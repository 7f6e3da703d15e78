#ifndef KAON_RUN_RECORDS_TABLES_HPP
#define KAON_RUN_RECORDS_TABLES_HPP

#include <kaon/exchange/count.hpp>
#include <kaon/layer/layer.hpp>
#include <kaon/run/records/csv_text.hpp>

#include <string>
#include <vector>

namespace kaon {

/// A file of rows in the run folder, and the forms of it that earlier versions wrote.
struct Table {
  char const* name;
  std::vector<std::string> columns;  ///< after "step"
  std::vector<csv::Older> older;
};

/// metrics.csv, layers.csv, groups.csv, validation.csv, in this order. `of_methods`: the layers' columns that are the methods';
/// `groups`: names, as the deck has them.
std::vector<Table> run_tables(std::vector<Layer> const& layers, std::vector<std::string> const& of_methods,
                              std::vector<std::string> const& groups);

/// Appends the cells of the byte columns.
void append_bytes(std::vector<csv::Value>& row, ByteCount const& bytes);

}  // namespace kaon

#endif
