// What an event may weigh in a verdict, by what its finding knows: the rules of who is accused of cuts and deaths, in one place.
#pragma once

#include "metrics/finding.hpp"

namespace callwitness::metrics {

/// Of periodic_reset, dies_after, one_way, outage, freeze and benign_timer. Scope may lower it further, never raise it.
Weight weight_of_event(const Finding& finding);
/// The same in figures, until a calibration says better.
double confidence_of_event(const Finding& finding);

}  // namespace callwitness::metrics
