// A line on which an application can't be reached, from packets to the verdict.
#pragma once

#include "classify/classifier.hpp"
#include "metrics/analyzer.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::test {

using Raw = std::vector<std::uint8_t>;

inline const std::string me = "192.168.1.2", resolver = "192.168.1.1", far_resolver = "198.51.100.53";

inline Raw raw(std::string_view text) { return {text.begin(), text.end()}; }

struct Line {
  std::uint8_t hops_left = 52;     ///< time to live of what comes to us
  capture::CaptureRecords records;
  metrics::Analyzer analyzer{records};
  classify::Classifier classifier{analyzer, {{}, 200'000, false}};
  std::uint64_t ordinal = 0;
  std::uint16_t number = 0;

  void send(double at_s, const std::string& from, std::uint16_t from_port, const std::string& to, std::uint16_t to_port, const Raw& payload,
            std::optional<std::uint8_t> flags = {}) {
    capture::Datagram datagram;
    datagram.time = capture::Time(capture::from_seconds(1'700'000'000 + at_s));
    datagram.ordinal = ++ordinal;
    datagram.five_tuple = {{*capture::IpAddress::parse(from), from_port}, {*capture::IpAddress::parse(to), to_port},
                           flags ? capture::protocol::tcp : capture::protocol::udp};
    datagram.time_to_live = from == me ? 64 : hops_left;
    datagram.payload = capture::Bytes(payload);
    datagram.payload_length = static_cast<std::uint32_t>(payload.size());
    datagram.ip_length = datagram.payload_length + 28;
    if (flags) {
      datagram.tcp = capture::TcpSegment{};
      datagram.tcp->flags = *flags;
    }
    classifier.on_datagram(datagram);
  }
  /// The ICMP message 3/13 (RFC 1812 5.2.7.1) about what we sent.
  void prohibit(double at_s, const std::string& sender, std::uint16_t from_port, const std::string& to, std::uint16_t to_port,
                std::uint8_t protocol = capture::protocol::tcp) {
    capture::Datagram datagram;
    datagram.time = capture::Time(capture::from_seconds(1'700'000'000 + at_s));
    datagram.ordinal = ++ordinal;
    datagram.five_tuple = {{*capture::IpAddress::parse(sender), 0}, {*capture::IpAddress::parse(me), 0}, capture::protocol::icmp};
    datagram.time_to_live = hops_left;
    datagram.ip_length = 56;
    datagram.icmp = capture::IcmpMessage{};
    datagram.icmp->type = 3;
    datagram.icmp->code = 13;
    datagram.icmp->about = capture::FiveTuple{{*capture::IpAddress::parse(me), from_port}, {*capture::IpAddress::parse(to), to_port}, protocol};
    classifier.on_datagram(datagram);
  }
  Raw dns(bool reply, std::string_view name, std::uint8_t code, const std::vector<std::string>& addresses, std::uint32_t lifetime) {
    Raw message{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(reply ? 0x81 : 1),
                static_cast<std::uint8_t>(0x80 | code), 0, 1, 0, static_cast<std::uint8_t>(addresses.size()), 0, 0, 0, 0};
    while (!name.empty()) {
      const auto part = name.substr(0, name.find('.'));
      message.push_back(static_cast<std::uint8_t>(part.size()));
      message.insert(message.end(), part.begin(), part.end());
      name.remove_prefix(std::min(part.size() + 1, name.size()));
    }
    const Raw end{0, 0, 1, 0, 1};
    message.insert(message.end(), end.begin(), end.end());
    for (const auto& address : addresses) {
      const auto parsed = *capture::IpAddress::parse(address);
      const Raw record{0xc0, 12, 0, 1, 0, 1, static_cast<std::uint8_t>(lifetime >> 24), static_cast<std::uint8_t>(lifetime >> 16), static_cast<std::uint8_t>(lifetime >> 8),
                       static_cast<std::uint8_t>(lifetime), 0, 4, parsed.bytes[0], parsed.bytes[1], parsed.bytes[2], parsed.bytes[3]};
      message.insert(message.end(), record.begin(), record.end());
    }
    return message;
  }
  struct Answer { std::uint8_t code = 0; std::vector<std::string> addresses; std::uint32_t lifetime = 300; };
  void look_up(double at, const std::string& name, const std::vector<Answer>& answers, const std::string& at_resolver = resolver) {
    ++number;
    const auto port = static_cast<std::uint16_t>(40'000 + number);
    send(at, me, port, at_resolver, 53, dns(false, name, 0, {}, 0));
    double after = 0.02;
    for (const auto& answer : answers) send(at + (after += 0.005), at_resolver, 53, me, port, dns(true, name, answer.code, answer.addresses, answer.lifetime));
  }
  /// What others are answered: three at the web's port and, unless the network is `closed`, a game elsewhere.
  void others(double at, bool over_udp = true, bool closed = false) {
    for (const auto web : {"198.51.100.7", "198.51.100.8", "198.51.100.9", "198.51.100.10"}) {
      const bool game = std::string_view(web) == "198.51.100.10";
      if (game && closed) continue;
      const std::uint16_t port = game ? 27'015 : 443;
      for (const double again : {0.0, 0.3}) {
        const auto flags = over_udp ? std::nullopt : std::optional<std::uint8_t>(16);
        send(at + again, me, 50'443, web, port, raw("question"), flags);
        send(at + again + 0.05, web, port, me, 50'443, raw("answer"), flags);
      }
    }
  }
  metrics::Analysis take() {
    classifier.finish();
    return analyzer.take_analysis();
  }
};

inline const metrics::Finding* blocking_of(const metrics::Analysis& analysis) {
  const auto found = std::find_if(analysis.findings.begin(), analysis.findings.end(), [](const auto& finding) { return finding.kind == metrics::FindingKind::blocking; });
  return found == analysis.findings.end() ? nullptr : &*found;
}
inline bool accused(const metrics::Analysis& analysis) { return analysis.verdict.verdict_class == metrics::VerdictClass::interference; }
inline std::optional<metrics::AlternativeStatus> status_of(const metrics::Finding& finding, std::string_view key) {
  for (const auto& alternative : finding.alternatives) if (alternative.key == key) return alternative.status;
  return std::nullopt;
}

}  // namespace callwitness::test
