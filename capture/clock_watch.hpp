// Whether somebody set the clock, or the machine slept, between two looks at three clocks. Reads none itself.
#pragma once

#include "capture/packet.hpp"

#include <optional>
#include <string>

namespace callwitness::capture {

struct ClockReading {
  Time wall;               ///< what packets are stamped with
  Duration awake{};        ///< CLOCK_MONOTONIC: stands still while the machine sleeps
  Duration since_boot{};   ///< CLOCK_BOOTTIME: goes on
};

class ClockWatch {
 public:
  explicit ClockWatch(const ClockReading& begin) : last_(begin) {}

  /// What happened since the last look, in words: "the clock was set by -3600.000 s". Slewing is no event.
  std::optional<std::string> look(const ClockReading& now);

 private:
  ClockReading last_;
};

}  // namespace callwitness::capture
