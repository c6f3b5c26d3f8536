#include "metrics/models/loss_cause.hpp"

#include "metrics/models/fill_forecast.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace callwitness::metrics::models {
namespace {

constexpr std::array bucket_steps = {-0.1F, 0.1F, 0.6F, 1.5F};   ///< of z: below each, a packet is likelier lost

struct BucketValues { std::vector<float> z; std::vector<double> forecast; };   // by packet

BucketValues bucket_values(const Events& events, const Bucket& bucket) {
  BucketValues values{std::vector<float>(events.size(), unknown_tokens), std::vector<double>(events.size(), 0)};
  walk(events, bucket, [&](std::size_t i, float z, bool) { values.z[events.packet[i]] = z; });
  const auto forecast = forecast_losses(events, bucket);
  for (std::size_t i = 0; i < events.size(); ++i) values.forecast[events.packet[i]] = forecast[i];
  return values;
}

/// Columns of the innocents first, then the bucket's.
Design design_of(std::span<const PathPacket> packets, const Covariates& innocents, const BucketValues& bucket) {
  Design design;
  for (std::size_t c = 0; c < innocents.columns(); ++c) design.add_column(innocents.is_non_negative(c));
  std::array<std::uint16_t, bucket_steps.size()> steps{};
  for (auto& column : steps) column = design.add_column(true);
  const auto fill = design.add_column(true);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (!packets[i].numbered) continue;
    design.begin_row(packets[i].lost);
    for (const auto& value : innocents.of(i)) design.put(value.column, static_cast<double>(value.value));
    for (std::size_t k = 0; k < steps.size(); ++k) design.put(steps[k], bucket.z[i] < bucket_steps[k] ? 1 : 0);
    const double p = std::clamp(bucket.forecast[i], 1e-6, 1 - 1e-6);
    design.put(fill, std::clamp(std::log(p / (1 - p)) + 4, 0.0, 9.0));
  }
  return design;
}

/// Packets overtook one another on the way, by more than those of a video frame may: arrivals say nothing of when a bucket met them.
bool came_out_of_order(std::span<const PathPacket> packets) {
  constexpr double least_s = 0.005, many = 0.01;
  std::size_t late = 0, all = 0;
  std::map<std::uint16_t, double> newest;   // of each stream: what is sent again carries the time of its first sending
  for (const auto& p : packets) {
    if (p.lost || !p.is_sent_known()) continue;
    const auto [last, first] = newest.try_emplace(p.stream, p.sent);
    late += !first && p.sent < last->second - least_s;
    last->second = std::max(last->second, p.sent);
    ++all;
  }
  return static_cast<double>(late) > many * static_cast<double>(all);
}

}  // namespace

LossCause weigh_losses(std::span<const PathPacket> packets, const BucketFit* known) {
  LossCause cause;
  const auto by_arrival = events_of(packets, Clock::arrival), by_sending = events_of(packets, Clock::sent);
  const auto fit = [&](const Events& events) { return known != nullptr ? refine(events, known->bucket) : find_bucket(events); };
  cause.bucket = fit(by_arrival);
  const bool timed = std::any_of(packets.begin(), packets.end(), [](const PathPacket& p) { return p.is_sent_known(); });
  if (timed)
    if (const auto other = fit(by_sending); other.score > cause.bucket.score || came_out_of_order(packets)) cause.bucket = other, cause.clock = Clock::sent;
  if (!cause.bucket) return cause;
  const auto& events = cause.clock == Clock::sent ? by_sending : by_arrival;
  const auto counts = count_classes(events, cause.bucket.bucket);
  cause.lost_if_short = counts.seen[0] > 0 ? counts.lost[0] / counts.seen[0] : 1;
  const auto innocents = innocent_covariates(packets);
  const auto design = design_of(packets, innocents, bucket_values(events, cause.bucket.bucket));
  std::vector<bool> every(design.columns(), true), only_innocents = every, only_bucket = every;
  for (std::size_t c = 0; c < design.columns(); ++c) {
    if (c >= innocents.columns()) only_innocents[c] = false;
    else if (!innocents.is_of_all(c)) only_bucket[c] = false;
  }
  const auto innocent = Regression::fit(design, only_innocents), bucket = Regression::fit(design, only_bucket);
  const auto both = Regression::fit(design, every, bucket.log_likelihood > innocent.log_likelihood ? &bucket : &innocent);
  for (const auto& p : packets) cause.losses += p.numbered && p.lost;
  cause.packets = design.rows();
  cause.innocent = innocent.log_likelihood;
  cause.margin = bucket.log_likelihood - innocent.log_likelihood;
  cause.gain = both.log_likelihood - innocent.log_likelihood - 3.5 * std::log(static_cast<double>(std::max<std::size_t>(2, design.rows())));
  cause.share = innocent.log_likelihood < 0 ? 1 - both.log_likelihood / innocent.log_likelihood : 0;
  return cause;
}

}  // namespace callwitness::metrics::models
