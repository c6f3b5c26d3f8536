// Stage 3, of one finding: what it weighs, by what happened and to whom. docs/methods/verdict.md
#pragma once

#include "metrics/finding.hpp"

namespace callwitness::metrics {

/// The only place that says whether a finding accuses, is suspected of, or impairs.
Weight weigh(const Finding& finding);

inline bool accuses(const Finding& finding) { return weigh(finding) == Weight::accuses; }

/// Others of the same host and seconds were spared what it tells (D4).
bool spares_others(const Finding& finding);

}  // namespace callwitness::metrics
