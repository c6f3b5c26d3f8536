// Removes from a packet what tells who somebody is, and keeps what tells how the network treated the call.
// Kept: times, lengths on the wire, ports, sequence numbers, timestamps, header fields, the names of well-known
// services. Replaced, the same everywhere: addresses (Crypto-PAn), MACs, host names, SIP identities, STUN addresses.
// Cut: payloads. docs/methods/redaction.md says which bytes of which protocol stay and why.
#pragma once

#include "capture/packet.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::metrics {
struct Analysis;
}

namespace callwitness::report {

/// 256 secret bits. Equal keys give equal pseudonyms, so captures of one incident can be redacted alike.
using RedactionKey = std::array<std::uint8_t, 32>;

/// From the system's random source; empty only where that fails.
std::optional<RedactionKey> random_redaction_key();

class Redactor {
 public:
  struct Summary {
    std::uint64_t packets = 0;
    std::uint64_t payloads_cut = 0;
    std::uint64_t names_replaced = 0;      ///< DNS names, SNI, SIP identities, certificates' and RTCP's texts
    std::uint64_t emptied = 0;             ///< link or network layer that we can't read: nothing of it was kept
  };

  /// `analysis`, of the same packets: which flows carry an application's own format. Without, packets are judged each
  /// by itself, and some lose their counters. Not kept.
  explicit Redactor(const RedactionKey& key, const metrics::Analysis* analysis = nullptr);
  ~Redactor();

  /// Reads a packet that `redact` will be given later, for what is cut into pieces. All packets, in order, before the first `redact`.
  void gather(const capture::Packet& packet);

  /// The packet's bytes as they may be shown, in `out`; never longer than the original.
  void redact(const capture::Packet& packet, std::vector<std::uint8_t>& out);
  const Summary& summary() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads `input` (any capture that analyze reads) and writes a redacted pcapng to `output`, which must not exist.
/// What was done is recorded in the section's comment.
capture::Result<Redactor::Summary> redact_capture(const std::string& input, const std::string& output,
                                                  const RedactionKey& key, const metrics::Analysis* analysis = nullptr);

}  // namespace callwitness::report
