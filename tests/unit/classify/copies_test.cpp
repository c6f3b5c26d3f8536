// Copies that the capture made are left out; what the network sent twice stays.
#include "classify/flows/copies.hpp"
#include "classify_support.hpp"

using namespace callwitness;
using namespace callwitness::classify;
using namespace callwitness::classify::test;

namespace {

const Endpoint a = endpoint("192.0.2.1", 40000), b = endpoint("198.51.100.2", 50000);

struct Talk {
  CopyWatch watch;
  CopyCounters counters;
  Buffer payload;
  bool seen(double at_ms, std::uint16_t number, std::uint16_t id, std::uint8_t hops = 64) {
    payload = rtp(0, number, number * 160u, 7);
    capture::Datagram datagram;
    datagram.time = capture::Time(capture::from_seconds(at_ms / 1e3));
    datagram.five_tuple = {a, b, capture::protocol::udp};
    datagram.payload = payload;
    datagram.payload_length = static_cast<std::uint32_t>(payload.size());
    datagram.ip_length = datagram.payload_length + 28;
    datagram.ip_id = id;
    datagram.time_to_live = hops;
    return watch.is_copy(datagram, counters);
  }
};

}  // namespace

TEST_CASE("each frame twice or three times, also with a hop less, is there once", "[classify]") {
  for (const int copies : {1, 2}) {
    for (const std::uint8_t hops : std::initializer_list<std::uint8_t>{64, 63}) {
      Talk talk;
      int kept = 0;
      for (std::uint16_t i = 0; i < 2'500; ++i) {
        kept += !talk.seen(i * 20.0, i, i);
        for (int copy = 1; copy <= copies; ++copy) kept += !talk.seen(i * 20.0 + 0.3 * copy, i, i, hops);
      }
      CHECK(kept == 2'500);
    }
  }
}

TEST_CASE("a network that repeats three packets in a hundred is told so", "[classify]") {
  Talk talk;
  int left_out = 0;
  for (std::uint16_t i = 0; i < 1'000; ++i) {
    CHECK_FALSE(talk.seen(i * 20.0, i, i));
    if (i % 33 == 5) left_out += talk.seen(i * 20.0 + 1, i, i);
  }
  CHECK(left_out == 0);
}

TEST_CASE("the same once more, but later or under a number of its own, is no copy", "[classify]") {
  Talk later, counted, uncounted;
  for (std::uint16_t i = 1; i < 200; ++i) {
    CHECK_FALSE(later.seen(i * 100.0, i, i));
    CHECK_FALSE(later.seen(i * 100.0 + 50, i, i));
    CHECK_FALSE(counted.seen(i * 100.0, i, static_cast<std::uint16_t>(2 * i)));
    CHECK_FALSE(counted.seen(i * 100.0 + 0.1, i, static_cast<std::uint16_t>(2 * i + 1)));   // its sender said it twice
    CHECK_FALSE(uncounted.seen(i * 100.0, i, 0));
    CHECK_FALSE(uncounted.seen(i * 100.0 + 5, i, 0));
  }
}

TEST_CASE("copies that begin or end within a call don't make it lose packets", "[classify]") {
  Talk talk;
  int kept = 0;
  for (std::uint16_t i = 0; i < 600; ++i) {
    kept += !talk.seen(i * 20.0, i, i);
    if (i < 300) kept += !talk.seen(i * 20.0 + 0.01, i, i);
  }
  CHECK(kept == 600);
}
