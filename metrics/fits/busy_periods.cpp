#include "metrics/fits/busy_periods.hpp"

#include "metrics/meters/delay.hpp"
#include "metrics/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::size_t least_clocked = 100;
constexpr double least_delay_ms = 20;      ///< of every voice packet of a period: the queue was never empty in between
constexpr double longest_gap_s = 0.1;      ///< between two of them: a queue may have run empty in a longer silence
constexpr double least_period_s = 0.1, piece_s = 0.25;
constexpr double least_busy_s = 3;
constexpr std::size_t least_pieces = 8;
constexpr double leeway = 0.025, timing_s = 0.003;   ///< of a piece's rate: of itself, and for timers at its two ends
constexpr double most = 0.7;              ///< of the busy time must drain at the rate: jitter moves the ends of pieces
constexpr double steadier = 0.35;          ///< than it was sent, so many times: else it is the sender's own rate
constexpr double telling_delay_ms = 60;
constexpr double window_s = 2, clearly_more = 1.1, most_beyond = 0.05;

struct Piece { double begin = 0, end = 0, media_s = 0, bits = 0; };

/// Bits that arrived up to and with each packet; lost ones have not.
class Arrived {
 public:
  explicit Arrived(std::span<const ArmPacket> packets) {
    for (const auto& packet : packets) {
      if (packet.lost) continue;
      sum_ += 8 * packet.bytes;
      upto_.emplace(packet.ordinal, sum_);
    }
  }
  std::optional<double> upto(std::uint32_t ordinal) const {
    const auto found = upto_.find(ordinal);
    return found == upto_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  double sum_ = 0;
  std::map<std::uint32_t, double> upto_;
};

/// The pieces of one period; the rest of it that is too short for one goes with the one before.
void cut(std::span<const ClockedPacket> period, const Arrived& arrived, std::vector<Piece>& pieces) {
  const std::size_t first = pieces.size();
  std::size_t from = 0;
  for (std::size_t i = 1; i < period.size(); ++i) {
    const bool last = i + 1 == period.size();
    if (period[i].arrival - period[from].arrival < piece_s && !last) continue;
    const auto before = arrived.upto(period[from].ordinal), after = arrived.upto(period[i].ordinal);
    if (!before || !after) continue;
    Piece piece{period[from].arrival, period[i].arrival, period[i].media - period[from].media, *after - *before};
    if (last && piece.end - piece.begin < piece_s && pieces.size() > first) {
      auto& newest = pieces.back();
      newest.end = piece.end, newest.media_s += piece.media_s, newest.bits += piece.bits;
    } else {
      pieces.push_back(piece);
    }
    from = i;
  }
}

/// Share of the windows in which clearly more passed than the rate lets: then it is no limit.
double share_beyond(std::span<const ArmPacket> packets, double rate_bps) {
  std::vector<double> bits;
  double largest = 0;
  for (const auto& packet : packets) {
    const auto window = static_cast<std::size_t>((packet.time - packets.front().time) / window_s);
    if (packet.lost) continue;
    if (window >= bits.size()) bits.resize(window + 1);
    bits[window] += 8 * packet.bytes;
    largest = std::max(largest, 8 * packet.bytes);
  }
  if (bits.empty()) return 0;
  const auto over = std::count_if(bits.begin(), bits.end(), [&](double some) { return some > clearly_more * rate_bps * window_s + largest; });
  return static_cast<double>(over) / static_cast<double>(bits.size());
}

}  // namespace

