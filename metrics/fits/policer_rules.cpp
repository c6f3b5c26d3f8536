// The rules and why: docs/methods/policer.md
#include "metrics/fits/policer_rules.hpp"

namespace callwitness::metrics {
namespace {

constexpr double most_loss_when_full = 0.3;
constexpr double most_loss_when_full_if_exact = 0.5, much_wider = 3;
constexpr double clearly_no_queue = 1.1;           ///< rate within runs, where the rest is not as it should be
constexpr double hardly_lost_when_full = 0.02, least_precision_if_clear_cut = 0.4;
constexpr double least_precision = 0.5;
constexpr double least_recall = 0.7;
constexpr double least_lift = 3;                   ///< precision over the overall loss ratio, where the spread is narrow
constexpr double least_lift_very_narrow = 2;
constexpr double high_lift = 5, least_recall_at_high_lift = 0.5;
constexpr double much_gain = 150, narrow_spread_at_much_gain = 0.07;
constexpr double very_narrow_spread = 0.03;
constexpr double least_in_bursts = 0.3;            ///< of the bytes near losses: a queue spaces them, only a radio behind it bunches a few
constexpr double very_high_lift = 10, least_recall_in_bursts = 0.55, most_loss_when_full_in_bursts = 0.6, widest_spread_in_bursts = 0.1;
constexpr double few_lost_when_full = 0.05;        ///< share of the losses: chance takes some on every path
constexpr std::size_t least_windows_losing = 4, many_windows_losing = 7;   ///< more than a stray packet
constexpr std::size_t far_too_many_windows = 14;   ///< for handovers, whose stray losses the rule on steady traffic is for
constexpr double most_lost_in_worst = 0.6;         ///< share of the losses, of the worst two of few windows
constexpr double most_lost_in_worst_of_many = 0.8; ///< beyond, an outage explains nearly everything, whatever stray losses surround it
constexpr double largest_evenness_p = 1e-6;
constexpr double steady = 0.02;                    ///< spread of what is offered, below which nothing overflows the bucket:
constexpr double least_filled = 0.985;             ///< then all that the rate allows has passed, or the losses are another's
constexpr double widest_spread = 0.2;
constexpr double sure_precision = 0.6, sure_recall = 0.85;

}  // namespace

bool met_no_queue(const PolicerFit& fit) { return fit.local_rate_ratio >= least_local_rate_ratio || fit.in_bursts >= least_in_bursts; }

bool lets_no_more(const PolicerFit& fit) {
  constexpr double most_beyond_s = 1;   // a radio behind the bucket may bunch that much
  return fit.beyond_s <= most_beyond_s;
}

void judge(PolicerFit& fit) {
  const bool is_clearly_no_queue = fit.local_rate_ratio >= clearly_no_queue || fit.in_bursts >= least_in_bursts;
  // A talker's pauses and another stream's sizes hide where a lost packet stood; an exact rate through a traffic that
  // isn't excuses some of that.
  const bool exact = fit.spread <= very_narrow_spread && fit.offered_spread >= much_wider * fit.spread && fit.gain >= much_gain &&
                     fit.precision >= least_precision && fit.recall >= least_recall && is_clearly_no_queue;
  const bool never_when_full = fit.loss_when_full <= (exact ? most_loss_when_full_if_exact : most_loss_when_full) || fit.lost_when_full <= few_lost_when_full;
  // Nothing at all lost from a full bucket, an exact rate, and nearly every loss explained: then a few that passed with
  // too little (what was lost had another size than its neighbours) don't matter.
  const bool clear_cut = fit.lost_when_full <= hardly_lost_when_full && fit.recall >= sure_recall && fit.gain >= much_gain && fit.spread <= very_narrow_spread &&
                         fit.offered_spread >= much_wider * fit.spread && is_clearly_no_queue;
  const bool precise = fit.precision >= (clear_cut ? least_precision_if_clear_cut : least_precision) && fit.recall >= least_recall;
  const double lift = fit.loss_ratio > 0 ? fit.precision / fit.loss_ratio : 0;
  const bool much_explained = fit.gain >= much_gain && lift >= high_lift;
  const bool narrow = fit.spread <= (much_explained ? narrow_spread_at_much_gain : narrow_spread) &&
                      fit.offered_spread > (much_explained ? 1.5 : 2) * fit.spread &&
                      fit.recall >= (lift >= high_lift ? least_recall_at_high_lift : least_recall) &&
                      lift >= (fit.spread <= very_narrow_spread ? least_lift_very_narrow : least_lift);
  // No queue lets bursts through, no radio loses ten times as often where a bucket is empty: both together need nothing else
  // to be as exact. Adaptive video's offer follows the cap, so that its spread tells little.
  const bool bursts_through = fit.in_bursts >= least_in_bursts && fit.gain >= much_gain && lift >= very_high_lift && fit.precision >= least_precision &&
                              fit.recall >= least_recall_in_bursts && fit.loss_when_full <= most_loss_when_full_in_bursts && fit.spread <= widest_spread_in_bursts;
  // Steady traffic loses its surplus and no more, window after window; chance scatters.
  const bool even = fit.evenness_p <= largest_evenness_p && fit.spread <= narrow_spread && fit.recall >= least_recall;
  const bool sure = fit.precision >= sure_precision && fit.recall >= sure_recall;
  // One outage (a handover, a scan) fills one or two windows; with stray losses in a few others it would look like a rate.
  const bool recurs = (fit.windows_losing >= many_windows_losing && fit.lost_in_worst <= most_lost_in_worst_of_many) ||
                      (fit.windows_losing >= least_windows_losing && fit.lost_in_worst <= most_lost_in_worst);
  const bool taken_up = fit.offered_spread > steady || fit.filled >= least_filled || fit.windows_losing >= far_too_many_windows;
  fit.mechanism = recurs && taken_up && lets_no_more(fit) && ((never_when_full && (precise || narrow || even)) || bursts_through) &&
                  fit.spread <= (sure ? widest_spread_when_sure : widest_spread) && met_no_queue(fit);
}

bool is_clear_by_cadence(const PolicerFit& fit) {
  constexpr double widest_spread = 0.06, least_precision = 0.5, least_recall = 0.7;
  constexpr double much_gain = 150, widest_at_much_gain = 0.13, steadier_than_offered = 1.5, precision_at_much_gain = 0.3, lift_at_much_gain = 2, recall_at_much_gain = 0.65;
  // What a bucket lets pass between two losses is its rate: it varies no more than what came to it.
  constexpr double by_jitter = 0.02;
  const bool as_steady = fit.spread <= std::max(by_jitter, fit.offered_spread);
  const bool exact = as_steady && fit.spread <= widest_spread && fit.precision >= least_precision && fit.recall >= least_recall;
  const bool explains_much = fit.gain >= much_gain && fit.spread <= widest_at_much_gain && fit.offered_spread >= steadier_than_offered * fit.spread &&
                             fit.precision >= precision_at_much_gain && fit.precision >= lift_at_much_gain * fit.loss_ratio && fit.recall >= recall_at_much_gain;
  return exact || explains_much;
}

}  // namespace callwitness::metrics
