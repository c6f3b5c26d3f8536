// How much faster than a call others must be, for contrast.cpp and contrast_in.cpp. Reasons: docs/methods/scope.md
#pragma once

namespace callwitness::metrics {

inline constexpr double clear_excess = 1.7;               ///< of the cap: a line that held packets back 400 ms shows at most 1.4 times its rate in a second
inline constexpr double bits_beyond_a_bucket = 250'000;   ///< in all: a shared bucket that was full may let this much past the rate
inline constexpr double longest_contrast_s = 200'000;     ///< two days: beyond, observe.cpp keeps no series, and a clock that jumps would cost memory

}  // namespace callwitness::metrics
