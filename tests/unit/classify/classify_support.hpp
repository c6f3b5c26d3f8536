// A sink that keeps what classify tells, and datagrams made by hand.
#pragma once

#include "classify/classifier.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace callwitness::classify::test {

struct Recorder : MediaSink {
  std::vector<Stream> streams;
  std::vector<MediaPacket> packets;
  std::vector<RoundTrip> round_trips;
  std::vector<ReceiverReport> reports;
  std::uint64_t datagrams = 0, closed = 0;
  Classification result;
  void on_datagram(const Flow&, Way, const Datagram&) override { ++datagrams; }
  void on_stream(const Stream& stream) override { streams.push_back(stream); }
  void on_media(const MediaPacket& packet) override { packets.push_back(packet); }
  void on_round_trip(const RoundTrip& round_trip) override { round_trips.push_back(round_trip); }
  void on_receiver_report(const ReceiverReport& report) override { reports.push_back(report); }
  void on_flow_closed(const Flow&) override { ++closed; }
  void finish(const Classification& classification) override { result = classification; }
  std::uint64_t packets_of(StreamId id) const;
};

using Buffer = std::vector<std::uint8_t>;

/// Sends made-up datagrams through a classifier.
class Wire {
 public:
  explicit Wire(ClassifierOptions options = without_ndpi()) : classifier_(recorder, options) {}
  static ClassifierOptions without_ndpi() {
    ClassifierOptions options;
    options.use_ndpi = false;
    return options;
  }
  void udp(double at_ms, const Endpoint& from, const Endpoint& to, const Buffer& payload, std::uint8_t time_to_live = 64);
  void tcp(double at_ms, const Endpoint& from, const Endpoint& to, capture::TcpSegment segment, const Buffer& payload = {},
           std::uint8_t time_to_live = 64);
  void text(double at_ms, const Endpoint& from, const Endpoint& to, std::string_view payload) {
    udp(at_ms, from, to, Buffer(payload.begin(), payload.end()));
  }
  const Classification& finish() {
    classifier_.finish();
    return recorder.result;
  }
  Recorder recorder;

 private:
  void send(Datagram& datagram, double at_ms, const Endpoint& from, const Endpoint& to, const Buffer& payload, std::uint8_t time_to_live);
  Classifier classifier_;
  std::uint64_t ordinal_ = 0;
};

Endpoint endpoint(std::string_view address, std::uint16_t port);
Buffer rtp(std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t ssrc,
           std::size_t payload = 160, std::uint8_t first_byte = 0x80);
/// `count` packets of 20 ms each way of an 8 kHz call.
void call(Wire& wire, double from_ms, const Endpoint& a, const Endpoint& b, std::uint32_t ssrc, int count, std::uint8_t type = 0);

}  // namespace callwitness::classify::test
