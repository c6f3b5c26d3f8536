// From datagrams to flows, media streams, calls and attempts.
#pragma once

#include "capture/datagram.hpp"
#include "classify/sink.hpp"

#include <memory>
#include <vector>

namespace callwitness::classify {

struct ClassifierOptions {
  std::vector<capture::IpAddress> local;      ///< --local; empty: infer
  std::uint32_t flow_limit = 200'000;         ///< live flows; a flood evicts one-packet flows first, never a call
  bool use_ndpi = true;                       ///< false: our own recognisers only (tests, or no child possible)
};

class Classifier final : public capture::DatagramSink {
 public:
  /// To be made before the program has threads and before it drops privileges: see ndpi/labeller.hpp.
  Classifier(MediaSink& sink, const ClassifierOptions& options);
  ~Classifier() override;
  void on_datagram(const Datagram& datagram) override;
  void on_datagrams(std::span<const Datagram> datagrams) override;
  void on_idle(Time now) override;
  void finish() override;                     ///< fuses the evidence, builds the calls, calls sink.finish

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::classify
