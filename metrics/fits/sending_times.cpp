#include "metrics/fits/sending_times.hpp"

#include "metrics/statistics.hpp"

#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr double jump_s = 1;           ///< of arrivals against the media clock: it began anew
constexpr double fast = 0.1;           ///< share of the packets that met no queue

/// A stream's packets as long as its clock runs on.
struct Spell {
  std::vector<std::size_t> places;     ///< in the trace
  std::vector<double> media;           ///< seconds since the spell's first packet, unwrapped; within a frame as they arrived
  std::vector<double> delays;          ///< arrival less that
  std::uint32_t last_ticks = 0;
  double frame = 0, frame_arrival = 0; ///< of the newest frame: its media time, and when its first packet came
};

void settle(Spell& spell, std::vector<double>& times) {
  const double shift = quantile(spell.delays, fast);
  for (std::size_t i = 0; i < spell.places.size(); ++i) times[spell.places[i]] = shift + spell.media[i];
  spell = {};
}

void add(Spell& spell, const TracePacket& packet, std::size_t place, double arrival, double clock) {
  const double step = spell.places.empty() ? 0 : static_cast<std::int32_t>(packet.media_time - spell.last_ticks) / clock;
  // Packets of one frame share its time: the sender spaced them, and a late one among them has the time of its frame.
  if (spell.places.empty() || step > 0) spell.frame += step, spell.frame_arrival = arrival, spell.last_ticks = packet.media_time;
  const double media = step < 0 ? spell.frame + step : spell.frame + (arrival - spell.frame_arrival);
  spell.places.push_back(place);
  spell.media.push_back(media);
  spell.delays.push_back(arrival - media);
}

}  // namespace

std::vector<double> sending_times(const Observation& observation, const FlowObservation& flow, Direction direction) {
  std::vector<double> times;
  std::map<std::uint16_t, Spell> spells;
  times.reserve(flow.trace.size());
  bool any = false;
  for (std::size_t i = 0; i < flow.trace.size(); ++i) {
    const auto& packet = flow.trace[i];
    const double arrival = capture::seconds(packet.time - observation.first_time);
    times.push_back(arrival);
    if (packet.direction != direction || packet.duplicate || !packet.has_media_time || packet.stream >= observation.streams.size()) continue;
    const double clock = observation.streams[packet.stream].clock_rate_hz;
    if (clock <= 0) continue;
    any = true;
    auto& spell = spells[packet.stream];
    if (!spell.places.empty() && std::abs(arrival - times[spell.places.back()] - static_cast<std::int32_t>(packet.media_time - spell.last_ticks) / clock) > jump_s)
      settle(spell, times);
    add(spell, packet, i, arrival, clock);
  }
  if (!any) return {};
  for (auto& [stream, spell] : spells) settle(spell, times);
  return times;
}

}  // namespace callwitness::metrics
