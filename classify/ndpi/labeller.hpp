// nDPI's opinion of a flow, asked of a sandboxed child process. Debian's nDPI 4.2 crashes on one datagram and hangs on
// another (docs/decisions): such a packet costs its own flow's label and nothing else.
//
// An answer is a pure function of that flow's first packets: it depends neither on other flows nor on when it is asked
// for nor on how often the child had to be replaced. So answers may come late; fuse them in Classifier::finish.
#pragma once

#include "capture/anomalies.hpp"
#include "classify/flow.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace callwitness::classify::ndpi {

/// Where nDPI has its answer from, weakest first.
enum class Certainty : std::uint8_t { none, port, address, content };

/// Names are nDPI's own, in lower case ("tls", "skypecall", "whatsappcall"), from the library and never off the wire;
/// empty: unknown. They are valid as long as the Labeller.
struct Answer {
  FlowId flow{};
  std::string_view master;        ///< the carrying protocol: "stun"; empty if there is only one name
  std::string_view application;   ///< what it is: "whatsappcall", or "stun" if that is all
  Certainty certainty = Certainty::none;
};

/// Of the library loaded, as it tells it: "4.2.0".
std::string_view library_version();

class Labeller {
 public:
  static constexpr std::size_t packet_limit = 32;            ///< packets of a flow that are looked at
  static constexpr std::size_t payload_limit = 16 * 1024;    ///< larger payloads are left out

  /// Forks nDPI's process: to be made before the program has threads, whose locks a fork would leave taken for ever,
  /// before privileges are dropped, and before there is much memory to inherit.
  Labeller();
  ~Labeller();

  /// Hands over one of a flow's first datagrams (copied), of TCP or UDP, in order. Empty, fragmented and oversized ones
  /// are left out here. False: this flow needs no more (until then cheap; asking on is harmless).
  bool submit(FlowId flow, const Datagram& datagram);

  /// The flow has ended: ask with what there is. Without it `drain` asks.
  void close(FlowId flow);

  /// The flow is not worth an answer (evicted): what is kept of it is dropped.
  void forget(FlowId flow);

  /// Answers that have come meanwhile, for the live view only; never waits.
  std::vector<Answer> poll();

  /// Asks about all open flows, waits, and returns every answer of the run, those polled too, by flow. Flows that
  /// nDPI does not know, and those whose packet broke it, are missing.
  std::vector<Answer> drain();

  /// ndpi_crashed, ndpi_hung, ndpi_unavailable: flows left unlabelled for that reason.
  const capture::Anomalies& anomalies() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::classify::ndpi
