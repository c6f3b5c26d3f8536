// When a fitted token bucket is a policer: the rules over the fit's numbers. Pure. docs/methods/policer.md
#pragma once

#include "metrics/fits/token_bucket.hpp"

namespace callwitness::metrics {

inline constexpr double narrow_spread = 0.06;
inline constexpr double least_local_rate_ratio = 1.02;
inline constexpr double widest_spread_when_sure = 0.4;    ///< pauses let the bucket overflow: some intervals then pass less

/// Packets came faster than the rate where none was lost, or many at once: whatever dropped didn't queue.
bool met_no_queue(const PolicerFit& fit);

/// Nothing passed on end beyond what the rate and a full bucket let pass: a line that fades and recovers lets more.
bool lets_no_more(const PolicerFit& fit);

/// Sets `mechanism` by the fit's other numbers.
void judge(PolicerFit& fit);

/// Losses that only gaps tell are believed to an exact rate that explains nearly all of them, or to one that explains so much
/// that no sender's habits look like it: talkers' sizes and pauses hide where a lost packet stood, and how large it was.
bool is_clear_by_cadence(const PolicerFit& fit);

}  // namespace callwitness::metrics
