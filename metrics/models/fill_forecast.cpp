#include "metrics/models/fill_forecast.hpp"

#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t cells = 80;
constexpr double lost_if_short = 0.97, lost_if_not = 0.01;
constexpr double diffusion = 0.05;     ///< of a cell's share to each side, a packet: timing between the bucket and the capture
constexpr double leak = 1e-4;          ///< to every fill alike: others may have used it

using Fill = std::array<double, cells>;

/// Every share moves by `by` cells; what would leave stays in the outermost.
void shift(Fill& fill, double by) {
  Fill moved{};
  for (std::size_t c = 0; c < cells; ++c) {
    const double to = std::clamp(static_cast<double>(c) + by, 0.0, static_cast<double>(cells - 1));
    const auto low = static_cast<std::size_t>(to);
    const double part = to - static_cast<double>(low);
    moved[low] += fill[c] * (1 - part);
    moved[std::min(low + 1, cells - 1)] += fill[c] * part;
  }
  fill = moved;
}

void spread(Fill& fill) {
  Fill moved{};
  for (std::size_t c = 0; c < cells; ++c) {
    moved[c] += fill[c] * (1 - 2 * diffusion);
    moved[c == 0 ? 0 : c - 1] += fill[c] * diffusion;
    moved[c + 1 == cells ? c : c + 1] += fill[c] * diffusion;
  }
  double sum = 0;
  for (const double share : moved) sum += share;
  for (std::size_t c = 0; c < cells; ++c) fill[c] = (1 - leak) * moved[c] / sum + leak / cells;
}

}  // namespace

std::vector<double> forecast_losses(const Events& events, const Bucket& bucket) {
  std::vector<double> forecast(events.size());
  Fill fill;
  fill.fill(1.0 / cells);
  const double cell = bucket.depth / cells;
  for (std::size_t i = 0; i < events.size(); ++i) {
    shift(fill, bucket.rate * events.gap[i] / cell);
    spread(fill);
    // A cell's middle is its fill; the one at the edge is short in part.
    const double edge = events.bytes[i] / cell;
    double is_short = 0;
    const auto share_short = [&](std::size_t c) { return std::clamp(edge - static_cast<double>(c), 0.0, 1.0); };
    for (std::size_t c = 0; c < cells; ++c) is_short += fill[c] * share_short(c);
    forecast[i] = is_short * lost_if_short + (1 - is_short) * lost_if_not;
    if (events.counted[i])
      for (std::size_t c = 0; c < cells; ++c) {
        const double lost = share_short(c) * lost_if_short + (1 - share_short(c)) * lost_if_not;
        fill[c] *= events.lost[i] ? lost : 1 - lost;
      }
    if (!events.lost[i]) shift(fill, -edge);
  }
  return forecast;
}

}  // namespace callwitness::metrics::models
