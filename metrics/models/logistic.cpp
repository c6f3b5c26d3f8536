#include "metrics/models/logistic.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr double ridge = 0.01;
constexpr int most_steps = 25;
constexpr double good_enough = 0.01;    ///< nats, which a further step gains

/// Solves the positive definite a·x = b (row by row, lower half) in place; false where it isn't.
bool solve(std::vector<double>& a, std::vector<double>& b, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) a[j * n + j] -= a[j * n + k] * a[j * n + k];
    if (!(a[j * n + j] > 1e-12)) return false;
    a[j * n + j] = std::sqrt(a[j * n + j]);
    for (std::size_t i = j + 1; i < n; ++i) {
      for (std::size_t k = 0; k < j; ++k) a[i * n + j] -= a[i * n + k] * a[j * n + k];
      a[i * n + j] /= a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
  return true;
}

double log_of_outcome(double eta, bool outcome) {
  const double against = outcome ? -eta : eta;   // ln 1/(1+e^against)
  return against > 30 ? -against : -std::log1p(std::exp(against));
}

}  // namespace

std::uint16_t Design::add_column(bool non_negative) {
  non_negative_.push_back(non_negative);
  return static_cast<std::uint16_t>(non_negative_.size() - 1);
}

void Design::begin_row(bool outcome) {
  begins_.push_back(static_cast<std::uint32_t>(cells_.size()));
  outcome_.push_back(outcome);
}

void Design::put(std::uint16_t column, double value) {
  if (value != 0) cells_.push_back({column, static_cast<float>(value)});
}

Regression Regression::fit(const Design& design, const std::vector<bool>& used, const Regression* start) {
  const std::size_t rows = design.rows(), columns = design.columns();
  Regression result;
  result.coefficients.assign(columns, 0);
  if (rows == 0) return result;
  double sum = 0;
  for (const auto y : design.outcome_) sum += y;
  const double share = (sum + 0.5) / (static_cast<double>(rows) + 1);
  result.intercept = std::log(share / (1 - share));
  if (start != nullptr) result = *start;
  // Place 0 is the intercept's, then the used columns'.
  std::vector<std::uint16_t> place(columns, 0);
  std::vector<std::size_t> column_at{0};
  for (std::size_t c = 0; c < columns; ++c) {
    if (!used[c]) { result.coefficients[c] = 0; continue; }
    place[c] = static_cast<std::uint16_t>(column_at.size());
    column_at.push_back(c);
  }
  const std::size_t n = column_at.size();
  const auto cells = [&](std::size_t row) {
    const auto begin = design.begins_[row], end = row + 1 < rows ? design.begins_[row + 1] : static_cast<std::uint32_t>(design.cells_.size());
    return std::span(design.cells_).subspan(begin, end - begin);
  };
  const auto eta_of = [&](std::size_t row, const Regression& at) {
    double eta = at.intercept;
    for (const auto& cell : cells(row)) eta += at.coefficients[cell.column] * static_cast<double>(cell.value);
    return eta;
  };
  const auto penalty = [&](const Regression& at) {
    double squares = 0;
    for (const double c : at.coefficients) squares += c * c;
    return ridge / 2 * squares;
  };
  const auto likelihood = [&](const Regression& at) {
    double total = 0;
    for (std::size_t row = 0; row < rows; ++row) total += log_of_outcome(eta_of(row, at), design.outcome_[row]);
    return total;
  };
  result.log_likelihood = likelihood(result);
  std::vector<double> gradient(n), hessian(n * n);
  std::vector<std::pair<std::uint16_t, double>> row_cells;
  for (int step = 0; step < most_steps; ++step) {
    std::fill(gradient.begin(), gradient.end(), 0);
    std::fill(hessian.begin(), hessian.end(), 0);
    for (std::size_t row = 0; row < rows; ++row) {
      row_cells.assign(1, {std::uint16_t{0}, 1.0});
      double eta = result.intercept;
      for (const auto& cell : cells(row)) {
        if (place[cell.column] == 0) continue;
        row_cells.emplace_back(place[cell.column], static_cast<double>(cell.value));
        eta += result.coefficients[cell.column] * static_cast<double>(cell.value);
      }
      const double p = 1 / (1 + std::exp(-eta)), residual = design.outcome_[row] - p, weight = std::max(1e-9, p * (1 - p));
      for (std::size_t a = 0; a < row_cells.size(); ++a) {
        const auto [i, x] = row_cells[a];
        gradient[i] += residual * x;
        const double scaled = weight * x;
        for (std::size_t b = 0; b <= a; ++b) {
          const auto [j, other] = row_cells[b];
          hessian[std::max(i, j) * n + std::min(i, j)] += scaled * other;
        }
      }
    }
    // What stands at its bound and would go beyond it stays there for this step.
    std::vector<std::size_t> free{0};
    for (std::size_t k = 1; k < n; ++k) {
      const double at = result.coefficients[column_at[k]];
      gradient[k] -= ridge * at;
      hessian[k * n + k] += ridge;
      if (!(design.non_negative_[column_at[k]] && at <= 0 && gradient[k] <= 0)) free.push_back(k);
    }
    std::vector<double> a(free.size() * free.size()), direction(free.size());
    for (std::size_t i = 0; i < free.size(); ++i) {
      direction[i] = gradient[free[i]];
      for (std::size_t j = 0; j <= i; ++j) a[i * free.size() + j] = hessian[free[i] * n + free[j]];
    }
    for (std::size_t i = 0; i < free.size(); ++i) a[i * free.size() + i] += 1e-6;
    if (!solve(a, direction, free.size())) break;
    const double before = result.log_likelihood - penalty(result);
    bool moved = false;
    double gained = 0;
    for (double length = 1; length > 1e-3 && !moved; length /= 2) {
      Regression next = result;
      next.intercept += length * direction[0];
      for (std::size_t i = 1; i < free.size(); ++i) {
        double& c = next.coefficients[column_at[free[i]]];
        c += length * direction[i];
        if (design.non_negative_[column_at[free[i]]]) c = std::max(0.0, c);
      }
      next.log_likelihood = likelihood(next);
      gained = next.log_likelihood - penalty(next) - before;
      if (gained > 0) result = std::move(next), moved = true;
    }
    if (!moved || gained < good_enough) break;
  }
  return result;
}

std::vector<double> Regression::by_row(const Design& design) const {
  std::vector<double> rows(design.rows());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto begin = design.begins_[row], end = row + 1 < rows.size() ? design.begins_[row + 1] : static_cast<std::uint32_t>(design.cells_.size());
    double eta = intercept;
    for (auto k = begin; k < end; ++k) eta += coefficients[design.cells_[k].column] * static_cast<double>(design.cells_[k].value);
    rows[row] = log_of_outcome(eta, design.outcome_[row]);
  }
  return rows;
}

}  // namespace callwitness::metrics::models
