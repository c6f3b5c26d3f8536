// Logistic regression with few values a row, some coefficients of which may not be negative.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace callwitness::metrics::models {

/// The regression's table: rows hold only what isn't 0; every row has an intercept besides.
class Design {
 public:
  /// The number of a new column.
  std::uint16_t add_column(bool non_negative = false);
  void begin_row(bool outcome);
  void put(std::uint16_t column, double value);                 ///< into the row begun last; 0 may be left out
  std::size_t rows() const { return outcome_.size(); }
  std::size_t columns() const { return non_negative_.size(); }

 private:
  friend struct Regression;
  struct Cell { std::uint16_t column; float value; };
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> begins_;
  std::vector<std::uint8_t> outcome_;
  std::vector<bool> non_negative_;
};

struct Regression {
  double log_likelihood = 0;             ///< nats, without the ridge's part
  std::vector<double> coefficients;      ///< by column; 0 of those not used
  double intercept = 0;

  /// By Newton's method on the likelihood less ridge/2 of the squares. `used`: by column; `start`: another fit to begin at.
  static Regression fit(const Design& design, const std::vector<bool>& used, const Regression* start = nullptr);
  /// Log likelihood of each row's outcome.
  std::vector<double> by_row(const Design& design) const;
};

}  // namespace callwitness::metrics::models
