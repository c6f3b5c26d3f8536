#include "classify/flows/copies.hpp"

#include <algorithm>
#include <cstring>

namespace callwitness::classify {
namespace {

// Two interfaces of one machine show a packet within its forwarding time; a sender that doesn't count its packets (identification
// 0, IPv6) may say the same twice within a few milliseconds by itself, as bare acknowledgements do.
constexpr capture::Duration counted_window = std::chrono::milliseconds(20), uncounted_window = std::chrono::milliseconds(2);
constexpr std::size_t compared = 64;               // bytes of the payload: numbers and the beginning of what is said
constexpr std::uint32_t nearly_all_of = 5, nearly_all = 4;
constexpr std::uint16_t remembered = 1'000;        // originals, before older ones weigh half

std::uint64_t mix(std::uint64_t mark, std::uint64_t word) {
  mark = (mark ^ word) * 0x9e3779b97f4a7c15ULL;
  return mark ^ mark >> 32;
}

std::uint64_t mark_of(const capture::Datagram& datagram) {
  const auto& tuple = datagram.five_tuple;
  std::uint64_t mark = mix(std::uint64_t{datagram.ip_id} << 48 | std::uint64_t{datagram.ip_length} << 16 | tuple.source.port,
                           std::uint64_t{datagram.payload_length} << 32 | std::uint64_t{tuple.protocol} << 16 | tuple.destination.port);
  const auto add = [&](const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t at = 0; at < size; at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min(sizeof word, size - at));
      mark = mix(mark, word);
    }
  };
  const auto address_size = [](const capture::IpAddress& address) { return address.version == 4 ? std::size_t{4} : address.bytes.size(); };
  add(tuple.source.address.bytes.data(), address_size(tuple.source.address));
  add(tuple.destination.address.bytes.data(), address_size(tuple.destination.address));
  if (datagram.tcp)
    mark = mix(mix(mark, std::uint64_t{datagram.tcp->sequence} << 32 | datagram.tcp->acknowledgement),
               std::uint64_t{datagram.tcp->window} << 40 | std::uint64_t{datagram.tcp->flags} << 32 | datagram.tcp->timestamp_value);
  add(datagram.payload.data(), std::min(datagram.payload.size(), compared));
  return mark == 0 ? 1 : mark;
}

/// What opens or breaks a connection is sent again on purpose, and by forgers at once.
bool may_be_repeated(const capture::Datagram& datagram) { return datagram.tcp && (datagram.tcp->syn() || datagram.tcp->rst()); }

}  // namespace

bool CopyWatch::is_copy(const capture::Datagram& datagram, CopyCounters& counters) {
  const std::uint64_t mark = mark_of(datagram);
  Seen& seen = seen_[mark % places];
  const auto apart = datagram.time - seen.time;
  const bool counted = datagram.ip_id != 0;
  const auto window = counted ? counted_window : uncounted_window;
  const bool again = seen.mark == mark && apart <= window && apart >= -window && (counted || !may_be_repeated(datagram));
  if (!again) {
    seen = {mark, datagram.time};
    if (++counters.originals == remembered) {
      counters.originals /= 2;
      counters.copies /= 2;
    }
    return false;
  }
  if (counters.copies < UINT16_MAX) ++counters.copies;
  return counters.copies * nearly_all_of >= counters.originals * nearly_all;
}

}  // namespace callwitness::classify
