// Do deaths keep a beat? Likelihoods of their times under a clock, a timer that starts with each call, chance and people's
// habits, each with its unknown parameters averaged over. docs/methods/cuts.md
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace callwitness::metrics::models {

/// A death at `time` of what had lived for `age` seconds (since the flow began, or came back).
struct DeathTime {
  double time = 0;         ///< seconds, of any origin
  double age = 0;          ///< seconds, > 0
  bool age_known = true;   ///< false: it lived before the capture began, so that `age` is the least
};

struct Beat {
  double period_s = 0, low_s = 0, high_s = 0;   ///< 95 %
  double deviation = 0;                         ///< rms of the residuals over the period
  std::size_t missed = 0;                       ///< beats of the clock at which nothing died
  double log10_likelihood = 0;
};

struct RegularCuts {
  Beat clock, age;                 ///< clock: of the time of day; age: since each call's beginning
  double log10_poisson = 0, log10_people = 0;
  std::size_t deaths = 0;
  bool shown = false;              ///< rival: chance (a path that dies at random); else people, who end calls of a usual length

  bool by_age() const { return age.log10_likelihood > clock.log10_likelihood; }
  /// Of the better against the other, log10.
  double margin() const;
  const Beat& beat() const { return by_age() ? age : clock; }
  double rival() const { return shown ? log10_poisson : log10_people; }
  /// log10 of the likelihood ratio of the better beat against the rival.
  double strength() const { return beat().log10_likelihood - rival(); }
};

inline constexpr std::size_t fewest_deaths = 3;
inline constexpr double least_strength_to_tell = 2, least_strength_to_accuse = 3;   ///< log10; error rates: docs/methods/cuts.md
inline constexpr double told_apart = 0.5;                                           ///< log10, clock against age

/// Nothing for fewer than three deaths. `deaths` in order of time; of more than 400 the first count.
std::optional<RegularCuts> regular_cuts(std::span<const DeathTime> deaths, bool shown);

/// What the finding knows when it is asked whether a beat accuses.
struct BeatEvidence {
  std::size_t deaths = 0, others_alive = 0, others_dead = 0;
  double strength = 0;
  bool shown = false;          ///< of every death but the last: the path died, not only the far end's voice
  bool by_age = false;         ///< or as likely as the clock
  bool told_by_server = false; ///< a lifetime or session timer says so
};
/// A beat of the clock that others outlive. A timer that starts with the call is an announcement's, a service's or an
/// allocation's as well as a network's: it never accuses by its timing.
bool beat_accuses(const BeatEvidence& evidence);

}  // namespace callwitness::metrics::models
