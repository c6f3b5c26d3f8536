// What several observations say together: the same finding at other hours, beside spared traffic, and not over another
// network. Raises the rung of the verdict; never makes an accusation that no single observation makes.
#pragma once

#include "metrics/analysis.hpp"

#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics {

struct Together {
  /// Of the observation that shows the finding most clearly, with key and rung as the others raise them; where none
  /// accuses: of the one that tells most.
  Verdict verdict;
  std::optional<Finding> finding;        ///< what is repeated; empty: nothing accuses
  std::size_t occasions = 0;             ///< at least an hour apart, at which it was seen
  std::size_t beside_spared = 0;         ///< observations of them in which other traffic was spared (D4)
  std::vector<std::size_t> shown;        ///< observations that show it
  std::vector<std::size_t> not_shown;    ///< that hold calls of the same application, over what may be the same network, and don't
  std::vector<std::size_t> contrasts;    ///< that don't show it over another network, in a tunnel, or seen from the other end
};

Together judge_together(std::span<const Analysis* const> observations);

}  // namespace callwitness::metrics
