#include "classify/flows/rtp_tracker.hpp"

#include "classify/flows/rtp_trial.hpp"

#include <algorithm>
#include <cstdlib>

namespace callwitness::classify {
namespace {

// RFC 3550 A.1: a larger step is a new start, not a gap; here: of another sequence space.
constexpr int maximum_dropout = 3000;
// Steps that a stream on trial makes; packets lost in between are allowed for.
constexpr int trial_step = 64;
constexpr std::uint16_t trial_length = 48;
// No media clock runs faster; with it goes half a second of bursts.
constexpr double fastest_clock_hz = 200'000;

// Layers of one picture go out together; what is sent again comes later, by the time that the far end takes to ask for it.
constexpr std::uint32_t later_ms = 10;

int step(std::uint16_t from, std::uint16_t to) { return static_cast<std::int16_t>(to - from); }

std::uint32_t milliseconds_of(Time time) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

/// Video's timestamps are multiples of what a frame lasts in ticks: mixed, so that they fill the 256 places.
std::size_t place_of(std::uint32_t timestamp) { return (timestamp * 2654435761u) >> 24; }

bool plausible_type(std::uint8_t type, const RtpContext& context) {
  if (type >= 96 || type == 101) return true;
  if (!static_payload_type(type).codec.empty()) return true;
  return type >= 35 && type <= 63 && context.negotiated;  // browsers use 35-63 once 96-127 are used up
}

bool padding_only(const RtpHeader& header, std::uint32_t payload_length, const RtpTrack& track) {
  if (!header.padding) return false;
  // Under SRTP the padding length is cipher text; a sender's probes repeat the last timestamp.
  return payload_length == 0 || header.padding_length == payload_length ||
         (track.packets > 0 && header.timestamp == track.last_timestamp && !header.marker);
}

}  // namespace

int RtpTrack::main_type() const {
  std::size_t most = 0;
  const auto rank = [&](std::size_t slot) { return std::pair((auxiliary_types >> slot & 1) == 0, type_packets[slot]); };
  for (std::size_t slot = 1; slot < type_slots && types[slot] >= 0; ++slot)
    if (rank(slot) > rank(most)) most = slot;
  return types[most];
}

RtpTracker::TypeFacts& RtpTracker::facts_of(Way way, std::uint8_t payload_type) {
  for (auto& facts : types_)
    if (facts.way == way && facts.payload_type == payload_type) return facts;
  return types_.emplace_back(TypeFacts{way, payload_type, false, false, false, 0, 0});   // 256 at most
}

RtpTrack* RtpTracker::find(Way way, const RtpHeader& header) {
  const auto takes = [&](const RtpTrack& track) { return track.way == way && track.ssrc == header.ssrc && !track.over; };
  auto& last = last_[static_cast<std::size_t>(way)];
  if (last < tracks_.size() && takes(tracks_[last]) && tracks_[last].has_type(header.payload_type) &&
      std::abs(step(tracks_[last].highest, header.sequence)) < maximum_dropout) {
    return &tracks_[last];
  }
  RtpTrack* near = nullptr;
  RtpTrack* same_type = nullptr;
  for (auto& track : tracks_) {
    if (!takes(track)) continue;
    const bool knows_type = track.has_type(header.payload_type);
    const int distance = std::abs(step(track.highest, header.sequence));
    if (knows_type && distance < maximum_dropout) {
      near = &track;
      break;
    }
    if (distance < maximum_dropout && !near) near = &track;
    if (knows_type && !same_type) same_type = &track;
  }
  RtpTrack* const found = near ? near : same_type;
  if (found) last = static_cast<std::uint32_t>(found - tracks_.data());
  return found;
}

RtpTrack& RtpTracker::start(Way way, const RtpHeader& header) {
  RtpTrack* place = nullptr;
  if (tracks_.size() - accepted_ >= trial_limit) {  // the trial that has waited longest makes room
    for (auto& track : tracks_) {
      if (!track.stream && (!place || track.last_time < place->last_time)) place = &track;
    }
    auto backlog = std::move(place->backlog);
    backlog.clear();
    *place = RtpTrack{};
    place->backlog = std::move(backlog);
  } else {
    place = &tracks_.emplace_back();
  }
  place->way = way;
  place->ssrc = header.ssrc;
  place->highest = static_cast<std::uint16_t>(header.sequence - 1);
  place->first_timestamp = place->last_timestamp = header.timestamp;
  last_[static_cast<std::size_t>(way)] = static_cast<std::uint32_t>(place - tracks_.data());
  watch_timestamps(way, false);
  return *place;
}

/// Where a stream is beside another: what is sent again bears the other's timestamps (RFC 4588 4).
void RtpTracker::watch_timestamps(Way way, bool accepted_now) {
  auto& seen = seen_[static_cast<std::size_t>(way)];
  if (!seen.empty()) return;
  std::size_t streams = 0;
  bool any_accepted = accepted_now;
  for (const auto& track : tracks_) {
    if (track.way != way) continue;
    ++streams;
    any_accepted = any_accepted || track.stream;
  }
  if (streams < 2 || !any_accepted) return;
  seen.resize(seen_limit);
  for (const auto& track : tracks_)
    if (track.way == way && track.packets > 0) seen[place_of(track.last_timestamp)] = {track.last_timestamp, track.ssrc, milliseconds_of(track.last_time), true};
}

void RtpTracker::weigh_timestamp(RtpTrack& track, const RtpHeader& header, Time time) {
  if (header.padding) return;   // a probe, which stands for nothing that was sent before
  ++track.weighed;
  const std::uint32_t now = milliseconds_of(time);
  Seen& seen = seen_[static_cast<std::size_t>(track.way)][place_of(header.timestamp)];
  if (!seen.used || seen.timestamp != header.timestamp || seen.ssrc == header.ssrc) {
    seen = {header.timestamp, header.ssrc, now, true};
    return;
  }
  const auto owner = std::find_if(tracks_.begin(), tracks_.end(), [&](const RtpTrack& other) { return other.way == track.way && other.ssrc == seen.ssrc; });
  if (owner == tracks_.end() || owner->has_type(header.payload_type)) return;
  if (track.repeats == 0) {
    track.repeated = seen.ssrc;
    track.later = 0;
  }
  if (track.repeated != seen.ssrc) {
    --track.repeats;
    return;
  }
  ++track.repeats;
  track.later += owner->last_timestamp != header.timestamp || now - seen.milliseconds >= later_ms;
}

bool RtpTracker::convincing(const RtpTrack& track, const RtpContext& context) const {
  if (track.distinct < packets_to_accept || accepted_ >= stream_limit) return false;
  if (track.good < 4 * track.bad + 4) return false;
  // An all-zero "SSRC" is more often a field that is always zero than an SSRC.
  if (track.ssrc == 0 && !context.negotiated && !context.announced && accepted_ == 0) return false;
  const bool vouched = context.negotiated || context.announced || accepted_ > 0;
  if (!vouched && !behaves_like_rtp(track.backlog)) return false;
  for (std::size_t i = 0; i < track.types.size() && track.types[i] >= 0; ++i) {
    if (!plausible_type(static_cast<std::uint8_t>(track.types[i]), context)) return false;
  }
  return true;
}

RtpTracker::Outcome RtpTracker::on_packet(const RtpHeader& header, Way way, MediaPacket& packet,
                                          const RtpContext& context) {
  packet.sequence = header.sequence;
  packet.media_time = header.timestamp;
  packet.has_sequence = packet.has_media_time = true;
  packet.marker = header.marker;
  packet.payload_type = header.payload_type;

  RtpTrack* track = find(way, header);
  if (!track) track = &start(way, header);
  packet.is_padding = padding_only(header, packet.payload_bytes, *track);
  packet.is_auxiliary = packet.is_auxiliary || (packet.payload_bytes <= longest_event && track->packets > 0 && !packet.is_padding &&
      looks_like_event(header.payload_type, track->main_type(), context.payload, packet.payload_bytes,
                       header.marker || header.timestamp == track->last_event));
  if (context.redundant && track->packets > 0 && track->main_type() != header.payload_type) packet.is_auxiliary = true;
  if (packet.is_auxiliary) track->last_event = header.timestamp;
  if (!seen_[static_cast<std::size_t>(way)].empty()) weigh_timestamp(*track, header, packet.time);
  const int sequence_step = step(track->highest, header.sequence);
  const auto time_step = static_cast<std::int32_t>(header.timestamp - track->last_timestamp);
  const bool first = track->packets == 0;
  const capture::Duration elapsed = first ? capture::Duration{} : packet.time - track->last_time;
  if (first) track->first_time = packet.time;

  if (!track->stream) {
    if (first) {
      track->distinct = 1;
    } else if (sequence_step != 0) {
      const bool plausible_time =
          sequence_step < 0 || (time_step >= 0 && time_step < fastest_clock_hz * (capture::seconds(elapsed) + 0.5)) ||
          (time_step < 0 && time_step > -90'000);  // video is not sent in timestamp order
      const bool good = std::abs(sequence_step) <= trial_step && plausible_time;
      ++(good ? track->good : track->bad);
      ++track->distinct;
    }
    if (track->distinct > trial_length) {  // on trial for long: begin afresh rather than grow
      const auto ssrc = track->ssrc;
      auto backlog = std::move(track->backlog);
      backlog.clear();
      *track = RtpTrack{};
      track->way = way;
      track->ssrc = ssrc;
      track->backlog = std::move(backlog);
      track->highest = static_cast<std::uint16_t>(header.sequence - 1);
      track->distinct = 1;
      track->first_timestamp = header.timestamp;
      track->first_time = packet.time;
    }
    if (track->backlog.size() < 2 * trial_length) track->backlog.push_back(packet);
  }
  if (track->packets > 0 && sequence_step > 1 && sequence_step < maximum_dropout) track->skipped += static_cast<std::uint64_t>(sequence_step - 1);
  if (sequence_step < 0) ++track->late;
  if (track->packets == 0 || sequence_step > 0 || std::abs(sequence_step) >= maximum_dropout) {
    track->highest = header.sequence;
    if (track->packets > 0 && !packet.is_auxiliary) {
      if (time_step == 0) ++track->same_timestamp;
      if (time_step > 0 && elapsed < std::chrono::seconds(1) && elapsed >= capture::Duration{}) {
        ++track->advances;
        track->ticks += static_cast<std::uint64_t>(time_step);
      }
    }
    if (!packet.is_auxiliary || track->packets == 0) track->last_timestamp = header.timestamp;
  }
  track->types_seen[header.payload_type >> 6] |= std::uint64_t{1} << (header.payload_type & 63);
  for (std::size_t i = 0; i < RtpTrack::type_slots; ++i) {
    if (track->types[i] < 0) track->types[i] = static_cast<std::int8_t>(header.payload_type);
    if (track->types[i] == static_cast<std::int8_t>(header.payload_type)) {
      ++track->type_packets[i];
      if (packet.is_auxiliary) track->auxiliary_types |= static_cast<std::uint8_t>(1u << i);
      break;
    }
  }
  ++track->packets;
  track->payload_bytes += packet.payload_bytes;
  track->markers += header.marker;
  track->last_time = packet.time;

  if (track->stream) return {track, false};
  if (!convincing(*track, context)) return {nullptr, false};
  ++accepted_;
  watch_timestamps(way, true);
  return {track, true};
}

}  // namespace callwitness::classify
