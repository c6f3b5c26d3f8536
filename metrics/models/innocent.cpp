#include "metrics/models/innocent.hpp"

#include "metrics/models/loss_chain.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t fewest_timed = 50;           ///< packets with a sending time, for its covariates
constexpr float no_delay = -1e9F;

double logit(double p) {
  p = std::clamp(p, 1e-5, 1 - 1e-5);
  return std::log(p / (1 - p));
}

/// How many of the sorted bounds are at or below the value.
template <class Bounds>
std::size_t class_in(const Bounds& bounds, double value) {
  return static_cast<std::size_t>(std::upper_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

template <std::size_t N>
std::array<double, N> quantiles(std::vector<double> values, const std::array<double, N>& shares) {
  std::sort(values.begin(), values.end());
  std::array<double, N> found{};
  for (std::size_t k = 0; k < N; ++k) found[k] = values[std::min(values.size() - 1, static_cast<std::size_t>(shares[k] * static_cast<double>(values.size())))];
  return found;
}

/// Ranks of the delay of the packets that came just before and just after.
void add_delays(std::span<const PathPacket> packets, Covariates& to) {
  std::vector<double> delays;
  for (const auto& p : packets)
    if (!p.lost && p.is_sent_known()) delays.push_back(p.arrival - p.sent);
  if (delays.size() < fewest_timed) return;
  const auto bounds = quantiles(std::move(delays), std::array{0.2, 0.4, 0.6, 0.8});
  const auto before = to.add_columns(5, false), after = to.add_columns(5, false);
  const auto put = [&](std::uint32_t i, std::uint16_t first, double delay) {
    to.put(i, static_cast<std::uint16_t>(first + class_in(bounds, delay)), 1);
  };
  std::uint32_t since = 0;
  const PathPacket* last = nullptr;
  for (std::uint32_t i = 0; i < packets.size(); ++i) {
    if (last != nullptr) put(i, before, last->arrival - last->sent);
    if (packets[i].lost || !packets[i].is_sent_known()) continue;
    for (; since < i; ++since) put(since, after, packets[i].arrival - packets[i].sent);
    last = &packets[i];
  }
}

/// Bytes sent and not yet there when the packet was sent: a queue that is full holds the same each time, whatever its rate.
void add_flight(std::span<const PathPacket> packets, const Events& sent, Covariates& to) {
  std::vector<double> flight(packets.size(), 0), passed;
  double out = 0, in = 0;
  std::size_t arrived = 0, timed = 0;
  const auto counts = [](const PathPacket& p) { return !p.lost && p.is_sent_known(); };
  for (std::size_t k = 0; k < sent.size(); ++k) {
    const auto i = sent.packet[k];
    for (; arrived < packets.size() && packets[arrived].arrival <= sent.time[k]; ++arrived)
      if (counts(packets[arrived])) in += packets[arrived].bytes;
    flight[i] = std::max(0.0, out - in);
    passed.push_back(flight[i]);
    if (counts(packets[i])) out += packets[i].bytes, ++timed;
  }
  if (timed < fewest_timed) return;
  const auto bounds = quantiles(std::move(passed), std::array{0.5, 0.7, 0.8, 0.9, 0.95, 0.98});
  constexpr std::array of_last = {0.5, 0.8, 0.95};
  const auto above = to.add_columns(bounds.size(), false), beside = to.add_columns(of_last.size(), false);
  double at_loss = 0;
  for (std::size_t k = 0; k < sent.size(); ++k) {
    const auto i = sent.packet[k];
    if (const auto c = class_in(bounds, flight[i]); c > 0 && flight[i] > 0) to.put(i, static_cast<std::uint16_t>(above + c - 1), 1);
    if (at_loss > 0)
      if (const auto c = class_in(of_last, flight[i] / at_loss); c > 0) to.put(i, static_cast<std::uint16_t>(beside + c - 1), 1);
    if (packets[i].lost) at_loss = flight[i];
  }
}

/// A chain's forecasts, and averages that forget. Their coefficients may not be negative: innocent losses cluster, none repels
/// ("none for long, so one is due" would be a bucket's regularity).
void add_clustering(const Events& events, Covariates& to) {
  double likelihood = 0;
  const auto chain = forecast_losses(events, fit_chain(events), likelihood);
  constexpr std::array memories = {0.1, 0.5, 2.0, 8.0, 30.0};
  const auto first = to.add_columns(1 + memories.size(), true);
  double lost = 0, seen = 0;
  for (std::size_t i = 0; i < events.size(); ++i) lost += events.counted[i] ? events.lost[i] : 0, seen += events.counted[i];
  const double mean = std::clamp(lost / std::max(1.0, seen), 1e-4, 1 - 1e-4), usual = logit(mean);
  for (std::size_t i = 0; i < events.size(); ++i) to.put(events.packet[i], first, logit(chain[i]) - usual);
  for (std::size_t m = 0; m < memories.size(); ++m) {
    double decayed_lost = 0, decayed_seen = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const double kept = std::exp(-events.gap[i] / memories[m]);
      decayed_lost *= kept, decayed_seen *= kept;
      to.put(events.packet[i], static_cast<std::uint16_t>(first + 1 + m), logit((decayed_lost + mean) / (decayed_seen + 1)) - usual);
      if (events.counted[i]) decayed_seen += 1, decayed_lost += events.lost[i];
    }
  }
}

/// Gaps between arrivals against those between sendings, around each packet.
void add_gap_ratio(std::span<const PathPacket> packets, Covariates& to) {
  constexpr std::array bounds = {0.5, 1.5};
  constexpr double least_gap = 1e-3;
  const auto first = to.add_columns(bounds.size(), false);
  std::uint32_t since = 0;
  const PathPacket* last = nullptr;
  for (std::uint32_t i = 0; i < packets.size(); ++i) {
    const auto& p = packets[i];
    if (p.lost || !p.is_sent_known()) continue;
    if (last != nullptr && p.sent - last->sent > least_gap) {
      const auto c = class_in(bounds, (p.arrival - last->arrival) / (p.sent - last->sent));
      for (auto k = since; c > 0 && k <= i; ++k) to.put(k, static_cast<std::uint16_t>(first + c - 1), 1);
    }
    since = i + 1;
    last = &p;
  }
}

/// Where many arrivals come in batches: how many were sent since the last batch came.
void add_batches(std::span<const PathPacket> packets, const Events& sent, Covariates& to) {
  constexpr double many = 0.3, together = 0.2, least_gap = 5e-3;   // of arrivals; of the gap in which they were sent; seconds
  std::vector<double> batches;                                     // when their last packet came
  std::size_t in_batches = 0, arrivals = 0;
  const PathPacket* last = nullptr;
  bool within = false;
  for (const auto& p : packets) {
    if (p.lost || !p.is_sent_known()) continue;
    if (last != nullptr && p.sent - last->sent >= least_gap) {
      ++arrivals;
      const bool joins = p.arrival - last->arrival < together * (p.sent - last->sent);
      in_batches += joins;
      if (joins && within) batches.back() = p.arrival;
      else if (joins) batches.push_back(p.arrival);
      within = joins;
    }
    last = &p;
  }
  if (arrivals < fewest_timed || static_cast<double>(in_batches) < many * static_cast<double>(arrivals)) return;
  constexpr std::array bounds = {2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 13.0, 17.0};   // > 1 2 3 4 6 8 12 16
  const auto first = to.add_columns(bounds.size(), false);
  std::size_t batch = 0, count = 0;
  for (std::size_t k = 0; k < sent.size(); ++k) {
    for (; batch < batches.size() && batches[batch] <= sent.time[k]; ++batch) count = 0;
    ++count;
    if (const auto c = class_in(bounds, static_cast<double>(count)); c > 0) to.put(sent.packet[k], static_cast<std::uint16_t>(first + c - 1), 1);
  }
}

/// Streams that lose more than others do: each at random, or out of step with others in a bucket that they share.
void add_streams(std::span<const PathPacket> packets, Covariates& to) {
  constexpr std::size_t most_streams = 16;
  std::vector<std::uint16_t> streams;
  for (const auto& p : packets) {
    if (!p.numbered || std::find(streams.begin(), streams.end(), p.stream) != streams.end()) continue;
    if (streams.size() == most_streams) break;
    streams.push_back(p.stream);
  }
  if (streams.size() < 2) return;
  const auto first = to.add_columns(streams.size() - 1, false, true);   // the intercept is the first one's
  for (std::uint32_t i = 0; i < packets.size(); ++i) {
    const auto k = std::find(streams.begin(), streams.end(), packets[i].stream) - streams.begin();
    if (k > 0 && k < static_cast<std::ptrdiff_t>(streams.size())) to.put(i, static_cast<std::uint16_t>(first + k - 1), 1);
  }
}

}  // namespace

Covariates innocent_covariates(std::span<const PathPacket> packets) {
  Covariates covariates(packets.size());
  const auto sent = events_of(packets, Clock::sent);
  add_clustering(events_of(packets, Clock::arrival), covariates);
  add_delays(packets, covariates);
  add_flight(packets, sent, covariates);
  add_gap_ratio(packets, covariates);
  add_batches(packets, sent, covariates);
  add_streams(packets, covariates);
  return covariates;
}

}  // namespace callwitness::metrics::models
