// Voice in a TCP connection: what was sent again, and what came late.
#include "../../support/machine.hpp"

#include "metrics/tcp/delivery.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace callwitness;
using tests::has, tests::Machine, tests::peer, tests::tcp_voice, tests::Wire;

namespace {

/// Voice of 90 bytes each 20 ms for a minute, that comes at the times that `arrival` makes of them; nothing for negative ones.
template <class Arrival>
metrics::TcpDelivery voice(Arrival&& arrival) {
  metrics::SegmentRecord record;
  record.header_bytes = 52;
  std::uint32_t begin = 0;
  for (int i = 0; i < 3000; ++i) {
    const double at = arrival(i * 0.02);
    if (at < 0) continue;
    record.segments.push_back({static_cast<std::uint32_t>(at * 1e5 + 0.5), begin, static_cast<std::uint32_t>(i + 1), 90, 0});
    begin += 90;
  }
  return metrics::delivery_of(record, std::nullopt);
}

}  // namespace

TEST_CASE("what is held up and comes all at once was a stall", "[tcp_delivery]") {
  const auto delivery = voice([](double t) { return std::fmod(t, 5) < 0.6 ? t - std::fmod(t, 5) + 0.6 : t; });
  CHECK(delivery.stalls == 11);
  CHECK(delivery.stalled == Approx(11 * 0.62).epsilon(0.01));
  CHECK(delivery.longest == Approx(0.62).epsilon(0.01));
  CHECK(delivery.lost == 0);
}

TEST_CASE("a talker's pauses are no stalls", "[tcp_delivery]") {
  const auto delivery = voice([](double t) { return std::fmod(t, 5) < 2 ? -1 : t; });
  CHECK(delivery.stalls == 0);
}

TEST_CASE("what the capture never shows holds nothing up", "[tcp_delivery]") {
  metrics::SegmentRecord record;
  record.header_bytes = 52;
  for (std::uint32_t i = 0; i < 500; ++i)
    if (i != 1) record.segments.push_back({i * 2000, i * 90, i + 1, 90, 0});
  const auto delivery = metrics::delivery_of(record, std::nullopt);
  CHECK(delivery.seconds == Approx(9.98));
  CHECK(delivery.stalls == 0);
}

TEST_CASE("voice over TCP that is sent again is impaired, whole voice is clean and claims no cap", "[tcp_delivery]") {
  for (const int every : {20, 0}) {
    Machine machine;
    const Wire wire{peer, 40000, 64738, true};
    tcp_voice(machine, wire, 2, 70);
    bool first = true;
    for (auto& frame : machine.frames) {   // as TLS records, for the tunnel to be known
      constexpr std::size_t headers = 54;
      if (frame.bytes.size() != headers + 90) continue;
      const std::uint8_t record[] = {static_cast<std::uint8_t>(first ? 0x16 : 0x17), 3, 3, 0, 85};
      std::copy(std::begin(record), std::end(record), frame.bytes.begin() + headers);
      first = false;
    }
    const auto frames = machine.frames;
    int count = 0;
    for (const auto& frame : frames)       // ours, once more 300 ms later
      if (every > 0 && frame.bytes.size() > 100 && frame.bytes[5] == 1 && ++count % every == 0) {
        auto again = frame.bytes;
        again[18] = static_cast<std::uint8_t>(count >> 8), again[19] = static_cast<std::uint8_t>(count);   // its IP identification
        machine.put(frame.time + 0.3, again);
      }
    machine.pages(75);
    const auto analysis = machine.analysis();
    const auto* loss = tests::find(analysis, "loss");
    CHECK((loss != nullptr) == (every > 0));
    CHECK(analysis.verdict.verdict_class == (every > 0 ? metrics::VerdictClass::impaired : metrics::VerdictClass::clean));
    CHECK_FALSE(analysis.verdict.smallest_detectable.contains("rate_ratio"));
    if (loss == nullptr) continue;
    CHECK(loss->numbers.at("over_tcp") == 1);
    CHECK(loss->numbers.at("loss_ratio") == Approx(0.05).epsilon(0.1));
    CHECK(loss->direction == metrics::Direction::sent);
  }
}
