// The capturing machine's clock, set while calls went on: streams of both directions jump by the same at the same moment, though
// none of their numbers is missing and their media clocks went on. What we send is captured before any network could delay it.
#pragma once

#include "capture/address.hpp"
#include "capture/time.hpp"
#include "classify/flow.hpp"

#include <cstddef>
#include <vector>

namespace callwitness::metrics {

/// A stream's transit time, grown at once between two packets that follow each other by number, and grown it stayed.
struct TransitJump {
  classify::StreamId stream{};
  capture::IpAddress source, destination;
  capture::Time before, after;             ///< of the two packets
  double seconds = 0;
};

struct ClockStep { capture::Time before, after; double seconds = 0; };

class ClockSteps {
 public:
  static constexpr std::size_t remembered = 64, step_limit = 1'000;
  /// The streams whose jump turns out to be the clock's: this one, and those that waited for it.
  std::vector<classify::StreamId> add(const TransitJump& jump);
  const std::vector<ClockStep>& steps() const { return steps_; }

 private:
  std::vector<TransitJump> waiting_;
  std::size_t next_ = 0;
  std::vector<ClockStep> steps_;
};

}  // namespace callwitness::metrics
