#include "metrics/events/lifetimes.hpp"

#include <algorithm>
#include <cmath>

namespace callwitness::metrics {
namespace {

constexpr double leeway = 3, share = 0.005;   ///< seconds, or of the lifetime: servers look after their timers now and then
constexpr double permission_s = 300, channel_s = 600, default_allocation_s = 600;   ///< RFC 8656 9, 12, 7.2

double at_of(const Observation& observation, Time time) { return capture::seconds(time - observation.first_time); }

bool fits(double elapsed, double lifetime) { return lifetime > 0 && std::abs(elapsed - lifetime) <= std::max(leeway, share * lifetime); }

/// A relay's allocation or permission that nobody refreshed, where no answer was readable but the port says what it is: the flow
/// dies that long after the last answered STUN request.
std::optional<double> unrefreshed_by_port(const Observation& observation, const FlowObservation& flow, double at) {
  constexpr std::uint16_t turn_ports[] = {3478, 5349};
  const auto& tuple = flow.flow.five_tuple;
  const auto port = flow.forward == Direction::sent ? tuple.destination.port : tuple.source.port;
  if (std::find(std::begin(turn_ports), std::end(turn_ports), port) == std::end(turn_ports)) return std::nullopt;
  double refreshed = -1;
  for (const auto& trip : flow.round_trips)
    if (trip.basis == classify::RoundTripBasis::stun && at_of(observation, trip.time) < at) refreshed = at_of(observation, trip.time);
  if (refreshed < 0) return std::nullopt;
  for (const double lifetime : {default_allocation_s, permission_s})
    if (fits(at - refreshed, lifetime)) return lifetime;
  return std::nullopt;
}

std::optional<double> relay_lifetime(const Observation& observation, const FlowObservation& flow, double at) {
  const auto& relay = flow.flow.relay;
  if (relay.lifetime_s > 0 && fits(at - at_of(observation, relay.told), relay.lifetime_s)) return relay.lifetime_s;
  if (relay.has_permissions)
    for (const double lifetime : {permission_s, channel_s})
      if (fits(at - at_of(observation, relay.permitted), lifetime)) return lifetime;
  return unrefreshed_by_port(observation, flow, at);
}

}  // namespace

std::optional<ToldLifetime> lifetime_that_ended(const Observation& observation, const FlowObservation& flow, const Interruption& cut) {
  if (const auto relay = relay_lifetime(observation, flow, cut.start)) return ToldLifetime{ToldLifetime::Kind::relay, *relay};
  if (!flow.call || static_cast<std::size_t>(*flow.call) >= observation.classification->calls.size()) return std::nullopt;
  const auto& call = observation.classification->calls[static_cast<std::size_t>(*flow.call)];
  const double session = call.announced.session_expires_s, age = cut.start - at_of(observation, call.start_time);
  if (fits(age, session)) return ToldLifetime{ToldLifetime::Kind::session_timer, session};
  return std::nullopt;
}

}  // namespace callwitness::metrics
