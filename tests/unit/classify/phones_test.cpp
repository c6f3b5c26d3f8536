// Captures made on a telephone or for one, from frames to calls: the program's name, and which end is ours.
#include "tests/unit/capture/capture_support.hpp"
#include "classify_support.hpp"

#include <functional>

using namespace callwitness;
using namespace callwitness::classify;
using callwitness::classify::test::Buffer;
using callwitness::classify::test::Recorder;
using callwitness::classify::test::endpoint;
using callwitness::classify::test::Wire;
using callwitness::test::ByteBuilder;

namespace {

std::string rtp_text(std::uint16_t number, std::uint32_t ssrc) {
  const Buffer bytes = classify::test::rtp(0, number, number * 160u, ssrc);
  return {bytes.begin(), bytes.end()};
}

/// A call of plain RTP out of 192.0.2.1, each datagram dressed by `frame`.
Recorder analysed(std::uint16_t link_type, const std::function<std::string(const std::string& ip, bool outbound)>& frame) {
  Recorder recorder;
  classify::Classifier classifier(recorder, Wire::without_ndpi());
  capture::Anomalies anomalies;
  capture::Decoder decoder(classifier, anomalies);
  std::uint64_t ordinal = 0;
  const auto send = [&](double at_ms, const std::string& ip, bool outbound) {
    const std::string bytes = frame(ip, outbound);
    capture::Packet packet;
    packet.time = Time(std::chrono::microseconds(static_cast<std::int64_t>(1e12 + at_ms * 1000)));
    packet.bytes = {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
    packet.wire_length = static_cast<std::uint32_t>(bytes.size());
    packet.link_type = static_cast<capture::LinkType>(link_type);
    packet.ordinal = ++ordinal;
    decoder.on_packet(packet);
  };
  for (std::uint16_t i = 0; i < 200; ++i) {
    std::string out = callwitness::test::ipv4(17, callwitness::test::udp(40'000, 50'000, rtp_text(i, 70'000)));
    std::string in = callwitness::test::ipv4(17, callwitness::test::udp(50'000, 40'000, rtp_text(i, 80'000)));
    for (std::size_t k = 0; k < 4; ++k) std::swap(in[12 + k], in[16 + k]);   // the other way
    send(i * 20.0, out, true);
    send(i * 20.0 + 5, in, false);
  }
  decoder.finish();
  return recorder;
}

std::string android(const std::string& ip, const std::string& program, std::uint32_t magic) {
  return callwitness::test::ethernet(0x0800, ip + std::string((4 - (14 + ip.size()) % 4) % 4, '\0') +
                                                 ByteBuilder(true).u32(magic).u32(10'142).text(program).zeros(20 - program.size()).u32(1).bytes());
}

}  // namespace

TEST_CASE("PCAPdroid's program is believed above all guesses", "[classify][phones]") {
  for (const std::string program : {"Viber", "WhatsApp", "com.skype.raider"}) {
    const auto recorder = analysed(1, [&](const std::string& ip, bool) { return android(ip, program, 0x01072021); });
    REQUIRE(recorder.result.calls.size() == 1);
    const Call& call = recorder.result.calls[0];
    CHECK(call.label.application == (program == "Viber" ? "viber" : program == "WhatsApp" ? "whatsapp" : "skype"));
    CHECK(call.label.basis == Basis::owner);
    CHECK(call.label.confidence >= 0.99);
    CHECK(call.owner.raw() == program);
  }
}

TEST_CASE("without its magic the trailer is padding; an unknown program is told but names no application", "[classify][phones]") {
  const auto other = analysed(1, [&](const std::string& ip, bool) { return android(ip, "Viber", 0x01072020); });
  REQUIRE(other.result.calls.size() == 1);
  CHECK(other.result.calls[0].label.application == "rtp");
  CHECK(other.result.calls[0].owner.empty());
  const auto unknown = analysed(1, [&](const std::string& ip, bool) { return android(ip, "My Radio", 0x01072021); });
  REQUIRE(unknown.result.calls.size() == 1);
  CHECK(unknown.result.calls[0].label.application == "rtp");
  CHECK(unknown.result.calls[0].owner.raw() == "My Radio");
}

TEST_CASE("iOS's remote interface names the program and the way, in both versions of its header", "[classify][phones]") {
  for (const bool second : {false, true}) {
    const auto recorder = analysed(258, [&](const std::string& ip, bool outbound) {
      const unsigned way = outbound ? 2 : 1;
      const std::string name = std::string("Tango") + std::string(12, '\0');
      if (second)
        return ByteBuilder().u8(57).u8(0).u8(0).u8(0).u8(40).u8(0).u16(12).zeros(28).u32(0x00080000 | way).text(name).text(ip).bytes();
      return ByteBuilder().u32(108).u32(1).u32(12).text("rvi0").zeros(20).u32(way).zeros(16).text(name).zeros(35).text(ip).bytes();
    });
    REQUIRE(recorder.result.calls.size() == 1);
    CHECK(recorder.result.calls[0].label.application == "tango");
    CHECK(recorder.result.vantage.basis == Vantage::Basis::direction_flags);
    REQUIRE(recorder.result.calls[0].local);
    CHECK(recorder.result.calls[0].local->text() == "192.0.2.1");
  }
}

TEST_CASE("a hotspot's guest is the local end, though the laptop knows its own address", "[classify][phones]") {
  const Endpoint guest = endpoint("192.168.43.20", 40'000), laptop = endpoint("10.1.2.3", 41'000), peer = endpoint("198.51.100.7", 50'000), web = endpoint("203.0.113.9", 443);
  Wire wire;
  for (std::uint16_t i = 0; i < 300; ++i) {
    wire.udp(i * 20.0, guest, peer, classify::test::rtp(0, i, i * 160u, 70'000), 63);   // it has been forwarded once
    wire.udp(i * 20.0 + 5, peer, guest, classify::test::rtp(0, i, i * 160u, 80'000), 49);
    if (i % 5 != 0) continue;
    wire.udp(i * 20.0 + 7, laptop, web, Buffer(90, 1), 64);
    wire.udp(i * 20.0 + 40, web, laptop, Buffer(900, 2), 52);
  }
  const auto& result = wire.finish();
  CHECK(result.vantage.basis == Vantage::Basis::time_to_live);
  REQUIRE(result.calls.size() == 1);
  REQUIRE(result.calls[0].local);
  CHECK(*result.calls[0].local == guest.address);
  CHECK(result.calls[0].remote_endpoint == peer);
}

TEST_CASE("a router's tap: the private end is taken for ours, with little confidence; two public ends are not told apart", "[classify][phones]") {
  const Endpoint inside = endpoint("192.168.1.20", 40'000), outside = endpoint("203.0.113.20", 40'000), peer = endpoint("198.51.100.7", 50'000);
  for (const auto& end : {inside, outside}) {
    Wire wire;
    for (std::uint16_t i = 0; i < 300; ++i) {
      wire.udp(i * 20.0, end, peer, classify::test::rtp(0, i, i * 160u, 70'000), 62);
      wire.udp(i * 20.0 + 5, peer, end, classify::test::rtp(0, i, i * 160u, 80'000), 51);
    }
    const auto& result = wire.finish();
    REQUIRE(result.calls.size() == 1);
    if (end == inside) {
      CHECK(result.vantage.basis == Vantage::Basis::private_address);
      CHECK(result.vantage.confidence <= 0.8);
      CHECK(result.calls[0].local == inside.address);
    } else {
      CHECK(result.vantage.basis == Vantage::Basis::unknown);
      CHECK_FALSE(result.calls[0].local);
    }
  }
}

TEST_CASE("a telephone exchange in the house, beside us, is not taken for us", "[classify][phones]") {
  const Endpoint laptop = endpoint("192.168.1.5", 40'000), exchange = endpoint("192.168.1.10", 50'000), trunk = endpoint("198.51.100.7", 50'002);
  Wire wire;
  for (std::uint16_t i = 0; i < 300; ++i) {
    wire.udp(i * 20.0, laptop, exchange, classify::test::rtp(0, i, i * 160u, 70'000), 64);
    wire.udp(i * 20.0 + 5, exchange, laptop, classify::test::rtp(0, i, i * 160u, 80'000), 63);
    if (i % 5 == 0) {
      wire.udp(i * 20.0 + 7, exchange, trunk, Buffer(90, 1), 63);
      wire.udp(i * 20.0 + 40, trunk, exchange, Buffer(90, 2), 52);
    }
  }
  const auto& result = wire.finish();
  REQUIRE(result.calls.size() == 1);
  CHECK(result.calls[0].local == laptop.address);
}
