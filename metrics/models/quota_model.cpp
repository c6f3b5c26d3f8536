#include "metrics/models/quota_model.hpp"

#include "metrics/models/token_filter.hpp"
#include "metrics/statistics.hpp"

#include <cmath>
#include <numbers>

namespace callwitness::metrics::models {
namespace {

constexpr double shortest = 0.4, longest = 70;    ///< periods, seconds
constexpr std::size_t least_run = 2;              ///< lost in a row, where a period may have ended
constexpr std::size_t most_ends = 300, candidates = 10;
constexpr double boundary_s = 0.03;

/// Middles between the last that was lost and the first that passed, after runs of losses.
std::vector<double> reopenings(const Events& events) {
  std::vector<double> ends;
  std::size_t run = 0;
  for (std::size_t i = 0; i < events.size() && ends.size() < most_ends; ++i) {
    if (!events.lost[i] && run >= least_run) ends.push_back((events.time[i] + events.time[i - 1]) / 2);
    run = events.lost[i] ? run + 1 : 0;
  }
  return ends;
}

struct Beat { double period, phase, strength; };

/// How well the times fall on one beat: 0 to their number.
Beat beat_at(const std::vector<double>& times, double period) {
  double x = 0, y = 0;
  for (const double t : times) {
    const double angle = 2 * std::numbers::pi * std::fmod(t - times.front(), period) / period;
    x += std::cos(angle), y += std::sin(angle);
  }
  const double turn = std::atan2(y, x) / (2 * std::numbers::pi);
  return {period, times.front() + turn * period, std::hypot(x, y)};
}

std::vector<Beat> best_beats(const std::vector<double>& times) {
  const double duration = times.back() - times.front();
  std::vector<Beat> best;
  if (!(duration > 2 * shortest)) return best;
  constexpr std::size_t most_steps = 6000;
  const double high = 1 / shortest, low = 1 / std::min(longest, duration / 1.5);
  const std::size_t steps = std::min(most_steps, static_cast<std::size_t>((high - low) * duration * 5) + 2);
  Beat last{}, middle{};
  for (std::size_t k = 0; k < steps; ++k) {
    const auto beat = beat_at(times, 1 / (low + (high - low) * static_cast<double>(k) / static_cast<double>(steps - 1)));
    if (k >= 1 && middle.strength >= last.strength && middle.strength > beat.strength) best.push_back(middle);
    last = middle, middle = beat;
  }
  best.push_back(middle);
  // A beat's divisors fit as well as itself: of about equals the longest comes first.
  const auto strong = [&](const Beat& beat) { return std::floor(20 * beat.strength / static_cast<double>(times.size())); };
  std::sort(best.begin(), best.end(), [&](const Beat& a, const Beat& b) {
    return strong(a) != strong(b) ? strong(a) > strong(b) : a.period > b.period;
  });
  if (best.size() > candidates) best.resize(candidates);
  for (auto& beat : best) {
    for (double step = 0.1 / duration; step > 1e-5; step /= 2)
      for (const double sign : {-1.0, 1.0})
        if (const auto next = beat_at(times, 1 / (1 / beat.period + sign * step)); next.strength > beat.strength) beat = next;
  }
  return best;
}

/// Goes through the periods: use(i, which period, bytes passed in it before, seconds to its nearest edge).
template <class Use>
void by_period(const Events& events, double period, double phase, Use use) {
  double passed = 0, current = -1e18;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const double place = (events.time[i] - phase) / period, index = std::floor(place);
    if (index != current) current = index, passed = 0;
    const double within = (place - index) * period;
    use(i, index, passed, within);
    if (!events.lost[i]) passed += events.bytes[i];
  }
}

/// Bytes that passed in each period in which the last of several packets were lost.
std::vector<double> used_up_bytes(const Events& events, double period, double phase) {
  std::vector<double> all;
  double current = -1e18, bytes = 0;
  std::size_t run = 0, count = 0;
  const auto finish = [&] {
    if (run >= least_run && count > run) all.push_back(bytes);
  };
  by_period(events, period, phase, [&](std::size_t i, double index, double passed, double within) {
    if (index != current) finish(), current = index, run = 0, count = 0;
    if (within < boundary_s || period - within < boundary_s) return;
    ++count;
    run = events.lost[i] ? run + 1 : 0;
    bytes = passed + (events.lost[i] ? 0 : events.bytes[i]);
  });
  finish();
  return all;
}

struct Score {
  std::array<double, 8> lost{}, seen{};
  void add(std::size_t state, bool last_lost, bool is_lost) { lost[2 * state + last_lost] += is_lost, seen[2 * state + last_lost] += 1; }
  double value(std::size_t n) const {
    double sum = -1.5 * std::log(static_cast<double>(n)) - 2;
    for (std::size_t k = 0; k < lost.size(); ++k) sum += kt_score(lost[k], seen[k]);
    return sum;
  }
};

enum State : std::size_t { open, near_bytes, closed, near_edge };

double score_bytes(const Events& events, double period, double phase, double quota, double usual, double leeway) {
  Score score;
  bool last_lost = false;
  by_period(events, period, phase, [&](std::size_t i, double, double passed, double within) {
    const double left = quota - passed - events.bytes[i];
    const bool edge = within < boundary_s || period - within < boundary_s;
    const std::size_t state = edge ? near_edge : left < -usual * 0.5 ? closed : left < leeway * usual ? near_bytes : open;
    if (events.counted[i]) score.add(state, last_lost, events.lost[i]);
    last_lost = events.lost[i];
  });
  return score.value(events.size());
}

double score_time(const Events& events, double period, double phase, double open_s, double leeway) {
  Score score;
  bool last_lost = false;
  by_period(events, period, phase, [&](std::size_t i, double, double, double within) {
    const bool edge = within < boundary_s || period - within < boundary_s;
    const std::size_t state = edge ? near_edge : within > open_s + leeway ? closed : within > open_s - leeway ? near_bytes : open;
    if (events.counted[i]) score.add(state, last_lost, events.lost[i]);
    last_lost = events.lost[i];
  });
  return score.value(events.size());
}

void describe(const Events& events, QuotaModel& model) {
  double current = -1e18, from = 0;
  std::size_t run = 0;
  const auto finish = [&] {
    const double end = model.phase + (current + 1) * model.period;
    if (run >= least_run) model.closed.push_back({from, end}), model.losses += run;
  };
  std::vector<double> open_s;
  by_period(events, model.period, model.phase, [&](std::size_t i, double index, double, double within) {
    if (index != current) finish(), current = index, run = 0;
    if (events.lost[i] && run++ == 0) from = events.time[i];
    if (!events.lost[i] && within > boundary_s && model.period - within > boundary_s) run = 0;
  });
  finish();
  for (const auto& span : model.closed) open_s.push_back(model.period - (span.end - span.begin));
  if (open_s.empty()) return;
  std::vector<double> gaps(events.gap.begin(), events.gap.end());
  const double gap = std::max(1e-4, median(std::move(gaps)));
  model.open_spread = (quantile(open_s, 0.75) - quantile(open_s, 0.25)) / gap;
  for (const double share : {0.1, 0.3, 0.5, 0.7, 0.9})
    for (const double leeway : {0.01, 0.02, boundary_s, 0.06, 0.1, 0.3})
      model.by_time = std::max(model.by_time, score_time(events, model.period, model.phase, quantile(open_s, share), leeway));
}

}  // namespace

