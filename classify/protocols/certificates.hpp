// Names in the certificates that servers show in clear: TLS up to 1.2 over TCP, DTLS up to 1.2 over UDP (RFC 5246 7.4.2, RFC 6347).
#pragma once

#include "classify/flow.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace callwitness::classify {

/// The DNS names of an X.509 certificate (RFC 5280): the alternative names, else the common name. Lower case, ≤128;
/// none where the bytes are no certificate. A leading "*." is left out.
std::vector<std::string> certificate_names(Bytes certificate);

/// The key of the application that all these names belong to; empty: none, or a certificate that several share.
std::string_view application_of_certificate(const std::vector<std::string>& names);

/// Puts the servers' Certificate messages together, of few connections at a time.
class CertificateReader {
 public:
  /// Whether a datagram can have part of a certificate at all: false for nearly all.
  bool may_tell(const Datagram& datagram) const;
  /// A name out of the certificate that this datagram completes, if one application's names are all there are in it.
  std::string on_datagram(const Datagram& datagram);

 private:
  struct Connection {
    FiveTuple five_tuple;                             ///< from the server
    std::uint32_t next_sequence = 0;                  ///< TCP
    std::vector<std::uint8_t> records;                ///< TCP: from the ServerHello's record on
    std::map<std::uint32_t, std::vector<std::uint8_t>> pieces;  ///< DTLS: of the Certificate message, by offset
    std::uint32_t length = 0;                         ///< DTLS: of that message
    std::size_t held = 0;
  };
  std::string on_tcp(const Datagram& datagram);
  std::string on_dtls(const Datagram& datagram);
  Connection* find(const FiveTuple& five_tuple);
  Connection& open(const FiveTuple& five_tuple);
  void close(const FiveTuple& five_tuple);
  std::deque<Connection> connections_;
};

}  // namespace callwitness::classify
