#include "metrics/meters/tcp.hpp"

#include <algorithm>

namespace callwitness::metrics {

namespace {
bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }
constexpr std::uint32_t largest_owed = 1U << 30;    // beyond, relative numbers would be ambiguous
constexpr std::uint32_t largest_jump = 64U << 20;   // beyond any window in flight: another connection, not a hole
}  // namespace

void TcpMeter::sample(Side& side, capture::Duration round_trip) {
  if (round_trip < capture::Duration::zero()) return;
  if (side.sample_count == 0 || round_trip < side.least) side.least = round_trip;
  if (side.sample_count++ % side.sample_stride != 0) return;
  auto& samples = side.samples;
  if (samples.size() == sample_limit) {
    for (std::size_t i = 0; i < sample_limit / 2; ++i) samples[i] = samples[2 * i];
    samples.resize(sample_limit / 2);
    side.sample_stride *= 2;
  }
  samples.push_back(static_cast<float>(capture::milliseconds(round_trip)));
}

/// Takes [begin, end) out of the holes; a sender may merge what it sends again, so that segments keep no borders. Returns the
/// bytes that arrive for the first time as far as the capture shows.
std::uint32_t TcpMeter::fill_holes(Side& side, std::uint32_t begin, std::uint32_t end) {
  std::uint32_t fresh = 0;
  for (std::uint8_t i = 0; i < side.hole_count;) {
    Hole& hole = side.flight->holes[i];
    const std::uint32_t from = before(begin, hole.begin) ? hole.begin : begin, to = before(hole.end, end) ? hole.end : end;
    if (!before(from, to)) {
      ++i;
      continue;
    }
    fresh += to - from;
    const Hole rest{to, hole.end};
    hole.end = from;
    if (rest.begin != rest.end) {
      if (hole.begin == hole.end) hole = rest;
      else if (side.hole_count < side.flight->holes.size()) side.flight->holes[side.hole_count++] = rest;
    }
    if (hole.begin == hole.end) hole = side.flight->holes[--side.hole_count];
    else ++i;
  }
  return fresh;
}

void TcpMeter::owe(Side& side, std::uint32_t begin, std::uint32_t end, capture::Time time) {
  ++side.unseen;
  if (side.owed.times == 0 || begin != side.owed.end || end - side.owed.begin >= largest_owed) side.owed = {begin, begin, 0, 0, time};
  side.owed.end = end;
  ++side.owed.times;
  side.owed.last = std::max(side.owed.last, time);
}

/// A segment that by its time was there before it was acknowledged, though the file shows it behind.
bool TcpMeter::pay(Side& side, std::uint32_t begin, std::uint32_t length, capture::Time time) {
  Owed& owed = side.owed;
  if (owed.times == 0 || time > owed.last || before(begin, owed.begin) || before(owed.end, begin + length)) return false;
  owed.filled = std::min(owed.filled + length, owed.end - owed.begin);
  return true;
}

/// What of it nobody ever showed.
std::uint64_t TcpMeter::unseen(const Side& side) {
  const std::uint32_t bytes = side.owed.end - side.owed.begin;
  if (side.owed.times == 0 || bytes == 0) return side.unseen;
  const auto shown = static_cast<std::uint64_t>(static_cast<double>(side.owed.times) * side.owed.filled / bytes + 0.5);
  return side.unseen - std::min(side.unseen, shown);
}

void TcpMeter::data(Side& side, classify::Way way, const capture::Datagram& datagram) {
  const auto& segment = *datagram.tcp;
  const std::uint32_t length = datagram.payload_length;
  const std::uint32_t begin = segment.sequence + (segment.syn() ? 1 : 0);
  const std::uint32_t end = begin + length;
  if (!side.started) {
    side.started = true;
    side.next = begin;
  }
  if (length == 0) return;
  if (!side.flight) side.flight = std::make_unique<Flight>();
  auto& [holes, all_pending] = *side.flight;
  const bool copy = begin == side.last_begin && length == side.last_length && datagram.ip_id == side.last_ip_id &&
                    datagram.ip_id != 0;
  side.last_begin = begin;
  side.last_length = length;
  side.last_ip_id = datagram.ip_id;
  if (copy && before(begin, side.next)) return;
  ++side.segments;
  if (!before(begin, side.next)) {
    if (begin != side.next && begin - side.next < largest_jump && side.hole_count < holes.size())
      holes[side.hole_count++] = {side.next, begin};
    side.next = end;
    side.payload_bytes += length;
    all_pending[side.next_pending] = {end, datagram.time, true};
    side.next_pending = static_cast<std::uint8_t>((side.next_pending + 1) % all_pending.size());
    return;
  }
  if (pay(side, begin, length, datagram.time)) {
    side.payload_bytes += length;
    return;
  }
  if (length == 1 && end == side.next) return;           // a keep-alive probe (RFC 9293 3.8.4), nothing was lost
  const std::uint32_t fresh = fill_holes(side, begin, end);
  const bool fills = fresh == length;
  side.payload_bytes += fresh;
  if (before(side.next, end)) {
    side.payload_bytes += end - side.next;
    side.next = end;
  }
  // Data sent once more, or for the first time in the capture though later data had passed: lost before or here.
  if (!fills) ++side.retransmissions;
  for (auto& pending : all_pending) pending.valid = false;   // Karn: what is acknowledged next is ambiguous
  if (losses_.size() < loss_limit)
    losses_.push_back({datagram.time, length, static_cast<Direction>(way), static_cast<std::uint32_t>(datagram.ordinal)});
}

