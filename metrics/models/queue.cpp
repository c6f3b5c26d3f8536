#include "metrics/models/queue.hpp"

#include "metrics/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace callwitness::metrics::models {
namespace {

constexpr std::size_t most_packets = 6000, search_packets = 2000;
constexpr std::size_t fewest_packets = 50;
constexpr double stays = 0.95;                    ///< a hidden state, from packet to packet
constexpr double laplace = 0.97, window_s = 2;    ///< the rest is uniform over ±1 s
constexpr double least_scale = 5e-5;              ///< seconds
constexpr std::size_t in_row = 8;                 ///< packets over which a standing queue's rate is first guessed
enum State : std::size_t { correlated, own_pace, path_pace, batch, queue, states };

/// An arrival and what came before it.
struct Arrival {
  double time, sent, bytes;
  double before = 0;               ///< the path's last arrival
  double by_own = 0, by_path = 0;  ///< arrival, if as late as the last of its stream, of the path
  double late_before = 0;          ///< how late the last of its stream was
  bool told = false;               ///< evidence
};

std::vector<Arrival> arrivals_of(std::span<const PathPacket> packets) {
  std::vector<Arrival> arrivals;
  std::vector<std::pair<std::uint16_t, const PathPacket*>> last_of;   // few streams
  const PathPacket *last = nullptr, *last_timed = nullptr;
  for (const auto& p : packets) {
    if (p.lost) continue;
    Arrival a{p.arrival, p.sent, p.bytes};
    if (last != nullptr) a.before = last->arrival;
    auto own = std::find_if(last_of.begin(), last_of.end(), [&](const auto& entry) { return entry.first == p.stream; });
    if (p.is_sent_known() && own != last_of.end()) {
      a.told = true;
      a.late_before = own->second->arrival - own->second->sent;
      a.by_own = p.sent + a.late_before;
      a.by_path = p.sent + last_timed->arrival - last_timed->sent;
    }
    if (p.is_sent_known()) {
      last_timed = &p;
      if (own != last_of.end()) own->second = &p;
      else if (last_of.size() < 64) last_of.emplace_back(p.stream, &p);
    }
    last = &p;
    arrivals.push_back(a);
  }
  return arrivals;
}

double mean_of(std::span<const Arrival> arrivals) {
  double bytes = 0;
  for (const auto& a : arrivals) bytes += a.bytes;
  return std::max(1.0, bytes / static_cast<double>(std::max<std::size_t>(1, arrivals.size())));
}

struct Mixture {
  double usual = 0, memory = 0;    ///< of the delay: seconds, and its correlation from packet to packet
  double rate = 0;                 ///< bytes a second, a lower layer's with them; 0: without a queue
  double overhead = 0;             ///< bytes that a lower layer adds to each packet
  std::array<double, states> scale{};
};

double density(double residual, double scale) { return laplace * std::exp(-std::abs(residual) / scale) / (2 * scale) + (1 - laplace) / window_s; }

/// The forward filter: log likelihood; `use(i, share of each state)`. Scales of the next run gather in `next`.
template <class Use>
double run(std::span<const Arrival> arrivals, const Mixture& mixture, std::array<double, states>& next, Use use) {
  const std::size_t count = mixture.rate > 0 ? states : states - 1;
  std::array<double, states> share{}, moved{}, seen{};
  std::fill_n(share.begin(), count, 1.0 / static_cast<double>(count));
  std::fill(next.begin(), next.end(), 0);
  double log_likelihood = 0, product = 1;
  const double to_others = (1 - stays) / static_cast<double>(count - 1);
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const auto& a = arrivals[i];
    if (!a.told) continue;
    std::array<double, states> residual{};
    residual[correlated] = a.time - (a.sent + mixture.usual + mixture.memory * (a.late_before - mixture.usual));
    residual[own_pace] = a.time - a.by_own;
    residual[path_pace] = a.time - a.by_path;
    residual[batch] = a.time - a.before;
    if (mixture.rate > 0) residual[queue] = a.time - std::max(a.sent, a.before + (a.bytes + mixture.overhead) / mixture.rate);
    double likelihood = 0;
    for (std::size_t k = 0; k < count; ++k) {
      moved[k] = (share[k] * (stays - to_others) + to_others) * density(residual[k], mixture.scale[k]);
      likelihood += moved[k];
    }
    for (std::size_t k = 0; k < count; ++k) {
      share[k] = moved[k] / likelihood;
      const double near = std::min(std::abs(residual[k]), 0.2);
      next[k] += share[k] * near, seen[k] += share[k];
    }
    product *= likelihood;
    if (product < 1e-150 || product > 1e150) log_likelihood += std::log(product), product = 1;
    use(i, share);
  }
  for (std::size_t k = 0; k < count; ++k) next[k] = std::max(least_scale, (next[k] + 1e-4) / (seen[k] + 0.1));
  return log_likelihood + std::log(product);
}

