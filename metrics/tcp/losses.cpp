#include "metrics/tcp/losses.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

namespace callwitness::metrics {
namespace {

constexpr std::uint32_t usual_segment = 1448;     // Ethernet less IP, TCP and timestamps
constexpr std::uint32_t largest_segment = 1460;
constexpr double usual_share = 0.02;
constexpr double shortest_reordering = 0.003;     // seconds
constexpr double sooner = 0.6;                    // of the least round trip: the answer was to the earlier transmission
constexpr std::size_t most_holes = 4'096;

/// The size that full segments have on the wire; offload shows several of them as one.
std::uint32_t segment_size(const std::vector<Segment>& segments) {
  std::map<std::uint32_t, std::size_t> counts;
  for (const auto& segment : segments)
    if (segment.payload <= largest_segment) ++counts[segment.payload];
  std::uint32_t best = usual_segment;
  std::size_t most = static_cast<std::size_t>(usual_share * static_cast<double>(segments.size()));
  for (const auto& [size, count] : counts)
    if (count > most) {
      best = size;
      most = count;
    }
  return best;
}

class Reader {
 public:
  Reader(const SegmentRecord& record, Time origin, std::optional<Duration> round_trip)
      : record_(record), segments_(record.segments), offset_(capture::seconds(record.start - origin)),
        size_(segment_size(record.segments)) {
    reordering_ = std::max(shortest_reordering, round_trip ? 0.5 * capture::seconds(*round_trip) : 0);
    lost_.assign(segments_.size(), 0);
    least_delay_ = least_delay(segments_);
    for (std::size_t i = 0; i < segments_.size(); ++i) read(i);
  }
  TcpTransfer transfer() const;

 private:
  struct Hole { std::uint32_t end; std::size_t after, opened; };   ///< the segments captured on either side
  struct Missing { std::size_t after, before; std::uint32_t bytes; };   ///< lost between these two segments

  double time(std::size_t i) const { return offset_ + segments_[i].time * 1e-5; }
  float ip_bytes(std::uint32_t payload) const {
    const std::uint32_t parts = payload == 0 ? 0 : (payload + size_ - 1) / size_;
    return static_cast<float>(payload + parts * record_.header_bytes);
  }
  static std::uint32_t least_delay(const std::vector<Segment>& segments);
  void read(std::size_t i);
  bool fill(std::size_t i);
  void repeat(std::size_t i);
  std::vector<float> queueing() const;
  double usual_gap() const;

