// What a verdict claims that it would have seen.
#include "../../support/machine.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace callwitness;
using tests::Machine, tests::peer, tests::Wire;

namespace {

/// A minute of bytes that nobody can read, every 20 ms each way; of what comes, `hole` seconds of every two are lost.
metrics::Verdict opaque_call(double hole) {
  Machine machine;
  metrics::Random random(7);
  const Wire wire{peer, 30000, 23456, false};
  for (const bool sent : {true, false})
    for (double t = 2; t < 65; t += 0.02) {
      std::vector<std::uint8_t> payload(90 + random.index(20));
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(random.next() >> 24);
      if (sent || std::fmod(t, 2) >= hole) machine.udp(t + (sent ? 0 : 0.007), wire, sent, payload);
    }
  machine.pages(70);
  return machine.analysis().verdict;
}

}  // namespace

TEST_CASE("a whole cadence would have shown losses and caps", "[verdict]") {
  const auto verdict = opaque_call(0);
  CHECK(verdict.verdict_class == metrics::VerdictClass::clean);
  CHECK(verdict.smallest_detectable.contains("loss_ratio"));
  CHECK(verdict.smallest_detectable.contains("rate_ratio"));
}

TEST_CASE("where losses look like pauses no loss and no cap is claimed to have shown", "[verdict]") {
  const auto verdict = opaque_call(0.25);
  CHECK(verdict.verdict_class != metrics::VerdictClass::clean);
  CHECK_FALSE(verdict.smallest_detectable.contains("loss_ratio"));
  CHECK_FALSE(verdict.smallest_detectable.contains("rate_ratio"));
  CHECK(verdict.confidence <= 0.9);
}
