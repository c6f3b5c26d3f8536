// Fits of a token bucket (policer) and of a serialising queue (shaper, slow line) to an arm. Pure functions.
// The rules and why: docs/methods/policer.md, docs/methods/shaper.md.
#pragma once

#include "metrics/fits/arm.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

struct PolicerFit {
  double rate_bps = 0, rate_low = 0, rate_high = 0;
  double burst_low = 0, burst_high = 0;    ///< bytes; 0 and 0: not told
  double start = 0, end = 0;               ///< seconds: first and last loss explained
  std::size_t losses = 0, packets = 0;     ///< within start … end; packets counts the lost ones too
  double loss_ratio = 0;
  double gain = 0;                         ///< nats: how much better the bucket explains the losses than chance
  double precision = 0;                    ///< share lost of those that found too few tokens (the threshold that fits best)
  double recall = 0;                       ///< share of the losses that found too few
  double loss_when_full = 0;               ///< loss ratio at ≥2.5 packets of tokens, over the whole's
  double lost_when_full = 0;               ///< the share of the losses that fell there
  double spread = 0, offered_spread = 0;   ///< IQR/median of the between-loss rates, and of what was offered then
  double local_rate_ratio = 0;             ///< rate within loss-free runs near losses, over the cap: >1 excludes a queue
  double in_bursts = 0;                    ///< share of the bytes there that came in less than half their time: a queue spaces them
  double filled = 0;                       ///< what passed over what the rate lets pass from first to last loss, silences aside
  double beyond_s = 0;                     ///< the most that passed on end beyond rate and depth, in seconds of the rate
  double evenness_p = 1;                   ///< of losses spread as evenly over 2 s windows, by chance alone
  std::size_t windows_losing = 0;          ///< windows of 2 s that lose two packets or more
  double lost_in_worst = 0;                ///< share of the losses in the worst two of them
  std::size_t held_from = 0, held_to = 0;  ///< the packets, from the first on, between which the bucket explains losses best
  bool mechanism = false;                  ///< the rules for a policer hold
};

/// The policers that explain the losses, one after another where the rate steps. Empty: none can be fitted.
std::vector<PolicerFit> fit_policers(std::span<const ArmPacket> packets);

/// Whether any fit of `fit_policers` could have this loss ratio: if not, it needn't be called, which is much quicker.
bool may_lose(std::span<const ArmPacket> packets, double ratio);

struct ShaperFit {
  double rate_bps = 0, rate_low = 0, rate_high = 0;
  double start = 0, end = 0;
  std::size_t saturated = 0, windows = 0;  ///< of 2 s
  double plateau_cv = 0;
  double slope = 0, correlation = 0;       ///< of gaps over the serialisation time, within saturated windows
  double off_grid = 0;                     ///< distance of the usual gap from any codec's packet time, relative
  bool mechanism = false;
};

std::optional<ShaperFit> fit_shaper(std::span<const ArmPacket> packets, const PacketTimes& times);

/// Most bytes that passed within `window` seconds, as bit/s (lost packets don't count).
double busiest_rate(std::span<const ArmPacket> packets, double window, double from, double to, double share = 1.0);

}  // namespace callwitness::metrics