/// The best of the bytes that some used-up period let pass, at this period and phase; better than `best`, or left alone.
void try_at(const Events& events, double period, double phase, double usual, QuotaModel& best) {
  const auto bytes = used_up_bytes(events, period, phase);
  if (bytes.size() < 3) return;
  const double middle = median(bytes);
  for (const double leeway : {1.5, 3.5})
    for (const double more : {0.0, 0.5, 1.0, 2.0}) {
      const double score = score_bytes(events, period, phase, middle + more * usual, usual, leeway);
      if (score <= best.score) continue;
      best.period = period, best.phase = phase, best.score = score;
      best.bytes = middle + 0.5 * usual;   // on average half a packet didn't fit any more
      best.used_up = bytes.size();
      best.rate_spread = middle > 0 ? standard_deviation(bytes) / middle : 0;
    }
}

QuotaModel fit_quota(const Events& events) {
  QuotaModel best;
  const auto ends = reopenings(events);
  if (ends.size() < 4) return best;
  std::vector<float> sizes = events.bytes;
  std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2), sizes.end());
  const double usual = std::max(1.0, static_cast<double>(sizes[sizes.size() / 2]));
  for (const auto& beat : best_beats(ends)) try_at(events, beat.period, beat.phase, usual, best);
  if (best.period <= 0) return best;
  // Few ends leave the beat uncertain: by a thousandth, which a long recording notices. About the middle, so that the phase holds.
  const double middle = (ends.front() + ends.back()) / 2;
  for (const double step : {0.004, 0.002, 0.001, 0.0005}) {
    const QuotaModel at = best;
    const double phase = at.phase + std::round((middle - at.phase) / at.period) * at.period;
    for (const int k : {-1, 1}) {
      try_at(events, at.period * (1 + k * step), phase, usual, best);
      try_at(events, at.period, phase + 2 * k * step * at.period, usual, best);
    }
  }
  describe(events, best);
  return best;
}

}  // namespace callwitness::metrics::models
