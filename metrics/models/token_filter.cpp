#include "metrics/models/token_filter.hpp"

#include <cmath>

namespace callwitness::metrics::models {
namespace {

/// ln Γ without the C library's shared sign (paths are fitted on several threads). Stirling's series from 8 up.
double log_gamma(double x) {
  double shift = 0;
  for (; x < 8; x += 1) shift += std::log(x);
  const double inverse = 1 / x, square = inverse * inverse;
  return (x - 0.5) * std::log(x) - x + 0.918938533204672742 + inverse * (1.0 / 12 - square * (1.0 / 360 - square / 1260)) - shift;
}

constexpr float table_from = -1, table_step = 0.05F;
constexpr std::size_t table_size = 101;   // to 4.05 and beyond

constexpr std::array<std::uint8_t, table_size> make_table() {
  std::array<std::uint8_t, table_size> table{};
  for (std::size_t k = 0; k < table_size; ++k) {
    const float middle = table_from + table_step * (static_cast<float>(k) + 0.5F);
    std::uint8_t c = 0;
    while (c < class_bounds.size() && middle >= class_bounds[c]) ++c;
    table[k] = c;
  }
  return table;
}

constexpr auto table = make_table();

}  // namespace

std::size_t class_of(float z) {
  if (z >= unknown_tokens) return known_classes;
  const float place = std::clamp((z - table_from) / table_step, 0.0F, static_cast<float>(table_size - 1));
  return table[static_cast<std::size_t>(place)];
}

double kt_score(double lost, double seen) {
  constexpr double log_pi = 1.14472988584940017;
  return seen <= 0 ? 0 : log_gamma(lost + 0.5) + log_gamma(seen - lost + 0.5) - log_pi - log_gamma(seen + 1);
}

double kt_score(const ClassCounts& counts) {
  // A bucket never loses more where it holds more: classes that say so are one.
  std::array<double, known_classes> lost{}, seen{};
  std::size_t count = 0;
  for (std::size_t c = 0; c < known_classes; ++c) {
    if (counts.seen[c] <= 0) continue;
    lost[count] = counts.lost[c], seen[count] = counts.seen[c], ++count;
    for (; count > 1 && lost[count - 1] * seen[count - 2] > lost[count - 2] * seen[count - 1]; --count)
      lost[count - 2] += lost[count - 1], seen[count - 2] += seen[count - 1];
  }
  double score = 0;
  for (std::size_t c = 0; c < count; ++c) score += kt_score(lost[c], seen[c]);
  return score;
}

ClassCounts count_classes(const Events& events, const Bucket& bucket) {
  std::array<std::array<std::uint32_t, 2>, classes> counted{};
  walk(events, bucket, [&](std::size_t i, float z, bool) {
    if (events.counted[i]) ++counted[class_of(z)][events.lost[i]];
  });
  ClassCounts counts;
  for (std::size_t c = 0; c < classes; ++c) {
    counts.lost[c] = counted[c][1];
    counts.seen[c] = static_cast<double>(counted[c][0]) + counted[c][1];
  }
  return counts;
}

}  // namespace callwitness::metrics::models
