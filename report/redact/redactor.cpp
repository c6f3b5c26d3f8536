#include "report/redact/redactor.hpp"

#include "report/redact/flows.hpp"
#include "report/redact/network.hpp"
#include "report/redact/pseudonyms.hpp"

#include <openssl/rand.h>

#include <algorithm>

namespace callwitness::report {

namespace {

/// Of STUN and TURN servers (RFC 8489, TURN behind 443, Google's): no person's telephone answers there.
bool is_relay_port(std::uint16_t port) { return port == 443 || (port >= 3478 && port <= 3481) || port == 5349 || (port >= 19302 && port <= 19309); }

}  // namespace

std::optional<RedactionKey> random_redaction_key() {
  RedactionKey key{};
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) return std::nullopt;
  return key;
}

struct Redactor::State {
  State(const RedactionKey& key, const metrics::Analysis* analysis)
      : flows(analysis != nullptr ? KnownFlows(*analysis) : KnownFlows()), pseudonyms(key), network(pseudonyms, summary, flows, &wholes),
        gatherer(pseudonyms, gathered, flows, &wholes) {
    if (analysis == nullptr) return;
    const auto& local = analysis->classification.vantage.local;
    for (const auto& flow : analysis->classification.flows)
      for (const auto& end : {flow.five_tuple.source, flow.five_tuple.destination})
        if (flow.label.basis == classify::Basis::ndpi && is_relay_port(end.port) && std::find(local.begin(), local.end(), end.address) == local.end()) pseudonyms.keep_network(end.address);
  }
  Summary summary, gathered;               ///< what gathering counts is counted again
  KnownFlows flows;
  Pseudonyms pseudonyms;
  Wholes wholes;
  NetworkScrubber network, gatherer;
};

Redactor::Redactor(const RedactionKey& key, const metrics::Analysis* analysis) : state_(std::make_unique<State>(key, analysis)) {}
Redactor::~Redactor() = default;

void Redactor::gather(const capture::Packet& packet) {
  std::vector<std::uint8_t> bytes(packet.bytes.begin(), packet.bytes.end());
  state_->gatherer.scrub_frame(bytes, packet.link_type);
}

void Redactor::redact(const capture::Packet& packet, std::vector<std::uint8_t>& out) {
  out.assign(packet.bytes.begin(), packet.bytes.end());
  ++state_->summary.packets;
  if (state_->wholes.gathering) state_->wholes.hand_out();
  const std::size_t shown = state_->network.scrub_frame(out, packet.link_type);
  out.resize(std::min(shown, out.size()));
}

const Redactor::Summary& Redactor::summary() const { return state_->summary; }

}  // namespace callwitness::report