void TcpMeter::acknowledge(Side& side, const capture::Datagram& datagram) {
  const std::uint32_t number = datagram.tcp->acknowledgement;
  if (!side.started) {
    side.started = true;
    side.next = number;
    return;
  }
  if (side.acknowledged && !before(side.highest_acknowledged, number)) return;
  side.acknowledged = true;
  side.highest_acknowledged = number;
  if (side.flight) {
    auto& [holes, all_pending] = *side.flight;
    for (auto& pending : all_pending) {
      if (!pending.valid || before(number, pending.end)) continue;
      if (pending.end == number) sample(side, datagram.time - pending.time);
      pending.valid = false;
    }
    for (std::uint8_t i = 0; i < side.hole_count;) {     // acknowledged although the capture never held it
      if (before(number, holes[i].end)) {
        ++i;
        continue;
      }
      owe(side, holes[i].begin, holes[i].end, datagram.time);
      holes[i] = holes[--side.hole_count];
    }
  }
  if (const std::uint32_t beyond = number - side.next; before(side.next, number) && beyond < largest_jump) {
    if (beyond > 1) owe(side, side.next, number, datagram.time);   // 1 may be the FIN
    side.next = number;
  }
}

void TcpMeter::add(classify::Way way, const capture::Datagram& datagram) {
  if (!datagram.tcp) return;
  const auto& segment = *datagram.tcp;
  Side& mine = sides_[static_cast<std::size_t>(way)];
  Side& other = sides_[static_cast<std::size_t>(opposite(way))];
  if (segment.syn() && mine.owed.times > 0 && datagram.time <= mine.owed.last) {   // its whole way stands behind the other in the file
    mine.unseen -= std::min(mine.unseen, mine.owed.times);
    mine.owed = {};
  }
  if (segment.syn() && !segment.ack()) {
    if (!syn_seen_ || !syn_answered_) syn_time_ = datagram.time;
    syn_seen_ = true;
    ++syn_count_;
    mine.started = true;
    mine.next = segment.sequence + 1;
    mine.hole_count = 0;
  } else if (segment.syn()) {
    if (syn_seen_ && !syn_answered_ && syn_count_ == 1) handshake_ = datagram.time - syn_time_;
    syn_answered_ = true;
    mine.started = true;
    mine.next = segment.sequence + 1;
  } else if (!segment.rst()) {
    if (syn_seen_ && way == classify::Way::backward) syn_answered_ = true;
    data(mine, way, datagram);
    if (segment.ack()) acknowledge(other, datagram);
  } else {
    syn_answered_ = true;
  }
}

TcpObservation TcpMeter::observation(bool turn, bool local_known) const {
  TcpObservation result;
  result.handshake_round_trip = handshake_;
  const auto median = [](std::vector<float> values) {
    if (values.empty()) return 0.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle / 1e3;
  };
  const double medians[2] = {median(sides_[0].samples), median(sides_[1].samples)};
  std::size_t asked = turn ? 1 : 0;
  if (!local_known || sides_[asked].samples.empty()) asked = medians[1] > medians[0] ? 1 : 0;
  if (!local_known || asked == (turn ? 1U : 0U)) {
    if (!sides_[asked].samples.empty()) {
      result.minimum_round_trip = sides_[asked].least;
      result.median_round_trip = capture::from_seconds(medians[asked]);
    }
  }
  for (std::size_t way = 0; way < 2; ++way) {
    const std::size_t direction = turn ? 1 - way : way;
    result.segments[direction] = sides_[way].segments;
    result.retransmissions[direction] = sides_[way].retransmissions;
    result.acknowledged_unseen[direction] = unseen(sides_[way]);
    result.payload_bytes[direction] = sides_[way].payload_bytes;
    for (std::uint8_t i = 0; i < sides_[way].hole_count; ++i) result.missing_bytes[direction] += sides_[way].flight->holes[i].end - sides_[way].flight->holes[i].begin;
  }
  result.syn_unanswered = syn_seen_ && !syn_answered_;
  result.unanswered = unanswered();
  result.losses = losses_;
  if (turn) for (auto& loss : result.losses) loss.direction = loss.direction == Direction::sent ? Direction::received : Direction::sent;
  return result;
}

}  // namespace callwitness::metrics
