// Which ceilings are limits of the way and not the sender's own: what was sent meanwhile, what is missing, how packets are let go.
// Pure functions over plain values. docs/methods/ceilings.md
#pragma once

#include "metrics/models/ceiling.hpp"

#include <span>
#include <string_view>

namespace callwitness::metrics::models {

/// What is known of the packets in a ceiling's span.
struct SentMeanwhile {
  double packets = 0, seconds = 0;
  double mean_size = 0;                   ///< IP bytes
  double usual_size = 0, same_size = 0;   ///< median, IP bytes; share of the packets within 10 % of it
  double usual_gap = 0;                   ///< median, seconds
  double packet_time = 0;                 ///< of the grid that arrivals keep, seconds; 0: none
  std::optional<double> missing;          ///< packets that its empty places stand for; nothing: they can't be read
  double own_packets = 0, own_size = 0;   ///< of our end, the other way; median size
};

/// Why a pile is no limit; empty: it is one.
std::string_view innocent_reason(const Ceiling& ceiling, const SentMeanwhile& sent);

/// Both ends use the same codec: then they send as often.
bool ends_alike(const SentMeanwhile& sent);
/// Packets that came over those that our end sent; nothing where the ends aren't alike.
std::optional<double> received_of_own(const SentMeanwhile& sent);

enum class CeilingKind : std::uint8_t { policer, shaper, either };
/// What lets packets go: a queue holds them to its own beat, a bucket alone leaves them on the sender's.
CeilingKind ceiling_kind(const Release& release, const SentMeanwhile& sent);

/// The pile of all traffic less that of the large packets alone, at one ceiling: the network's bucket counts the small ones as well, an
/// encoder's buffer doesn't. Nothing where all are of about one size.
std::optional<double> gained_by_small(std::span<const Arrival> arrivals, const Ceiling& ceiling);

}  // namespace callwitness::metrics::models