std::vector<ClockedPacket> clocked_packets(const Observation& observation, const FlowObservation& flow, const Arm& arm) {
  if (arm.streams.size() < 2) return {};
  struct Voice { std::vector<ClockedPacket> packets; std::uint32_t last_ticks = 0; double media = 0; };
  std::map<std::uint16_t, Voice> voices;
  for (const auto& packet : flow.trace) {
    if (packet.direction != arm.direction || packet.duplicate || !packet.has_media_time || packet.stream >= observation.streams.size()) continue;
    const double clock = observation.streams[packet.stream].clock_rate_hz;
    if (clock <= 0 || observation.classification->streams[packet.stream].kind != classify::MediaKind::audio) continue;
    auto& voice = voices[packet.stream];
    if (!voice.packets.empty()) voice.media += static_cast<std::int32_t>(packet.media_time - voice.last_ticks) / clock;
    voice.last_ticks = packet.media_time;
    voice.packets.push_back({capture::seconds(packet.time - observation.first_time), voice.media, 0, packet.ordinal});
  }
  const auto busiest = std::max_element(voices.begin(), voices.end(), [](const auto& a, const auto& b) { return a.second.packets.size() < b.second.packets.size(); });
  if (busiest == voices.end() || busiest->second.packets.size() < least_clocked) return {};
  auto packets = std::move(busiest->second.packets);
  std::vector<Transit> transits;
  transits.reserve(packets.size());
  for (const auto& packet : packets) transits.push_back({packet.arrival, packet.arrival - packet.media});
  const auto delays = delays_ms(transits, clock_skew(transits));
  for (std::size_t i = 0; i < packets.size(); ++i) packets[i].delay_ms = static_cast<double>(delays[i]);
  return packets;
}

std::optional<BusyFit> fit_busy_periods(std::span<const ArmPacket> packets, std::span<const ClockedPacket> clocked) {
  const auto later = [](const ClockedPacket& a, const ClockedPacket& b) { return a.arrival < b.arrival; };
  if (packets.empty() || clocked.size() < least_clocked || !std::is_sorted(clocked.begin(), clocked.end(), later)) return std::nullopt;   // no clock that stepped back
  const Arrived arrived(packets);
  BusyFit fit;
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < clocked.size();) {
    std::size_t end = i;
    while (end < clocked.size() && clocked[end].delay_ms >= least_delay_ms && (end == i || clocked[end].arrival - clocked[end - 1].arrival <= longest_gap_s)) ++end;
    if (end - i >= 2 && clocked[end - 1].arrival - clocked[i].arrival >= least_period_s) {
      cut(clocked.subspan(i, end - i), arrived, pieces);
      fit.periods.push_back({clocked[i].arrival, clocked[end - 1].arrival});
      for (std::size_t k = i; k < end; ++k) fit.longest_delay_ms = std::max(fit.longest_delay_ms, clocked[k].delay_ms);
    }
    i = std::max(end, i + 1);
  }
  std::erase_if(pieces, [](const Piece& piece) { return piece.end <= piece.begin || piece.media_s <= 0; });
  for (const auto& piece : pieces) fit.busy_s += piece.end - piece.begin;
  if (pieces.size() < least_pieces || fit.busy_s < least_busy_s) return std::nullopt;
  std::vector<double> rates;
  for (const auto& piece : pieces) rates.push_back(piece.bits / (piece.end - piece.begin));
  const double usual = median(rates);
  if (usual <= 0) return std::nullopt;
  std::vector<double> drained, sent;                     // of the pieces that drain at the rate
  double bits = 0, seconds = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const double length = pieces[i].end - pieces[i].begin;
    if (std::abs(rates[i] / usual - 1) > leeway + timing_s / length) continue;
    bits += pieces[i].bits, seconds += length;
    drained.push_back(rates[i]), sent.push_back(pieces[i].bits / pieces[i].media_s);
    if (!fit.drained.empty() && fit.drained.back().end == pieces[i].begin) fit.drained.back().end = pieces[i].end;
    else fit.drained.push_back({pieces[i].begin, pieces[i].end});
  }
  if (drained.size() < least_pieces) return std::nullopt;
  fit.at_rate = seconds / fit.busy_s;
  fit.rate_bps = bits / seconds;
  fit.drained_cv = standard_deviation(drained) / mean(drained);
  fit.sent_cv = standard_deviation(sent) / mean(sent);
  const double half = std::max(0.005, 2.5 * fit.drained_cv / std::sqrt(static_cast<double>(drained.size())));
  fit.rate_low = fit.rate_bps * (1 - half);
  fit.rate_high = fit.rate_bps * (1 + half);
  fit.beyond = share_beyond(packets, fit.rate_bps);
  fit.mechanism = fit.at_rate >= most && fit.drained_cv <= steadier * fit.sent_cv && fit.longest_delay_ms >= telling_delay_ms && fit.beyond <= most_beyond;
  return fit;
}

}  // namespace callwitness::metrics
