// Interruptions of one party (an application, or a far end), and what they share.
#pragma once

#include "metrics/detector.hpp"

namespace callwitness::metrics {

struct Party {
  std::vector<const Interruption*> cuts;   ///< by start, ≥ 1
  std::size_t alive = 0, dead = 0;         ///< of them: those in which other traffic was, or was dead
  std::size_t shown = 0;                   ///< of them: those in which the path died, and not only the far end fell silent
  bool all_shown = false;                  ///< all but the last, after which the capture may end or the user give up
  bool told_by_server = false;             ///< half of them and more when a lifetime that the server had told ran out
};

/// More than a far end gone silent: a reset, or what was sent meanwhile is missing, or software called again by itself.
bool shows_a_dead_path(const Interruption& cut);
/// Called again so soon: by software, or by somebody who found the call dead, or it was over.
bool called_again_soon(const Interruption& cut);

/// Those that a used-up quota explains are left out.
std::vector<Party> parties_of(const DetectorInput& input);

Mechanism mechanism_of(const std::vector<const Interruption*>& cuts);

/// A finding about the party's interruptions: names, calls, flows, times, count, packets and the explanations left.
Finding finding_of(const DetectorInput& input, const Party& party, FindingKind kind);

/// Until when tries stayed dead, and where it went on: numbers of the finding. The most of all its interruptions.
void add_aftermath(const DetectorInput& input, const std::vector<const Interruption*>& cuts, Finding& finding);

}  // namespace callwitness::metrics