  const SegmentRecord& record_;
  const std::vector<Segment>& segments_;
  double offset_, reordering_ = 0;
  std::uint32_t size_;
  std::uint32_t next_ = 0, least_delay_ = 0;
  std::vector<std::uint32_t> firsts_;                        ///< indices of first transmissions, begin ascending
  std::unordered_map<std::uint32_t, std::uint32_t> again_;   ///< begin → newest repetition
  std::map<std::uint32_t, Hole> holes_;
  std::vector<std::uint32_t> lost_;                          ///< payload bytes of each that didn't arrive
  std::vector<bool> repeated_ = std::vector<bool>(segments_.size(), false);
  std::vector<Missing> missing_;
};

/// Of what was sent for the first time, 0.1 ms; 0: unknown.
std::uint32_t Reader::least_delay(const std::vector<Segment>& segments) {
  std::uint32_t next = 0, least = 0;
  for (const auto& segment : segments) {
    if (segment.begin < next) continue;
    next = segment.begin + segment.payload;
    if (segment.delay > 0 && (least == 0 || segment.delay < least)) least = segment.delay;
  }
  return least;
}

/// True when it fills a hole: data that the capture sees for the first time, though later data had passed.
bool Reader::fill(std::size_t i) {
  const auto& segment = segments_[i];
  const std::uint32_t end = segment.begin + segment.payload;
  auto hole = holes_.upper_bound(segment.begin);
  if (hole == holes_.begin()) return false;
  --hole;
  if (hole->second.end < end) return false;
  const Hole found = hole->second;
  const std::uint32_t from = hole->first;
  holes_.erase(hole);
  if (from < segment.begin) holes_[from] = {segment.begin, found.after, found.opened};
  if (end < found.end) holes_[end] = found;
  if (time(i) - time(found.opened) >= reordering_) missing_.push_back({found.after, found.opened, segment.payload});
  return true;
}

/// Sent again: what it repeats was lost behind the capture, unless the answer came too soon to be this one's.
void Reader::repeat(std::size_t i) {
  const auto& segment = segments_[i];
  repeated_[i] = true;
  if (segment.delay > 0 && segment.delay < sooner * least_delay_) return;
  const std::uint32_t end = segment.begin + segment.payload;
  for (std::uint32_t at = segment.begin; at < end;) {
    std::uint32_t index = 0;
    if (const auto again = again_.find(at); again != again_.end()) {
      index = again->second;
    } else {
      const auto after = std::upper_bound(firsts_.begin(), firsts_.end(), at, [&](std::uint32_t value, std::uint32_t which) { return value < segments_[which].begin; });
      if (after == firsts_.begin()) break;
      index = *std::prev(after);
    }
    const auto& earlier = segments_[index];
    const std::uint32_t reach = std::min(end, earlier.begin + earlier.payload);
    if (reach <= at) break;
    lost_[index] = std::min<std::uint32_t>(earlier.payload, lost_[index] + reach - at);
    at = reach;
  }
  again_[segment.begin] = static_cast<std::uint32_t>(i);
}

void Reader::read(std::size_t i) {
  const auto& segment = segments_[i];
  const std::uint32_t end = segment.begin + segment.payload;
  if (segment.begin >= next_) {
    if (segment.begin > next_ && i > 0 && holes_.size() < most_holes) holes_[next_] = {segment.begin, firsts_.back(), i};
    firsts_.push_back(static_cast<std::uint32_t>(i));
    next_ = end;
    return;
  }
  if (!fill(i)) repeat(i);
  next_ = std::max(next_, end);
}

/// The usual gap between one segment and the next.
double Reader::usual_gap() const {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < segments_.size(); ++i) gaps.push_back(time(i) - time(i - 1));
  return std::max(0.0, median(std::move(gaps)));
}

/// A segment's own round trip: acknowledged before anything was repeated, or the hole before it would be measured.
std::vector<float> Reader::queueing() const {
  std::vector<float> result(segments_.size(), -1);
  double next_repeat = 1e18, least = 1e18;
  for (std::size_t i = segments_.size(); i-- > 0;) {
    if (repeated_[i]) next_repeat = time(i);
    const double delay = segments_[i].delay * 1e-4;
    if (segments_[i].delay == 0 || repeated_[i] || lost_[i] > 0 || time(i) + delay >= next_repeat) continue;
    result[i] = static_cast<float>(delay);
    least = std::min(least, delay);
  }
  for (auto& delay : result)
    if (delay >= 0) delay -= static_cast<float>(least);
  return result;
}

TcpTransfer Reader::transfer() const {
  TcpTransfer transfer;
  transfer.packet_bytes = static_cast<double>(ip_bytes(size_));
  std::size_t behind = 0;
  for (const auto bytes : lost_) behind += bytes > 0 ? 1 : 0;
  transfer.viewpoint = missing_.size() > behind ? Viewpoint::after_losses : Viewpoint::before_losses;
  auto missing = missing_;
  std::stable_sort(missing.begin(), missing.end(), [](const Missing& a, const Missing& b) { return a.before < b.before; });
  const auto delays = queueing();
  // What is missing came after the last one that arrived in order, as closely as they usually follow each other: what a
  // burst loses is its tail, and the next arrival may be a round trip later.
  const double gap = usual_gap();
  const bool before = transfer.viewpoint == Viewpoint::before_losses;
  std::size_t place = 0;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const auto& segment = segments_[i];
    if (!before)
      for (; place < missing.size() && missing[place].before == i; ++place) {
        const double last = time(missing[place].after);
        transfer.packets.push_back({last + std::min(gap, (time(i) - last) / 2), 0, ip_bytes(missing[place].bytes), -1, segment.ordinal});
        ++transfer.losses;
      }
    const std::uint32_t lost = before ? lost_[i] : 0;
    transfer.packets.push_back({time(i), ip_bytes(segment.payload - lost), lost > 0 ? ip_bytes(lost) : 0, before ? delays[i] : -1, segment.ordinal});
    transfer.losses += lost > 0 ? 1 : 0;
  }
  std::stable_sort(transfer.packets.begin(), transfer.packets.end(), [](const TcpPacket& a, const TcpPacket& b) { return a.time < b.time; });
  return transfer;
}

}  // namespace

TcpTransfer transfer_of(const SegmentRecord& record, Time origin, std::optional<Duration> round_trip) {
  return Reader(record, origin, round_trip).transfer();
}

}  // namespace callwitness::metrics
