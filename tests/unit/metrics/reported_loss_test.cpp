#include "metrics/fits/reported_loss.hpp"

#include <catch2/catch.hpp>

using namespace callwitness;
using namespace callwitness::metrics;

namespace {

std::vector<classify::ReceiverReport> reports(int count, std::uint32_t more, std::int32_t lost) {
  std::vector<classify::ReceiverReport> made;
  for (int i = 0; i < count; ++i) {
    classify::ReceiverReport report;
    report.time = capture::Time(std::chrono::seconds(5 * i));
    report.highest_sequence = 0xffffff00u + static_cast<std::uint32_t>(i) * more;   // wraps
    report.cumulative_lost = lost * i;
    made.push_back(report);
  }
  return made;
}

}  // namespace

TEST_CASE("losses between the first and the last report are added up") {
  const auto told = reported_loss(reports(11, 100, 11), 1'200);
  REQUIRE(told);
  CHECK(told->lost == 110);
  CHECK(told->expected == 1'000);
  CHECK(told->ratio() == Approx(0.11));
  CHECK(told->reports == 11);
}

TEST_CASE("a receiver that lost nothing, or got packets twice, says so") {
  CHECK(reported_loss(reports(5, 100, 0), 600)->lost == 0);
  CHECK(reported_loss(reports(5, 100, -3), 600)->lost == 0);
}

TEST_CASE("too few reports, or more packets than were ever sent, are not believed") {
  CHECK_FALSE(reported_loss(reports(2, 100, 10), 1'000));
  CHECK_FALSE(reported_loss(reports(20, 1'000, 10), 500));
  CHECK_FALSE(reported_loss({}, 500));
  auto anew = reports(6, 100, 10);                       // another receiver takes over and counts from nothing
  anew[3].highest_sequence = 5;
  anew[3].cumulative_lost = 0;
  anew[4].highest_sequence = 105;
  anew[4].cumulative_lost = 0;
  anew[5].highest_sequence = 205;
  anew[5].cumulative_lost = 0;
  CHECK(reported_loss(anew, 1'000)->ratio() < 0.1);
}
