// A small model of TCP downloads through one narrow place, for tests of what a capture of either end lets us say.
// Senders follow Reno or CUBIC with selective acknowledgements and timeouts; every packet is captured before the narrow
// place (at the sender) or after it (at the receiver).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace tests {

/// The narrow place: when a packet of `bytes` that comes at `time` (seconds) leaves it; negative: dropped. Called in
/// order of time.
using NarrowPlace = std::function<double(double time, double bytes)>;

NarrowPlace token_bucket(double rate_bps, double depth_bytes);
NarrowPlace tail_drop_queue(double rate_bps, double queue_bytes);
/// Drops one packet each time that the queue has stayed above `target` seconds for 100 ms, oftener while it stays (as CoDel).
NarrowPlace managed_queue(double rate_bps, double target);
NarrowPlace random_loss(double probability, std::uint64_t seed);
/// Losses in bursts of `burst` packets on average.
NarrowPlace burst_loss(double probability, double burst, std::uint64_t seed);
/// A tail-drop queue whose rate changes every 200 ms by a random walk, as a radio link's does.
NarrowPlace radio_queue(double rate_bps, double queue_bytes, std::uint64_t seed);
/// One after the other.
NarrowPlace chain(std::vector<NarrowPlace> places);
/// Traffic that the capture doesn't hold shares the place: bursts of `share` of `rate_bps`.
NarrowPlace with_cross_traffic(NarrowPlace place, double rate_bps, double share, std::uint64_t seed);

struct Download {
  double start = 0, end = 60;      ///< seconds
  double round_trip = 0.05;        ///< without any queue
  bool cubic = true;
  double application_bps = 0;      ///< 0: as fast as TCP lets it
  int place = 0;                   ///< which narrow place it goes through
  std::uint32_t payload = 1'448;
};

struct TcpScenario {
  std::vector<NarrowPlace> places;
  std::vector<Download> downloads;
  bool captured_at_sender = true;
  double acknowledgement_jitter = 0.001;     ///< seconds
  double receive_batch = 0;                  ///< seconds: the last hop hands packets over in such steps (Wi-Fi)
  std::uint64_t seed = 1;
};

struct CapturedFrame { double time = 0; std::vector<std::uint8_t> bytes; };   ///< Ethernet

std::vector<CapturedFrame> run(TcpScenario scenario);

}  // namespace tests
