// After how much do flows die? The unit whose amounts vary least: packets or bytes (up, down, both), or seconds.
// Likelihoods without a dimension, so that units compare. docs/methods/dies_after.md
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace callwitness::metrics::models {

enum class DeathUnit : std::uint8_t { packets_both, packets_up, packets_down, bytes_both, bytes_up, bytes_down, seconds, seconds_of_theirs };
inline constexpr std::size_t death_units = 8;

/// What a flow had moved when its last packet came.
struct DeathAmount {
  std::uint64_t packets_up = 0, packets_down = 0, bytes_up = 0, bytes_down = 0;   ///< bytes: IP
  double seconds = 0, seconds_of_theirs = 0;                                      ///< since the first packet; since the far end's first
};
double amount_of(const DeathAmount& death, DeathUnit unit);

struct UnitScore {
  DeathUnit unit{};
  double strength = 0;                  ///< log10 likelihood ratio: one limit against people's or a server's habits
  double limit = 0, low = 0, high = 0;
  double deviation = 0;                 ///< of the logarithm
};

struct DeadAfter {
  UnitScore best;
  std::vector<UnitScore> alternatives;  ///< those that can't be told from the best one, strongest first
};

inline constexpr std::size_t fewest_flows_to_tell = 3;

/// Nothing below two flows or where no unit can be scored. `loss`: share of the packets lost on the way besides.
std::optional<DeadAfter> dead_after(std::span<const DeathAmount> deaths, double loss);

struct DeadAfterEvidence {
  std::size_t flows = 0, far_ends = 0, others_alive = 0, others_dead = 0;
  double strength = 0;
  std::size_t survivors = 0;    ///< flows of the same application that passed the amount between the first and the last of these, and lived
  bool told_by_server = false;
};
/// Four flows to two far ends at least: one server may die of the same thing each time.
bool dead_after_accuses(const DeadAfterEvidence& evidence);

}  // namespace callwitness::metrics::models
