// Holes in what our end sent: the capture's own where it was made there, the way's where a router lies between.
#include "../../support/machine.hpp"

#include <catch2/catch.hpp>

using namespace tests;

namespace {

/// A call of a minute of whose sent packets every twelfth never reached the capture, with this time to live at the capture.
metrics::Analysis with_holes(std::uint8_t time_to_live) {
  Machine machine;
  machine.talk({peer, 40000, 23456, false}, 1, 61, 61, 0x1234);
  machine.pages(60);
  std::vector<CapturedFrame> captured;
  std::size_t sent = 0;
  for (auto& frame : machine.frames) {
    constexpr std::size_t place = 14 + 8;                     // of the IP header's time to live
    const bool is_ours = frame.bytes[place] == 64, is_udp = frame.bytes[place + 1] == 17;
    if (is_ours) frame.bytes[place] = time_to_live;
    if (!is_ours || !is_udp || ++sent % 12 != 0) captured.push_back(frame);
  }
  machine.frames = captured;
  return machine.analysis();
}

}  // namespace

TEST_CASE("holes in what we send are the capture's, and much of that leaves nothing to be called clean", "[vantage]") {
  const auto analysis = with_holes(64);
  CHECK(has(analysis, "capture_loss"));
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::insufficient);
}

TEST_CASE("beyond a router they are the way's", "[vantage]") {
  const auto analysis = with_holes(62);
  CHECK_FALSE(has(analysis, "capture_loss"));
  CHECK(has(analysis, "loss"));
  CHECK(analysis.verdict.verdict_class == metrics::VerdictClass::impaired);
}
