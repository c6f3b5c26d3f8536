#include "made_arrivals.hpp"
#include "metrics/models/ceiling.hpp"
#include "metrics/models/ceiling_rules.hpp"

using namespace callwitness::metrics::models;

namespace {

const Ceiling& the_only(const std::vector<Ceiling>& found) {
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_CASE("a policed voice without numbers piles up under its bucket's depth", "[metrics][ceiling]") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto sent = made::voice(seed, 90, 70, 150, 0.02, seed % 2 == 0);
    const double rate = seed % 2 == 0 ? 2'600 : 4'000;
    const auto found = find_ceilings(made::over_a_line(seed, made::policed(sent, rate, 3'000)));
    const auto& ceiling = the_only(found);
    CHECK(ceiling.rate == Approx(rate).epsilon(0.01));
    CHECK(ceiling.depth == Approx(3'000).epsilon(0.15));
    CHECK(ceiling.depth_told);
    CHECK(ceiling.distinct() >= 4);
  }
}

TEST_CASE("a quarter of a constant voice is as clear as any", "[metrics][ceiling]") {
  const auto sent = made::voice(5, 100, 104, 104);
  const auto found = find_ceilings(made::over_a_line(5, made::policed(sent, 1'300, 2'500)));
  CHECK(the_only(found).rate == Approx(1'300).epsilon(0.01));
}

TEST_CASE("a limit that begins in mid-call is told since then, without a depth", "[metrics][ceiling]") {
  const auto sent = made::voice(6, 120, 70, 150);
  const auto found = find_ceilings(made::over_a_line(6, made::policed(sent, 3'500, 3'000, 50)));
  const auto& ceiling = the_only(found);
  CHECK(ceiling.rate == Approx(3'500).epsilon(0.01));
  CHECK(ceiling.begin == Approx(52).margin(4));
  CHECK(ceiling.end == Approx(120).margin(3));
}

TEST_CASE("a limit that comes and goes is told for its time", "[metrics][ceiling]") {
  const auto sent = made::voice(7, 160, 70, 150);
  const auto found = find_ceilings(made::over_a_line(7, made::policed(sent, 3'000, 3'000, 40, 110)));
  const auto& ceiling = the_only(found);
  CHECK(ceiling.rate == Approx(3'000).epsilon(0.01));
  CHECK(ceiling.begin == Approx(42).margin(4));
  CHECK(ceiling.end == Approx(110).margin(4));
}

TEST_CASE("a shaper lets packets go at its level, a policer on the sender's beat", "[metrics][ceiling]") {
  const auto sent = made::voice(8, 90, 70, 150);
  const auto shaped = made::over_a_line(8, made::shaped(sent, 3'500, 3'000, 4'000), 0.003, 0.001);
  const auto policed = made::over_a_line(8, made::policed(sent, 3'500, 3'000), 0.003, 0.001);
  const auto of_queue = find_ceilings(shaped), of_bucket = find_ceilings(policed);
  CHECK(the_only(of_queue).rate == Approx(3'500).epsilon(0.01));
  CHECK(ceiling_kind(release_of(shaped, of_queue.front()), {}) == CeilingKind::shaper);
  CHECK(ceiling_kind(release_of(policed, the_only(of_bucket)), {}) == CeilingKind::policer);
}

TEST_CASE("policed video counts its voice into the bucket", "[metrics][ceiling]") {
  const auto sent = made::merged(made::video(9, 150, 60'000), made::voice(9, 150, 90, 160));
  const auto arrived = made::over_a_line(9, made::policed(sent, 40'000, 16'000), 0.001, 0.001);
  const auto found = find_ceilings(arrived);
  const auto& ceiling = the_only(found);
  CHECK(ceiling.rate == Approx(40'000).epsilon(0.01));
  const auto gained = gained_by_small(arrived, ceiling);
  REQUIRE(gained);
  CHECK(*gained >= 3);
}

TEST_CASE("no ceiling stands over what nobody limits", "[metrics][ceiling]") {
  std::size_t found = 0;
  for (std::uint64_t seed = 20; seed < 32; ++seed) {
    found += find_ceilings(made::over_a_line(seed, made::voice(seed, 90, 70, 150, 0.02, true))).size();            // a talker who pauses
    found += find_ceilings(made::over_a_line(seed, made::video(seed, 90, 50'000), 0.01, 0.004)).size();            // adaptive video
    const auto batches = find_ceilings(made::in_batches(seed, made::voice(seed, 90, 70, 150), 0.04, seed % 2 == 0 ? 0.16 : 0.4));   // a radio that sleeps
    const SentMeanwhile sent{.packets = 4'500, .seconds = 90, .usual_size = 110, .same_size = 0.1, .usual_gap = 0.0, .packet_time = 0, .missing = {}};
    found += static_cast<std::size_t>(std::count_if(batches.begin(), batches.end(), [&](const Ceiling& ceiling) { return innocent_reason(ceiling, sent).empty(); }));
  }
  CHECK(found == 0);
}

TEST_CASE("a codec's own rate is no limit", "[metrics][ceiling]") {
  Ceiling ceiling;
  ceiling.rate = 10'000, ceiling.depth = 3'000;
  SentMeanwhile sent{.packets = 4'990, .seconds = 100, .usual_size = 200, .same_size = 1, .usual_gap = 0.02, .packet_time = 0, .missing = {}};
  CHECK(innocent_reason(ceiling, sent) == "codecs_own_rate");
  ceiling.rate = 5'000;                                              // half of it looks like 40 ms a packet,
  CHECK(innocent_reason(ceiling, sent) == "codecs_own_rate");
  sent.packets = 2'500, sent.own_packets = 5'000, sent.own_size = 200;   // unless our own end sends 20,
  CHECK(innocent_reason(ceiling, sent).empty());
  ceiling.rate = 9'970;                                              // whose rate it is not, however much is lost
  CHECK(innocent_reason(ceiling, sent) == "codecs_own_rate");
}

TEST_CASE("where nothing is missing there is no limit", "[metrics][ceiling]") {
  Ceiling ceiling;
  ceiling.rate = 4'700, ceiling.depth = 3'000;
  SentMeanwhile sent{.packets = 4'990, .seconds = 100, .usual_size = 100, .same_size = 0.1, .usual_gap = 0.02, .packet_time = 0.02, .missing = 10};
  CHECK(innocent_reason(ceiling, sent) == "nothing_missing");
  sent.missing.reset(), sent.own_packets = 5'000, sent.own_size = 100;
  CHECK(innocent_reason(ceiling, sent) == "as_many_as_we_send");
  sent.own_packets = 9'000;
  CHECK(innocent_reason(ceiling, sent).empty());
  sent.own_packets = 0, sent.packet_time = 0.02, sent.missing = 500, sent.packets = 4'500, sent.mean_size = 94;   // a tenth is lost by a fading line:
  CHECK(innocent_reason(ceiling, sent) == "codecs_own_rate");                                                      // all would fit through
  ceiling.rate = 4'200;
  CHECK(innocent_reason(ceiling, sent).empty());
  ceiling.depth = 900;
  CHECK(innocent_reason(ceiling, sent) == "shallower_than_a_packet");
}

TEST_CASE("clocks that jump and captures without end cost no more than a few windows", "[metrics][ceiling]") {
  auto sent = made::voice(40, 3'600, 70, 150);
  for (std::size_t i = sent.size() / 2; i < sent.size(); ++i) sent[i].time += 3e8;
  CHECK(find_ceilings(sent).empty());
  CHECK(find_ceilings({}).empty());
  const std::vector<Arrival> at_once(500, Arrival{1, 100});
  CHECK(find_ceilings(at_once).empty());
}
