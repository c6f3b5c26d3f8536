// What a finding of blocking lets anybody say of others: the rules that lower an accusation, by name. docs/methods/blocking.md
#pragma once

#include "metrics/finding.hpp"

#include <span>
#include <string_view>

namespace callwitness::metrics {

/// A rule holds for a finding's numbers, and then no more than `most` is said.
struct BlockingRule {
  std::string_view name;
  Weight most;
  bool (*holds)(const Finding&);
};

std::span<const BlockingRule> blocking_rules();

struct BlockingJudgement {
  Weight weight = Weight::accuses;
  std::string_view rule;                     ///< the name of the first of those that lower it most; empty: none does
};
/// Of a finding of kind blocking, from its numbers alone.
BlockingJudgement judge_blocking(const Finding& finding);

}  // namespace callwitness::metrics
