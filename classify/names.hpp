// Names seen before a flow: DNS answers (address → name) and the server names of TLS and QUIC ClientHellos. Bounded.
#pragma once

#include "capture/anomalies.hpp"
#include "classify/application.hpp"
#include "classify/protocols/quic.hpp"

#include <memory>
#include <string>
#include <vector>

namespace callwitness::classify {

/// What one DNS message says. Parsed with bounds, pointers followed only backwards and ≤32 times.
struct DnsMessage {
  std::uint16_t id = 0;
  bool is_response = false;
  std::uint8_t response_code = 0;
  std::uint16_t question_type = 0;                 ///< 1 A, 28 AAAA, 65 HTTPS
  std::string question;                            ///< lower case, without the last dot; hostile text
  std::vector<capture::IpAddress> addresses;       ///< A and AAAA answers, ≤16
  std::vector<std::string> aliases;                ///< CNAME targets, ≤8
  std::optional<std::uint32_t> time_to_live;       ///< smallest of the address answers, seconds
  std::uint16_t answer_count = 0;                  ///< as the header says
};
/// Null: not a readable DNS message. `anomalies` counts what was wrong.
std::optional<DnsMessage> read_dns(Bytes payload, capture::Anomalies& anomalies);

/// The server name in the bytes of a TLS ClientHello (one or more records, possibly cut short).
struct ClientHello {
  std::string server_name;    ///< empty: none found in these bytes
  bool complete = false;      ///< false: more bytes could still bring the name
};
/// Null: these bytes do not begin a ClientHello.
std::optional<ClientHello> read_client_hello(Bytes bytes);
/// The same of the handshake message itself, without records (as QUIC carries it); nothing found: empty and not complete.
ClientHello read_client_hello_message(Bytes handshake);

class NameTable {
 public:
  NameTable();
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  /// Whether a datagram can tell a name at all: cheap, and false for nearly all.
  static bool may_tell(const Datagram& datagram) {
    constexpr std::uint16_t dns_port = 53, quic_port = 443;
    if (datagram.tcp) return datagram.payload_length > 0;
    if (datagram.five_tuple.protocol != capture::protocol::udp || datagram.payload.empty()) return false;
    if (datagram.payload[0] == 22) return true;   // DTLS
    return datagram.five_tuple.source.port == dns_port || (datagram.five_tuple.destination.port == quic_port && QuicFlight::may_begin(datagram.payload));
  }
  /// Reads DNS (port 53) and ClientHellos in TLS and QUIC (UDP port 443). Call for every datagram, before labels are looked up. Returns the server
  /// name that this datagram tells of its own flow (SNI); empty: none. O(1) and without allocation for other packets.
  Untrusted on_datagram(const Datagram& datagram);
  /// A name of the certificate that the server showed with this datagram, for flows without a better name. Empty: none,
  /// or one that several applications share.
  Untrusted certificate_name(const Datagram& datagram);

  struct Entry {
    Untrusted name;                                ///< as asked, not the CNAME's end
    std::string_view application;                  ///< by the name's suffix; empty: not a voice service
    Time time;
  };
  /// The latest name that gave this address; null: none.
  const Entry* lookup(const capture::IpAddress& address) const;
  const capture::Anomalies& anomalies() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::classify
