// Frames of any link type. The input: a byte choosing the link type, then frames, each after its 16-bit length.
#include "seeds.hpp"

#include "capture/decoder.hpp"

#include <cstdlib>
#include <vector>

using namespace callwitness::capture;

const callwitness::fuzz::Seeds callwitness::fuzz::wanted_seeds = callwitness::fuzz::Seeds::frames;

namespace {
constexpr std::uint16_t link_types[] = {0, 1, 9, 12, 50, 51, 101, 104, 105, 108, 113, 119, 127, 149, 204, 228, 229, 258, 276, 999};

struct Check final : DatagramSink {
  void on_datagram(const Datagram& datagram) override {
    for (const std::uint8_t byte : datagram.payload) sum += byte;
    for (const char c : datagram.owner) sum += static_cast<unsigned char>(c);
    if (datagram.payload.size() > datagram.payload_length) std::abort();
    if (datagram.ip_length < datagram.payload_length && !datagram.fragmented) std::abort();
  }
  unsigned sum = 0;
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Cursor cursor(Bytes(data, size));
  Check sink;
  Anomalies anomalies;
  Decoder decoder(sink, anomalies);
  Packet packet;
  packet.link_type = static_cast<LinkType>(link_types[cursor.u8() % std::size(link_types)]);
  while (cursor.remaining() > 2) {
    const std::uint16_t length = cursor.u16();
    const Bytes frame = cursor.take(std::min<std::size_t>(length & 0x0fff, cursor.remaining()));
    const std::vector<std::uint8_t> exact(frame.begin(), frame.end());
    packet.bytes = exact;
    packet.wire_length = length & 0x8000 ? static_cast<std::uint32_t>(frame.size()) + length : static_cast<std::uint32_t>(frame.size());
    packet.time += std::chrono::milliseconds(length & 0xff);
    ++packet.ordinal;
    decoder.on_packet(packet);
  }
  decoder.finish();
  return 0;
}
