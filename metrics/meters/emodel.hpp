// ITU-T G.107: from codec, loss and delay to R and MOS.
#pragma once

#include <optional>
#include <string_view>

namespace callwitness::metrics {

struct CodecQuality {
  double impairment = 0;            ///< Ie
  double robustness = 0;            ///< Bpl
  double bursty_robustness = 0;     ///< Bpl for bursty loss where published; else the same
  bool wide_band = false;           ///< R up to 129, scaled by 1.29 for MOS
  bool grounded = true;             ///< both constants published
};

/// Null: unknown codec. `codec`: lower-case rtpmap name; `payload_bps` chooses among Opus's bandwidths.
std::optional<CodecQuality> codec_quality(std::string_view codec, double payload_bps);

struct Rating { double r_factor; double mos; };

/// `loss_percent` after the jitter buffer, `burst_ratio` ≥1 (1: random), `delay_ms` one way, mouth to ear.
Rating rate_call(const CodecQuality& codec, double loss_percent, double burst_ratio, double delay_ms);
double mos_of(double r_factor);     ///< narrow-band scale

}  // namespace callwitness::metrics
