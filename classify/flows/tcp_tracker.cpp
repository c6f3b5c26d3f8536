#include "classify/flows/tcp_tracker.hpp"

#include <cstdlib>

namespace callwitness::classify {
namespace {

// An IP-ID this far from its way's last one was not counted by the same host.
constexpr int ip_id_far = 2000;

std::size_t index(Way way) { return static_cast<std::size_t>(way); }

/// A reset against which nothing speaks: numbered and from as far as its way's segments, none of which followed it.
bool is_plain(const Reset& reset) {
  constexpr int telling_hops = 3;
  const bool as_far = reset.flow_time_to_live == 0 || std::abs(int{reset.time_to_live} - int{reset.flow_time_to_live}) < telling_hops;
  return as_far && reset.sequence_offset == 0 && reset.segments_after == 0 && !reset.bad_checksum && !reset.ip_id_outlier;
}

}  // namespace

bool is_client_hello(Bytes payload) {
  return payload.size() >= 6 && payload[0] == 22 && payload[1] == 3 && payload[5] == 1;
}

bool is_tls_alert(Bytes payload) {
  return payload.size() >= 7 && payload[0] == 21 && payload[1] == 3 && payload[3] == 0 && payload[4] <= 64;
}

bool TcpTracker::superseded_by(Way way, const Datagram& datagram) const {
  if (!datagram.tcp || !datagram.tcp->syn() || datagram.tcp->ack()) return false;
  const Side& side = sides_[index(way)];
  const bool over = reset() || fin() || datagram.time - side.last_time > std::chrono::minutes(2);
  return established_ && over && !(side.syn && side.initial == datagram.tcp->sequence);
}

TcpTracker::Observed TcpTracker::on_segment(const Flow& flow, Way way, const Datagram& datagram,
                                            std::vector<Reset>& resets) {
  Observed observed;
  const auto& segment = *datagram.tcp;
  Side& side = sides_[index(way)];
  Side& other = sides_[index(opposite(way))];
  if (segment.rst()) {
    note_reset(flow, way, datagram, resets);
    closed_at_ = datagram.time;
    if (!goodbye_) goodbye_ = datagram.time;
    return observed;
  }
  if (datagram.payload_length > 0) {
    for (const auto at : own_resets_) {
      Reset& reset = resets[at];
      if (reset.way == way && reset.segments_after < 0xffff) ++reset.segments_after;
    }
  }
  if (segment.syn() && !segment.ack()) {
    syn_time_ = datagram.time;
    handshake_told_ = false;
  } else if (segment.syn()) {
    if (other.syn && !syn_ack_way_) {
      observed.round_trip = RoundTrip{flow.id, datagram.time, datagram.time - syn_time_, RoundTripBasis::tcp_handshake,
                                      opposite(way)};
      observed.turn_around = {way, datagram.time - syn_time_};
    }
    syn_ack_way_ = way;
    syn_ack_time_ = datagram.time;
  } else if (syn_ack_way_ && *syn_ack_way_ != way && !handshake_told_ && segment.ack()) {
    handshake_told_ = established_ = true;
    observed.turn_around = {way, datagram.time - syn_ack_time_};
    observed.round_trip = RoundTrip{flow.id, datagram.time, datagram.time - syn_ack_time_,
                                    RoundTripBasis::tcp_handshake, *syn_ack_way_};
  } else if (datagram.payload_length > 0 && other.data_segments > 0) {
    established_ = true;
  }
  side.good_checksums += segment.checksum == capture::Checksum::good ? 1 : 0;
  side.bad_checksums += segment.checksum == capture::Checksum::bad ? 1 : 0;
  if (segment.syn()) {
    side.syn = true;
    side.initial = segment.sequence;
  }
  const std::uint32_t length = datagram.payload_length + (segment.syn() ? 1u : 0u) + (segment.fin() ? 1u : 0u);
  const std::uint32_t end = segment.sequence + length;
  if (!side.known || segment.syn() || static_cast<std::int32_t>(end - side.next) > 0) side.next = end;
  side.known = true;
  note_round_trip(way, datagram);
  if (datagram.payload_length > 0) {
    ++side.data_segments;
    side.client_hello_last = is_client_hello(datagram.payload);
    if (is_tls_alert(datagram.payload)) {
      close_notify_ = true;
      if (!goodbye_) goodbye_ = datagram.time;
    }
  }
  if (segment.fin()) {
    side.fin = true;
    closed_at_ = datagram.time;
  }
  if (side.segments > 0) {
    const int step = static_cast<std::int16_t>(datagram.ip_id - side.ip_id);
    ++(std::abs(step) <= ip_id_far ? side.ip_id_steps : side.ip_id_jumps);
  }
  if (datagram.ip_id == 0) ++side.ip_id_zero;
  side.ip_id = datagram.ip_id;
  if (side.time_to_live_votes == 0) side.time_to_live = datagram.time_to_live;
  side.time_to_live_votes += side.time_to_live == datagram.time_to_live ? 1u : ~0u;
  ++side.segments;
  side.last_time = datagram.time;
  return observed;
}

void TcpTracker::note_round_trip(Way way, const Datagram& datagram) {
  Side& side = sides_[index(way)];
  Side& other = sides_[index(opposite(way))];
  const auto& segment = *datagram.tcp;
  if (segment.ack() && other.probe && static_cast<std::int32_t>(segment.acknowledgement - *other.probe) >= 0) {
    const Duration taken = datagram.time - other.probe_time;
    if (taken > Duration{} && (!other.minimum_round_trip || taken < *other.minimum_round_trip)) other.minimum_round_trip = taken;
    other.probe.reset();
  }
  // Karn's rule: only new data is timed.
  const bool carries = datagram.payload_length > 0 || segment.syn();
  const std::uint32_t end = segment.sequence + datagram.payload_length + (segment.syn() ? 1u : 0u);
  if (carries && !side.probe && end == side.next) {
    side.probe = end;
    side.probe_time = datagram.time;
  }
}

void TcpTracker::note_reset(const Flow& flow, Way way, const Datagram& datagram, std::vector<Reset>& resets) {
  if (own_resets_.size() >= reset_limit) return;
  const Side& side = sides_[index(way)];
  const Side& other = sides_[index(opposite(way))];
  Reset reset;
  reset.flow = flow.id;
  reset.way = way;
  reset.time = datagram.time;
  reset.ordinal = datagram.ordinal;
  reset.sequence = datagram.tcp->sequence;
  // Where nothing of that way was seen, the opposite's acknowledgement would tell; without it: exact by default.
  if (side.known) reset.sequence_offset = static_cast<std::int32_t>(datagram.tcp->sequence - side.next);
  reset.time_to_live = datagram.time_to_live;
  reset.flow_time_to_live = side.segments > 0 ? side.time_to_live : 0;
  reset.ip_id = datagram.ip_id;
  // Hosts that count or send zeros can be told from a stranger; hosts that draw at random can't. Zero is honest: it is
  // what closed ports answer with.
  const bool counts = side.segments >= 4 && side.ip_id_jumps == 0 && side.ip_id_zero < side.segments;
  const bool zeros = side.segments >= 4 && side.ip_id_zero == side.segments;
  const int step = static_cast<std::int16_t>(datagram.ip_id - side.ip_id);
  reset.ip_id_outlier = datagram.ip_id != 0 && ((counts && std::abs(step) > ip_id_far) || zeros);
  reset.after_client_hello = other.client_hello_last && side.data_segments == 0;
  if (other.segments > 0) reset.since_trigger = datagram.time - other.last_time;
  reset.minimum_round_trip = other.minimum_round_trip;
  reset.closing = fin() || close_notify_;
  reset.bad_checksum = datagram.tcp->checksum == capture::Checksum::bad && side.good_checksums > 0 && side.bad_checksums == 0;
  for (const auto at : own_resets_) reset.after_reset = reset.after_reset || is_plain(resets[at]);
  own_resets_.push_back(static_cast<std::uint32_t>(resets.size()));
  resets.push_back(reset);
}

}  // namespace callwitness::classify
