// One simulated capture: what is in it, and what is true of it.
#pragma once

#include "capture/packet.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace montecarlo {

struct Frame { double time = 0; std::vector<std::uint8_t> bytes; };

struct Truth {
  std::string scenario, mechanism;           ///< of a cap: policer, shaper, quota
  bool interference = false;
  std::optional<double> cap_bps, period_s;   ///< the cap that holds at the end
  std::vector<double> caps_bps;              ///< all, where it steps
  std::size_t cuts = 0;
  bool freezes = false;                      ///< calls go dead after the same amount of bytes
  double seconds = 0;
  double from = 0;                           ///< seconds: a cap's beginning, where that is in mid-call
  std::optional<double> until;               ///< its end, likewise
  double severity = 0;                       ///< cap over offered rate
  bool binds = true;                         ///< what interferes took ≥2 % of the packets
};

inline constexpr callwitness::capture::Time epoch{std::chrono::seconds(1'700'000'000)};   ///< of the packets' times

struct Simulated { std::vector<Frame> frames; Truth truth; };

std::vector<std::string_view> benign_scenarios();
std::vector<std::string_view> interfering_scenarios();
/// The same name, seed and duration give the same capture.
Simulated simulate(std::string_view scenario, std::uint64_t seed, double seconds);

/// Feeds the frames to a sink, as a capture file would.
void replay(const Simulated& simulated, callwitness::capture::PacketSink& sink);

}  // namespace montecarlo
