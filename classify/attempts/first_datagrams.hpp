// What the first datagrams of a start ask for, by their own format. Pure functions.
#pragma once

#include "classify/application.hpp"
#include "classify/call.hpp"

namespace callwitness::classify {

/// The application that a first datagram's own format names; null: none.
const Application* application_by_format(const Datagram& datagram);
/// Ports so seldom used by anything else that an unanswered try says which service was meant; null: none.
const Application* application_by_telling_port(std::uint8_t protocol, std::uint16_t port);
/// The rung that this datagram asks for.
Attempt::Step step_of(const Datagram& datagram);

/// DTLS (RFC 6347 4.1): a handshake record with a ClientHello, or a fragment of one (RFC 9147 4.4: it may take two datagrams).
bool is_dtls_client_hello(Bytes bytes);
/// A DTLS record or SRTP (RFC 7983 7): who sends either has heard the hello, here or on another path.
bool answers_dtls_hello(Bytes bytes);

/// One ICE session, whichever end asks: a hash of its user names' two halves (RFC 8445 7.2.2). 0: none.
std::uint64_t ice_session_of(std::string_view username);

/// What a router or host says of a packet that it did not let through or could not deliver (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1).
enum class IcmpSays : std::uint8_t { nothing, prohibited, port_closed, unreachable };
IcmpSays icmp_says(const capture::IcmpMessage& message, bool version_6);

}  // namespace callwitness::classify
