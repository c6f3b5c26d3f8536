#include "report/redact/frames.hpp"

#include "capture/cursor.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

constexpr std::uint32_t cookie = 0x2112a442;

void blank(Payload bytes) { std::fill(bytes.begin(), bytes.end(), std::uint8_t{0}); }

bool cookie_at(Payload bytes, std::size_t at) {
  capture::Cursor cursor(bytes);
  cursor.skip(at);
  return cursor.u32() == cookie && cursor.ok();
}

bool is_channel(std::uint8_t first) { return first >= 0x40 && first <= 0x4f; }

/// Behind a frame's own header: what a datagram would hold.
void scrub_inner(Payload inner, std::size_t whole, const PayloadContext& context) {
  PayloadContext datagram = context;
  datagram.is_tcp = false;
  datagram.wire_length = static_cast<std::uint32_t>(whole);
  const std::size_t shown = inner.empty() ? 0 : scrub_payload(inner, datagram);
  blank(inner.subspan(std::min(shown, inner.size())));
}

}  // namespace

std::size_t FramedStreams::scrub(Payload segment, std::uint32_t sequence, const PayloadContext& context) {
  const auto size = segment.size();
  auto found = places_.find(context.five_tuple);
  if (found == places_.end()) {
    if (places_.size() >= stream_limit) return 0;
    const auto other = places_.find(context.five_tuple.reversed());
    Place fresh;
    fresh.next = sequence;
    fresh.prefixed = other != places_.end() ? other->second.prefixed : cookie_at(segment, 6);
    found = places_.emplace(context.five_tuple, fresh).first;
  }
  Place& place = found->second;
  if (static_cast<std::int32_t>(sequence - place.next) < 0) {   // sent once more: its frames are there already
    blank(segment);
    return size;
  }
  if (sequence != place.next) place.remaining = place.header_size = 0;
  place.next = sequence + static_cast<std::uint32_t>(size);
  std::size_t at = std::min(place.remaining, size);
  blank(segment.first(at));
  place.remaining -= at;
  while (at < size) {
    const std::size_t header = place.prefixed ? 2 : 4, before = place.header_size;
    const std::size_t here = std::min(header - before, size - at);
    std::copy_n(segment.begin() + static_cast<std::ptrdiff_t>(at), here, place.header.begin() + static_cast<std::ptrdiff_t>(before));
    place.header_size += here;
    if (place.header_size < header) return size;                 // lengths and kinds: shown as they are
    place.header_size = 0;
    const std::size_t told = static_cast<std::size_t>(place.header[header - 2]) << 8 | place.header[header - 1];
    const bool channel = !place.prefixed && is_channel(place.header[0]);
    if (!place.prefixed && !channel && place.header[0] > 3) {    // no frame begins so: the place is lost
      blank(segment.subspan(at));
      return size;
    }
    // A STUN message's length counts what stands behind its 20 bytes; ChannelData is padded to four.
    const std::size_t behind = place.prefixed ? told : channel ? (told + 3) & ~std::size_t{3} : 16 + told;
    const std::size_t shown = std::min(behind, size - at - here);
    if (!place.prefixed && !channel) {
      const Payload message = segment.subspan(at + here - std::min(here, header), std::min(header, here) + shown);
      if (before == 0 && shown == behind) blank(message.subspan(std::min(scrub_stun(message, context), message.size())));
      else blank(segment.subspan(at + here, shown));
    } else {
      scrub_inner(segment.subspan(at + here, std::min(told, shown)), told, context);
    }
    at += here + shown;
    place.remaining = behind - shown;
  }
  return size;
}

}  // namespace callwitness::report
