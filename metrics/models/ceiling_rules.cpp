#include "metrics/models/ceiling_rules.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr double least_depth = 1'400;            ///< bytes: a shallower bucket would stop every full packet of everybody
constexpr double mostly_at_once = 0.5, of_voice = 500;   ///< bytes: voice isn't sent in bursts, a radio that sleeps makes them
constexpr double often_stops = 0.15;             ///< a bucket lets the next packet pass soon; a radio that leaves its channel doesn't
constexpr double least_missing = 0.02;           ///< of the places: less isn't material, nor told from chance
constexpr double as_many = 0.02;
constexpr double alike_sizes = 0.15;
constexpr double one_size = 0.9, at_its_rate = 0.02, more_sent = 1.1;
constexpr double without_pauses = 0.97;
constexpr double packet_times[] = {0.01, 0.02, 0.03, 0.04, 0.06};
constexpr double keeps_beat = 0.6;
constexpr double shaper_from = 0.5, policer_to = 0.4;

/// A grid on which there are more packets than places is another's.
bool grid_holds(const SentMeanwhile& sent) {
  constexpr double leeway = 1.05;
  return sent.missing && sent.packet_time > 0 && sent.packets * sent.packet_time <= leeway * sent.seconds;
}

/// Of one size each packet time of a codec is innocent, unless our own end shows that the codec has another.
bool is_codecs_rate(const Ceiling& ceiling, const SentMeanwhile& sent) {
  if (sent.same_size < one_size || sent.usual_size <= 0) return false;
  const auto at = [&](double packet_time) { return std::abs(ceiling.rate * packet_time / sent.usual_size - 1) < at_its_rate; };
  if (ends_alike(sent) && at(sent.seconds / sent.own_packets)) return true;
  if (ends_alike(sent) && sent.own_packets >= more_sent * sent.packets) return false;
  return at(sent.usual_gap) || std::any_of(std::begin(packet_times), std::end(packet_times), at);
}

/// All that was sent without pauses fits through: losses are another's, as of a line that fades now and then.
bool is_offered_rate(const Ceiling& ceiling, const SentMeanwhile& sent) {
  if (!grid_holds(sent) || sent.seconds <= 0) return false;
  const double places = sent.packets + *sent.missing;
  return places * sent.packet_time >= without_pauses * sent.seconds && ceiling.rate >= (1 - at_its_rate) * sent.mean_size * places / sent.seconds;
}

}  // namespace

bool ends_alike(const SentMeanwhile& sent) {
  return sent.own_packets > 0 && sent.usual_size > 0 && std::abs(sent.own_size / sent.usual_size - 1) <= alike_sizes;
}

std::optional<double> received_of_own(const SentMeanwhile& sent) {
  return ends_alike(sent) ? std::optional(sent.packets / sent.own_packets) : std::nullopt;
}

std::string_view innocent_reason(const Ceiling& ceiling, const SentMeanwhile& sent) {
  if (ceiling.depth < least_depth) return "shallower_than_a_packet";
  if (ceiling.at_once >= mostly_at_once && sent.usual_size < of_voice) return "comes_in_batches";
  if (ceiling.stops >= often_stops) return "stops_at_the_ceiling";
  if (grid_holds(sent) && *sent.missing < least_missing * (sent.packets + *sent.missing)) return "nothing_missing";
  if (const auto ratio = received_of_own(sent); ratio && std::abs(*ratio - 1) <= as_many) return "as_many_as_we_send";
  if (is_codecs_rate(ceiling, sent) || is_offered_rate(ceiling, sent)) return "codecs_own_rate";
  return {};
}

CeilingKind ceiling_kind(const Release& release, const SentMeanwhile& sent) {
  if ((sent.packet_time > 0 && grid_holds(sent)) || release.on_beat >= keeps_beat) return CeilingKind::policer;
  if (release.at_level >= shaper_from) return CeilingKind::shaper;
  return release.at_level <= policer_to ? CeilingKind::policer : CeilingKind::either;
}

std::optional<double> gained_by_small(std::span<const Arrival> arrivals, const Ceiling& ceiling) {
  constexpr double large = 0.5, least_share = 0.03, least_small = 100;
  std::vector<double> sizes;
  for (const auto& arrival : arrivals) sizes.push_back(arrival.bytes);
  const double packet = quantile(std::move(sizes), 0.9);
  std::vector<Arrival> all, large_ones;
  double small = 0, bytes = 0;
  for (const auto& arrival : arrivals) {
    if (arrival.time < ceiling.begin || arrival.time > ceiling.end) continue;
    all.push_back(arrival);
    bytes += arrival.bytes;
    if (arrival.bytes >= large * packet) large_ones.push_back(arrival);
    else small += arrival.bytes;
  }
  if (static_cast<double>(all.size() - large_ones.size()) < least_small || small < least_share * bytes) return std::nullopt;
  const auto whole = highest_pile(all), part = highest_pile(large_ones);
  return whole ? std::optional(whole->sign - (part ? part->sign : 0)) : std::nullopt;
}

}  // namespace callwitness::metrics::models