double likelihood(std::span<const Arrival> arrivals, Mixture& mixture, int rounds) {
  std::array<double, states> next{};
  double found = -1e300;
  for (int round = 0; round < rounds; ++round) {
    found = run(arrivals, mixture, next, [](std::size_t, const auto&) {});
    if (round + 1 < rounds) mixture.scale = next;
  }
  return found;
}

Mixture start_of(std::span<const Arrival> arrivals) {
  Mixture mixture;
  std::vector<double> delays, before;
  for (const auto& a : arrivals)
    if (a.told) delays.push_back(a.time - a.sent), before.push_back(a.late_before);
  mixture.usual = median(delays);
  mixture.memory = std::clamp(correlation(before, delays), 0.0, 0.99);
  std::vector<double> off;
  for (std::size_t i = 0; i < delays.size(); ++i) off.push_back(std::abs(delays[i] - before[i]));
  mixture.scale.fill(std::max(least_scale, median(std::move(off))));
  return mixture;
}

/// Rates of rows of packets that all came later than usual.
std::vector<double> rates_while_late(std::span<const Arrival> arrivals, double late) {
  std::vector<double> rates;
  double bytes = 0;
  std::size_t row = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const auto& a = arrivals[i];
    if (a.told && a.time - a.sent < late) row = 0, bytes = 0;
    else if (++row > 1) bytes += a.bytes;
    if (row <= in_row) continue;
    if (const double seconds = a.time - arrivals[i + 1 - row].time; seconds > 0) rates.push_back(bytes / seconds);
    row = 0, bytes = 0;
  }
  return rates;
}

/// `mean_bytes`: of the packets that waited.
std::vector<Span> bound_spans(std::span<const Arrival> arrivals, const Mixture& mixture, double late, QueueFit& fit, double& mean_bytes) {
  constexpr double next_s = 0.5, likely = 0.5;
  std::vector<Span> spans;
  std::array<double, states> next{};
  constexpr double piece_s = 1, together_s = 0.2;
  constexpr std::size_t fewest_pieces = 5;
  std::vector<double> rates;
  std::size_t waited = 0, told = 0;
  constexpr auto nothing = static_cast<std::size_t>(-1);
  double bytes = 0;
  std::size_t piece_begin = nothing;
  std::vector<double> sum;               // of all that arrived, the piece's first aside
  for (const auto& a : arrivals) sum.push_back((sum.empty() ? 0 : sum.back()) + a.bytes);
  run(arrivals, mixture, next, [&](std::size_t i, const auto& share) {
    const auto& a = arrivals[i];
    ++told;
    if (share[queue] < likely || a.time - a.sent < late) return;
    ++waited;
    bytes += a.bytes;
    if (piece_begin != nothing && a.time - spans.back().end >= together_s) piece_begin = nothing;
    if (piece_begin == nothing) piece_begin = i;
    if (const double seconds = a.time - arrivals[piece_begin].time; seconds >= piece_s) rates.push_back((sum[i] - sum[piece_begin]) / seconds), piece_begin = i;
    if (!spans.empty() && a.time - spans.back().end <= next_s) spans.back().end = a.time;
    else spans.push_back({std::min(a.sent, a.time), a.time});
  });
  if (rates.size() >= fewest_pieces) fit.spread = relative_spread(rates);
  fit.standing = told == 0 ? 0 : static_cast<double>(waited) / static_cast<double>(told);
  mean_bytes = waited == 0 ? 0 : bytes / static_cast<double>(waited);
  return spans;
}

}  // namespace

