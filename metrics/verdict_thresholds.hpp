// What a verdict rests on, for the verdict and for the reports that say so. Reasons: docs/methods/verdict.md
#pragma once

#include <cstdint>

namespace callwitness::metrics {

inline constexpr double shortest_call = 10;            ///< seconds of media below which nothing can be judged
inline constexpr std::uint64_t fewest_packets = 200;
inline constexpr double impairing_loss = 0.01;
inline constexpr double impairing_window_loss = 0.08;  ///< of 10 s
inline constexpr double untellable_loss = 0.05;        ///< of what the capture missed: then nothing is called clean
inline constexpr double impairing_outage_s = 2;         ///< a word or two that nobody hears
inline constexpr double impairing_delay_ms = 150;      ///< 95th percentile above the 10th (a lone early packet isn't the path's minimum)
inline constexpr double impairing_stalled = 0.05;      ///< of the time, over TCP: the 95th percentile again
inline constexpr double impairing_jitter_ms = 20;
inline constexpr double accusing_confidence = 0.9;          ///< of limits and forged resets
inline constexpr double suspecting_confidence = 0.5;
inline constexpr double suspecting_loss = 0.15;        ///< of the call alone, without any pattern: less is a far end's ordinary bad line

}  // namespace callwitness::metrics
