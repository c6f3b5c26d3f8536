#include "capture/decoding/reassembly.hpp"

namespace callwitness::capture {

namespace {
constexpr std::size_t most_pending = 1024, most_memory = std::size_t{8} << 20, most_pieces = 256;
constexpr std::uint32_t largest_datagram = 65'535;
/// Linux and RFC 8200 4.5 wait 30 s and 60 s; a later piece of the same number belongs to another datagram.
constexpr Duration longest_wait = std::chrono::seconds(30);
constexpr std::size_t overhead = 128;   // of a piece, beside its bytes
}  // namespace

void Reassembly::forget(std::map<Key, Pending>::iterator entry) {
  for (const Range& range : entry->second.ranges) memory_ -= range.captured.size() + overhead;
  by_age_.erase(entry->second.age);
  pending_.erase(entry);
}

void Reassembly::make_room(Time now, std::size_t size) {
  while (!by_age_.empty()) {
    const auto oldest = pending_.find(by_age_.begin()->second);
    const Time began = oldest->second.first_time;
    const bool stale = now < began || now - longest_wait > began;
    if (!stale && pending_.size() < most_pending && memory_ + size <= most_memory) return;
    anomalies_.count("fragments_incomplete");
    forget(oldest);
  }
}

std::optional<Reassembly::Whole> Reassembly::add(const Piece& piece) {
  const std::uint32_t begin = piece.offset, end = piece.offset + piece.payload.wire;
  if (piece.payload.wire == 0 || end > largest_datagram || (piece.more && piece.payload.wire % 8 != 0)) {
    anomalies_.count("fragment_bad");
    return std::nullopt;
  }
  make_room(piece.time, piece.payload.bytes.size() + overhead);
  const Key key{piece.header.source, piece.header.destination, piece.id, piece.header.protocol};
  auto [entry, created] = pending_.try_emplace(key);
  Pending& pending = entry->second;
  if (created) {
    pending.first_time = piece.time;
    pending.age = next_age_++;
    by_age_.emplace(pending.age, key);
  }
  auto place = std::find_if(pending.ranges.begin(), pending.ranges.end(),
                            [&](const Range& range) { return range.end > begin; });
  if (place != pending.ranges.end() && place->begin < end) {
    // The same piece again is a duplicate; any other overlap is what RFC 5722 forbids and attackers try.
    const bool same = place->begin == begin && place->end == end;
    anomalies_.count(same ? "fragment_duplicate" : "fragment_overlap");
    if (!same) forget(entry);
    return std::nullopt;
  }
  if (pending.ranges.size() >= most_pieces || (!piece.more && pending.end && *pending.end != end) ||
      (pending.end && end > *pending.end)) {
    anomalies_.count("fragment_bad");
    forget(entry);
    return std::nullopt;
  }
  if (!piece.more) pending.end = end;
  if (begin == 0) pending.header = piece.header;
  pending.ip_length += piece.header.ip_length;
  memory_ += piece.payload.bytes.size() + overhead;
  pending.ranges.insert(place, Range{begin, end, {piece.payload.bytes.begin(), piece.payload.bytes.end()}});
  return complete(entry);
}

std::optional<Reassembly::Whole> Reassembly::complete(std::map<Key, Pending>::iterator entry) {
  Pending& pending = entry->second;
  if (!pending.end) return std::nullopt;
  std::uint32_t reached = 0;
  for (const Range& range : pending.ranges) {
    if (range.begin != reached) return std::nullopt;
    reached = range.end;
  }
  if (reached != *pending.end) return std::nullopt;
  whole_.clear();
  for (const Range& range : pending.ranges) {
    whole_.insert(whole_.end(), range.captured.begin(), range.captured.end());
    if (range.captured.size() < range.end - range.begin) break;   // what follows a hole is of no use
  }
  Whole whole{pending.header, {whole_, *pending.end}};
  whole.header.ip_length = pending.ip_length;
  whole.header.fragmented = true;
  forget(entry);
  return whole;
}

}  // namespace callwitness::capture
