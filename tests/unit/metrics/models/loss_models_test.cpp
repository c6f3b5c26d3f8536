// The parts that the limits are made of, one by one.
#include "made_path.hpp"
#include "metrics/models/bucket_rate.hpp"
#include "metrics/models/bucket_search.hpp"
#include "metrics/models/fill_forecast.hpp"
#include "metrics/models/logistic.hpp"
#include "metrics/models/loss_chain.hpp"
#include "metrics/models/queue.hpp"
#include "metrics/models/waiting.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace callwitness::metrics;
using models::Clock;
using models::events_of;

TEST_CASE("Krichevsky and Trofimov's score is that of their forecasts one by one", "[loss_models]") {
  double lost = 0, seen = 0, sum = 0;
  for (const bool outcome : {true, false, false, true, true, true, false, true}) {
    sum += std::log((outcome ? lost + 0.5 : seen - lost + 0.5) / (seen + 1));
    lost += outcome, seen += 1;
  }
  CHECK(models::kt_score(lost, seen) == Approx(sum));
  CHECK(models::kt_score(0, 0) == 0);
}

TEST_CASE("classes that lose more where there is more are one", "[loss_models]") {
  models::ClassCounts straight, reversed;
  straight.seen = {100, 100}, straight.lost = {90, 5};
  reversed.seen = {100, 100}, reversed.lost = {5, 90};
  CHECK(models::kt_score(straight) > models::kt_score(reversed) + 50);
  CHECK(models::kt_score(reversed) == Approx(models::kt_score(95, 200)));
}

TEST_CASE("a bucket is found, and its rate measured within a thousandth", "[loss_models]") {
  const auto path = made::with_losses(made::steady(90), made::Policer{6200, 3000});
  const auto events = events_of(path.packets, Clock::sent);
  const auto fit = models::find_bucket(events);
  REQUIRE(fit);
  CHECK(models::measure(events, fit.bucket).rate == Approx(6200).epsilon(0.002));
  CHECK_FALSE(models::find_bucket(events_of(made::steady(10).packets, Clock::sent)));
}

TEST_CASE("the fill's forecast is high where packets are lost", "[loss_models]") {
  const auto path = made::with_losses(made::steady(60), made::Policer{7000, 2000});
  const auto events = events_of(path.packets, Clock::sent);
  const auto forecast = models::forecast_losses(events, {7000, 2000});
  double lost = 0, passed = 0, losses = 0;
  for (std::size_t i = 500; i < events.size(); ++i) (events.lost[i] ? lost : passed) += forecast[i], losses += events.lost[i];
  CHECK(lost / losses > 0.6);
  CHECK(passed / (static_cast<double>(events.size()) - 500 - losses) < 0.2);
}

TEST_CASE("a regression finds coefficients, and none below 0 where that is barred", "[loss_models]") {
  Random random(1);
  models::Design design;
  const auto up = design.add_column(), barred = design.add_column(true);
  for (int i = 0; i < 5000; ++i) {
    const double x = random.normal(), y = random.normal();
    design.begin_row(random.chance(1 / (1 + std::exp(1 - x + y))));
    design.put(up, x), design.put(barred, y);
  }
  const auto fit = models::Regression::fit(design, {true, true});
  CHECK(fit.coefficients[up] > 0.7);
  CHECK(fit.coefficients[barred] == 0);
  const auto none = models::Regression::fit(design, {false, false});
  CHECK(fit.log_likelihood > none.log_likelihood + 100);
  CHECK(none.coefficients[up] == 0);
}

TEST_CASE("a chain learns how long its bad state lasts", "[loss_models]") {
  Random random(2);
  bool bad = false;
  double next = 0;
  const auto path = made::with_losses(made::steady(150), [&](const models::PathPacket& packet) {
    if (packet.sent >= next) bad = !bad, next = packet.sent + random.exponential(bad ? 0.3 : 3);
    return random.chance(bad ? 0.7 : 0.005);
  });
  const auto chain = models::fit_chain(events_of(path.packets, Clock::sent));
  CHECK(chain.bad_share == Approx(0.09).margin(0.06));
  CHECK(chain.lost_bad == Approx(0.7).margin(0.15));
  CHECK(chain.memory_s > 0.1);
  CHECK(chain.memory_s < 1);
}

TEST_CASE("waiting tells a queue from a bucket", "[loss_models]") {
  auto queued = made::queued(made::steady(60), 8000, 2000);
  auto policed = made::with_losses(made::steady(60), made::Policer{8000, 2000});
  made::jitter(queued, 1, 0.01), made::jitter(policed, 1, 0.01);
  CHECK(models::waits(queued.packets, {8000, 2000}));
  CHECK_FALSE(models::waits(policed.packets, {8000, 2000}));
  const auto queue = models::fit_queue(queued.packets, 8000);
  CHECK(models::is_queue(queue, 8000));
  CHECK(queue.rate == Approx(8000).epsilon(0.01));
  CHECK_FALSE(models::is_queue(models::fit_queue(policed.packets, 8000), 8000));
}

TEST_CASE("a queue below Ethernet has its IP rate", "[loss_models]") {
  Random random(3);
  auto path = made::steady(60);
  for (auto& packet : path.packets) packet.bytes = std::round(static_cast<float>(random.uniform(60, 300)));
  double free_at = 0, bytes = 0;
  for (auto& packet : path.packets) {
    packet.lost = free_at - packet.sent > 0.5;
    if (!packet.lost) packet.arrival = free_at = std::max(free_at, packet.sent) + (packet.bytes + 14) / 8000, bytes += packet.bytes;
    else packet.arrival = free_at;
  }
  CHECK(models::fit_queue(path.packets, 0).rate == Approx(8000 * 180 / 194.0).epsilon(0.02));
}
