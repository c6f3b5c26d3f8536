#include "metrics/meters/emodel.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics {

namespace {
struct Row { std::string_view codec; CodecQuality quality; };
// Sources: docs/methods/mos.md. Rows without a published Bpl borrow 10 (GSM-EFR's) and are not grounded.
constexpr double borrowed = 10;
constexpr std::array<Row, 14> rows{{
    {"pcmu", {0, 25.1, 25.1, false, true}},      // G.113: G.711 with packet loss concealment
    {"pcma", {0, 25.1, 25.1, false, true}},
    {"g729", {11, 19.0, 19.0, false, true}},     // G.113: G.729A + VAD
    {"g723", {15, 16.1, 16.1, false, true}},     // G.113: 6.3 kbit/s + VAD
    {"gsm-efr", {5, 10.0, 10.0, false, true}},
    {"g728", {7, borrowed, borrowed, false, false}},
    {"g726-32", {7, borrowed, borrowed, false, false}},
    {"gsm", {20, borrowed, borrowed, false, false}},
    {"g722", {13, borrowed, borrowed, true, false}},
    {"amr-wb", {13, borrowed, borrowed, true, false}},
    {"silk", {19.96, borrowed, borrowed, true, false}},
    {"ilbc", {11, borrowed, borrowed, false, false}},
    {"speex", {11, borrowed, borrowed, false, false}},
    {"amr", {5, borrowed, borrowed, false, false}},
}};
constexpr CodecQuality opus_narrow{11.74, 18.91, 12.44, false, true};
constexpr CodecQuality opus_wide{19.96, 19.50, 16.92, true, true};
constexpr CodecQuality opus_super_wide{10.67, 9.79, 8.04, true, true};
constexpr double bursty_above = 1.5;                       // burst ratio from which the bursty constant holds
constexpr double narrow_below_bps = 10'800, wide_below_bps = 22'800;  // geometric means of 9, 13 and 40 kbit/s
constexpr double narrow_base = 93.2, wide_base = 129, wide_scale = 1.29;
}  // namespace

std::optional<CodecQuality> codec_quality(std::string_view codec, double payload_bps) {
  if (codec == "opus") {
    if (payload_bps < narrow_below_bps) return opus_narrow;
    return payload_bps < wide_below_bps ? opus_wide : opus_super_wide;
  }
  for (const auto& row : rows)
    if (row.codec == codec) return row.quality;
  return std::nullopt;
}

double mos_of(double r) {
  if (r >= 100) return 4.5;
  if (r < 6.5) return 1;
  return std::clamp(1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r), 1.0, 4.5);
}

Rating rate_call(const CodecQuality& codec, double loss_percent, double burst_ratio, double delay_ms) {
  const double delay = std::max(delay_ms, 0.0);
  const double impairment_delay = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
  const double burst = std::max(burst_ratio, 1.0);
  const double robustness = burst > bursty_above ? codec.bursty_robustness : codec.robustness;
  const double loss = std::clamp(loss_percent, 0.0, 100.0);
  const double effective = codec.impairment + (95 - codec.impairment) * loss / (loss / burst + robustness);
  const double r = std::max((codec.wide_band ? wide_base : narrow_base) - impairment_delay - effective, 0.0);
  return {r, mos_of(codec.wide_band ? r / wide_scale : r)};
}

}  // namespace callwitness::metrics
