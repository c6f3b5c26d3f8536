// Frames of any link type through the redactor: never longer than the original.
#include "seeds.hpp"

#include "report/redact/redactor.hpp"

#include <cstdlib>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::frames;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint16_t link_types[] = {1, 0, 9, 12, 50, 51, 101, 104, 105, 108, 113, 119, 127, 149, 204, 228, 229, 258, 276, 999};
  capture::Cursor cursor({data, size});
  report::Redactor redactor(report::RedactionKey{});
  capture::Packet packet;
  packet.link_type = static_cast<capture::LinkType>(link_types[(cursor.u8() - 1u) % std::size(link_types)]);
  std::vector<std::uint8_t> out;
  while (cursor.remaining() > 2) {
    const std::uint16_t length = cursor.u16();
    const auto frame = cursor.take(std::min<std::size_t>(length & 0x0fff, cursor.remaining()));
    const std::vector<std::uint8_t> exact(frame.begin(), frame.end());
    packet.bytes = exact;
    packet.wire_length = static_cast<std::uint32_t>(exact.size() + (length & 0x8000 ? 500u : 0u));
    ++packet.ordinal;
    redactor.redact(packet, out);
    if (out.size() > exact.size()) std::abort();
  }
  return 0;
}
