#include "classify/attempts/first_datagrams.hpp"

#include "classify/protocols/stun.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::uint16_t binding = 1, allocate = 3;

bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

std::uint64_t hash_of(std::string_view text) {   // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

const Application* application_by_format(const Datagram& datagram) {
  if (starts_with(datagram.payload, "TS3INIT1")) return find_application("teamspeak");
  const auto message = parse_stun(datagram.payload, datagram.payload_length);
  if (!message || !message->has_cookie || message->message_class != StunMessage::Class::request) return nullptr;
  if (message->method != binding && message->method != allocate) return nullptr;
  const bool check = message->method == binding && !message->username.empty();
  if (!check && !datagram.five_tuple.destination.address.is_routable()) return nullptr;
  if (message->method == allocate && datagram.payload.size() > 22 && datagram.payload[20] == 0x40 && datagram.payload[21] == 0) return find_application("whatsapp");
  return find_application("webrtc");
}

const Application* application_by_telling_port(std::uint8_t protocol, std::uint16_t port) {
  const Application* application = application_of_port(protocol, port);
  if (!application) return nullptr;
  const auto key = application->key;
  const bool telling = key == "viber" || key == "ventrilo" || key == "mumble" || key == "zoom" || key == "iax2" ||
                       (key == "teamspeak" && protocol == capture::protocol::udp) || (key == "sip" && protocol == capture::protocol::tcp);
  return telling ? application : nullptr;
}

Attempt::Step step_of(const Datagram& datagram) {
  const auto message = parse_stun(datagram.payload, datagram.payload_length);
  if (!message || message->message_class != StunMessage::Class::request) return Attempt::Step::datagrams;
  if (message->method == allocate) return Attempt::Step::allocation;
  if (message->method != binding) return Attempt::Step::datagrams;
  return message->username.empty() ? Attempt::Step::stun_request : Attempt::Step::stun_check;
}

bool is_dtls_client_hello(Bytes bytes) {
  constexpr std::uint8_t handshake = 22, client_hello = 1;
  constexpr std::size_t record_header = 13;
  return bytes.size() > record_header && bytes[0] == handshake && bytes[1] == 0xfe && bytes[2] >= 0xfc && bytes[record_header] == client_hello;
}

bool answers_dtls_hello(Bytes bytes) {
  if (bytes.empty() || is_dtls_client_hello(bytes)) return false;
  const bool record = bytes[0] >= 20 && bytes[0] <= 63, media = bytes[0] >= 128 && bytes[0] <= 191;
  return record || media;
}

std::uint64_t ice_session_of(std::string_view username) {
  if (username.empty()) return 0;
  const auto colon = username.find(':');
  if (colon == std::string_view::npos) return hash_of(username) | 1;
  return (hash_of(username.substr(0, colon)) + hash_of(username.substr(colon + 1))) | 1;   // the same for either end's order
}

IcmpSays icmp_says(const capture::IcmpMessage& message, bool version_6) {
  using enum IcmpSays;
  if (message.type != (version_6 ? 1 : 3)) return nothing;
  switch (message.code) {
    case 0: return unreachable;
    case 1: return version_6 ? prohibited : unreachable;
    case 3: return version_6 ? unreachable : port_closed;
    case 4: return version_6 ? port_closed : nothing;      // IPv4: too big, not refused
    case 5: return unreachable;                            // IPv6: the source's address is the fault; IPv4: no such route
    case 6: return version_6 ? prohibited : unreachable;
    case 7: return version_6 ? nothing : unreachable;
    case 9: case 10: case 13: return version_6 ? nothing : prohibited;
    default: return nothing;
  }
}

}  // namespace callwitness::classify
