// The flow table where somebody aims at it: keys made to collide, and a flood that must cost little memory.
#include "classify/classifier.hpp"
#include "classify/flows/flow_table.hpp"
#include "metrics/analyzer.hpp"

#include <catch2/catch.hpp>
#include <malloc.h>

#include <algorithm>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();   // gcc comes without the header
#endif

namespace callwitness::classify {
namespace {

std::size_t allocated_bytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 now = mallinfo2();
  return now.uordblks + now.hblkhd;
#endif
}

using capture::IpAddress;

/// Of a thousand hosts: what is kept of hosts has a bound of its own, beyond what a short test reaches.
FiveTuple lone(std::uint32_t i, std::uint8_t protocol) {
  return {{IpAddress::v4(0x20000000 + i % 1'000), static_cast<std::uint16_t>(1024 + i / 1'000)}, {IpAddress::v4(0x0a000001), 5060}, protocol};
}

/// Flows of one packet through classifier and meters; what they hold in memory before the end.
std::size_t memory_of_flood(std::uint32_t flows, std::uint32_t limit, std::uint8_t protocol) {
  const std::size_t before = allocated_bytes();
  capture::CaptureRecords records(1);
  metrics::Analyzer analyzer(records);
  ClassifierOptions options;
  options.use_ndpi = false;
  options.flow_limit = limit;
  Classifier classifier(analyzer, options);
  const std::vector<std::uint8_t> payload(32, 'x');
  for (std::uint32_t i = 0; i < flows; ++i) {
    Datagram datagram;
    datagram.time = Time(std::chrono::microseconds(i));
    datagram.ordinal = i + 1;
    datagram.five_tuple = lone(i, protocol);
    datagram.ip_length = 60;
    if (protocol == capture::protocol::tcp) {
      datagram.tcp.emplace();
      datagram.tcp->flags = 2;
    } else {
      datagram.payload = payload;
      datagram.payload_length = 32;
    }
    classifier.on_datagram(datagram);
  }
  return allocated_bytes() - before;
}

}  // namespace

TEST_CASE("keys made to collide spread over the table as any do", "[classify]") {
  constexpr std::uint32_t flows = 200'000;
  constexpr std::size_t buckets = 1 << 19;
  // Sums and exclusive ors of addresses and of ports are the same for all.
  const FlowTable table(flows);
  std::vector<std::uint8_t> taken(buckets);
  for (std::uint32_t i = 0; i < flows; ++i) {
    const std::uint32_t low = i % 0x8000, high = i / 0x8000 << 16;
    const FiveTuple tuple{{IpAddress::v4(0x0a000000 + high), static_cast<std::uint16_t>(1 + low)},
                          {IpAddress::v4(0x0b000000 - high), static_cast<std::uint16_t>(0xffff - low)}, 17};
    auto& count = taken[table.key_of(tuple).hash % buckets];
    if (count < 255) ++count;
  }
  // Of 200,000 balls in 524,288 boxes none holds twenty (the chance is below 1e-20), and 32 % of the boxes hold one.
  CHECK(*std::max_element(taken.begin(), taken.end()) < 20);
  CHECK(std::count_if(taken.begin(), taken.end(), [](auto count) { return count > 0; }) > 160'000);
}

TEST_CASE("a flood costs memory for the flows that live, not for those that were", "[classify]") {
  // 200,000 live flows of so much are 400 MB of the 512 MiB that docs/performance.md allows; the end needs the rest.
  constexpr std::size_t bytes_of_flow = 2'000, bytes_of_rest = 500'000;
  for (const std::uint8_t protocol : {capture::protocol::udp, capture::protocol::tcp}) {
    const std::size_t short_flood = memory_of_flood(20'000, 5'000, protocol), long_flood = memory_of_flood(80'000, 5'000, protocol);
    INFO("protocol " << int{protocol} << ", " << short_flood << " and " << long_flood << " bytes");
    CHECK(short_flood < 5'000 * bytes_of_flow + bytes_of_rest);
    CHECK(long_flood < short_flood + 500'000);
  }
}

}  // namespace callwitness::classify