QueueFit fit_queue(std::span<const PathPacket> packets, double rate_hint) {
  QueueFit fit;
  const auto all = arrivals_of(packets);
  std::vector<double> delays;
  for (const auto& a : all)
    if (a.told) delays.push_back(a.time - a.sent);
  if (delays.size() < fewest_packets) return fit;
  fit.delay_p95 = quantile(delays, 0.95) - quantile(delays, 0.02);
  if (fit.delay_p95 < (rate_hint > 0 ? least_delay_at_rate : least_queue_delay)) return fit;
  const double late = quantile(delays, 0.02) + 0.25 * fit.delay_p95;
  const auto some = std::span(all).first(std::min(all.size(), most_packets)), few = some.first(std::min(some.size(), search_packets));
  std::vector<double> starts = rates_while_late(some, late);
  if (starts.size() >= 3) starts = {quantile(starts, 0.3), median(starts), quantile(starts, 0.7)};
  else starts.clear();
  if (rate_hint > 0) starts.push_back(rate_hint);
  if (starts.empty()) return fit;
  Mixture without = start_of(some);
  const double alone = likelihood(some, without, 4);
  Mixture best = without;
  best.scale[queue] = 1e-3;
  double best_found = -1e300;
  const auto better = [&](double rate) {
    Mixture next = best;
    next.rate = rate;
    const double found = likelihood(few, next, best_found < -1e299 ? 3 : 2);
    if (found <= best_found) return false;
    best = next, best_found = found;
    return true;
  };
  for (const double start : starts) better(start);
  const auto refine_rate = [&](std::initializer_list<double> steps) {
    for (const double step : steps)
      for (int move = 0; move < 5; ++move) {
        const double at = best.rate;
        if (!better(at * (1 + step)) && !better(at * (1 - step))) break;
      }
  };
  refine_rate({0.03, 0.01, 0.003, 0.001});
  // Ethernet's header and the like: only where it tells clearly better.
  constexpr double clearly = 10;
  const Mixture bare = best;
  const double bare_found = best_found;
  for (const double overhead : {14.0, 18.0, 38.0}) {
    const Mixture kept = best;
    const double kept_found = best_found;
    best = bare, best.overhead = overhead, best_found = -1e300;
    const double bytes = mean_of(few);
    better(bare.rate * (bytes + overhead) / bytes);
    refine_rate({0.01, 0.003, 0.001});
    if (best_found < std::max(kept_found, bare_found + clearly)) best = kept, best_found = kept_found;
  }
  const double with = likelihood(some, best, 3);
  std::size_t told = 0;
  for (const auto& a : some) told += a.told;
  fit.packets = told;
  fit.gain = with - alone - 1.5 * std::log(static_cast<double>(std::max<std::size_t>(2, told)));
  double bytes = 0;
  fit.bound = bound_spans(all, best, late, fit, bytes);
  fit.rate = bytes > 0 ? best.rate * bytes / (bytes + best.overhead) : best.rate;
  return fit;
}

bool is_queue_by_waits(const QueueFit& fit, double bucket_rate) {
  const bool near = fit.gain >= least_queue_gain && fit.gain_each() >= least_gain_each && std::abs(fit.rate / bucket_rate - 1) <= near_rate;
  return near || is_queue(fit, 0);
}

bool is_queue(const QueueFit& fit, double bucket_rate) {
  if (fit.gain < least_queue_gain) return false;
  if (bucket_rate <= 0) return fit.delay_p95 >= least_queue_delay && fit.gain_each() >= least_gain_each && fit.standing >= least_standing && fit.spread <= widest_spread;
  return fit.delay_p95 >= least_delay_at_rate && fit.gain_each() >= least_gain_each_at_rate && std::abs(fit.rate / bucket_rate - 1) <= alike_rate;
}

}  // namespace callwitness::metrics::models
