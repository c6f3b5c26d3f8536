// The rules over a fit's numbers: each one alone keeps a fit from being a policer.
#include "metrics/fits/policer_rules.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using metrics::PolicerFit;

namespace {

/// Adaptive video under a cap: bursts pass, the offer follows the cap, and the path loses some of what passed.
PolicerFit bursty_video() {
  PolicerFit fit;
  fit.losses = 450, fit.packets = 16'000, fit.loss_ratio = 0.028;
  fit.gain = 900, fit.precision = 0.6, fit.recall = 0.6;
  fit.loss_when_full = 0.4, fit.lost_when_full = 0.2;
  fit.spread = 0.08, fit.offered_spread = 0.1;
  fit.local_rate_ratio = 0.95, fit.in_bursts = 0.5;
  fit.windows_losing = 50, fit.lost_in_worst = 0.2, fit.filled = 0.99;
  return fit;
}

bool holds(PolicerFit fit) {
  metrics::judge(fit);
  return fit.mechanism;
}

/// A talker whose packets carry no numbers.
PolicerFit unnumbered_talker() {
  PolicerFit fit;
  fit.loss_ratio = 0.35, fit.gain = 900, fit.precision = 0.9, fit.recall = 0.8, fit.spread = 0.1, fit.offered_spread = 0.3;
  return fit;
}

}  // namespace

TEST_CASE("what lets more pass than a bucket can is none", "[policer-rules]") {
  auto fit = bursty_video();
  fit.beyond_s = 1;
  CHECK(holds(fit));
  fit.beyond_s = 1.1;
  CHECK_FALSE(holds(fit));
}

TEST_CASE("an outage and stray losses in many windows are no policer", "[policer-rules]") {
  auto fit = bursty_video();
  fit.lost_in_worst = 0.8;
  CHECK(holds(fit));
  fit.lost_in_worst = 0.81;
  CHECK_FALSE(holds(fit));
}

TEST_CASE("bursts that pass and losses ten times as often from an empty bucket are a policer's", "[policer-rules]") {
  CHECK(holds(bursty_video()));
  auto fit = bursty_video();
  fit.in_bursts = 0.29;
  CHECK_FALSE(holds(fit));            // a queue with a radio behind it
  fit = bursty_video();
  fit.precision = 0.27, fit.loss_ratio = 0.028;
  CHECK_FALSE(holds(fit));            // lift 9.6
  fit = bursty_video();
  fit.loss_ratio = 0.061;
  CHECK_FALSE(holds(fit));            // lift 9.8
  fit = bursty_video();
  fit.gain = 149;
  CHECK_FALSE(holds(fit));
  fit = bursty_video();
  fit.recall = 0.54;
  CHECK_FALSE(holds(fit));
  fit = bursty_video();
  fit.loss_when_full = 0.61;
  CHECK_FALSE(holds(fit));            // a lossy line
  fit = bursty_video();
  fit.spread = 0.101;
  CHECK_FALSE(holds(fit));            // no one rate
  fit = bursty_video();
  fit.windows_losing = 3;
  CHECK_FALSE(holds(fit));            // a handover or two
}

TEST_CASE("packets that come in bursts met no queue, however slow their runs are on average", "[policer-rules]") {
  auto fit = bursty_video();
  fit.loss_when_full = 0.1, fit.recall = 0.75;
  CHECK(holds(fit));
  fit.in_bursts = 0.1;
  CHECK_FALSE(holds(fit));
  fit.local_rate_ratio = 1.03;        // nor do packets that come faster than the rate
  CHECK(holds(fit));
}

TEST_CASE("losses told by gaps alone are believed to an exact rate, or to one that explains much", "[policer-rules]") {
  CHECK(metrics::is_clear_by_cadence(unnumbered_talker()));
  auto fit = unnumbered_talker();
  fit.gain = 149;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));
  fit.spread = 0.06;                  // exact: then the gain doesn't matter
  CHECK(metrics::is_clear_by_cadence(fit));
  fit = unnumbered_talker();
  fit.spread = 0.131;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));
  fit = unnumbered_talker();
  fit.offered_spread = 0.14;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));
  fit = unnumbered_talker();
  fit.recall = 0.64;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));
  fit = unnumbered_talker();
  fit.precision = 0.69;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));   // less than twice the loss ratio
  fit.loss_ratio = 0.05, fit.precision = 0.29;
  CHECK_FALSE(metrics::is_clear_by_cadence(fit));
}
