#include "metrics/meters/clock_steps.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double tolerance_s = 0.01;      // what jitter adds to either of the two; a machine that stood still starts again less evenly

bool at_once(capture::Time before, capture::Time after, double seconds, const TransitJump& jump) {
  return before < jump.after && jump.before < after && std::abs(seconds - jump.seconds) <= tolerance_s;
}

/// Of one host's two directions.
bool opposite(const TransitJump& a, const TransitJump& b) { return a.source == b.destination || b.source == a.destination; }

}  // namespace

std::vector<classify::StreamId> ClockSteps::add(const TransitJump& jump) {
  for (const auto& step : steps_)
    if (at_once(step.before, step.after, step.seconds, jump)) return {jump.stream};
  std::vector<classify::StreamId> told;
  const bool set = std::any_of(waiting_.begin(), waiting_.end(), [&](const TransitJump& other) {
    return other.stream != jump.stream && opposite(other, jump) && at_once(other.before, other.after, other.seconds, jump);
  });
  if (set && steps_.size() < step_limit) {
    steps_.push_back({jump.before, jump.after, jump.seconds});
    std::erase_if(waiting_, [&](const TransitJump& other) {
      if (!at_once(other.before, other.after, other.seconds, jump)) return false;
      told.push_back(other.stream);
      return true;
    });
    told.push_back(jump.stream);
    next_ = 0;
    return told;
  }
  if (waiting_.size() < remembered) waiting_.push_back(jump);
  else waiting_[next_++ % remembered] = jump;
  return told;
}

}  // namespace callwitness::metrics
