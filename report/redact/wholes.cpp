#include "report/redact/wholes.hpp"

#include "classify/protocols/sip.hpp"

#include <algorithm>

namespace callwitness::report {
namespace {

constexpr std::size_t largest_datagram = 65'535, largest_message = 64 * 1024, messages_limit = 10'000;

}  // namespace

bool Wholes::fragment(const FragmentKey& key, const Fragment& at, Payload piece, const std::function<void(Payload)>& rewrite) {
  auto found = fragments_.find(key);
  if (gathering) {
    if (at.offset + piece.size() > largest_datagram || bytes_ + piece.size() > byte_limit || entries_ >= entry_limit) return false;
    if (found == fragments_.end()) found = fragments_.emplace(key, Fragments{}).first;
    auto& datagrams = found->second.datagrams;
    if (datagrams.empty() || datagrams.back().whole()) {
      datagrams.emplace_back();
      ++entries_;
    }
    Datagram& datagram = datagrams.back();
    if (datagram.bytes.size() < at.offset + piece.size()) {
      bytes_ += at.offset + piece.size() - datagram.bytes.size();
      datagram.bytes.resize(at.offset + piece.size());
    }
    std::copy(piece.begin(), piece.end(), datagram.bytes.begin() + static_cast<std::ptrdiff_t>(at.offset));
    datagram.arrived += piece.size();
    if (at.last) datagram.size = at.offset + piece.size();
    if (datagram.whole()) rewrite(datagram.bytes);
    return false;
  }
  if (found == fragments_.end()) return false;
  Fragments& all = found->second;
  if (all.current >= all.datagrams.size() || !all.datagrams[all.current].whole()) return false;
  const auto& bytes = all.datagrams[all.current].bytes;
  const bool fits = at.offset + piece.size() <= bytes.size();
  if (fits) std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at.offset), piece.size(), piece.begin());
  all.arrived += piece.size();
  if (at.last) all.size = at.offset + piece.size();
  if (all.size > 0 && all.arrived >= all.size) {
    ++all.current;
    all.arrived = all.size = 0;
  }
  return fits;
}

bool Wholes::gather_segment(Stream& stream, std::uint32_t sequence, Payload piece, const std::function<void(Payload)>& rewrite) {
  if (!stream.started) {
    if (!looks_like_sip(piece)) return false;
    stream.started = true;
    stream.next = sequence;
  }
  if (stream.lost || static_cast<std::int32_t>(sequence - stream.next) < 0) return false;    // sent again: it is there already
  if (sequence != stream.next) {                                                             // a hole: begin again at a message
    stream.pending.clear();
    if (!looks_like_sip(piece)) return false;
  }
  stream.next = sequence + static_cast<std::uint32_t>(piece.size());
  if (bytes_ + piece.size() > byte_limit || stream.messages.size() >= messages_limit || stream.pending.size() + piece.size() > largest_message) {
    stream.lost = true;
    stream.pending.clear();
    return false;
  }
  stream.pending.insert(stream.pending.end(), piece.begin(), piece.end());
  while (!stream.pending.empty()) {
    const bool keep_alive = stream.pending.front() == '\r' || stream.pending.front() == '\n';
    const std::size_t size = keep_alive ? 1 : classify::text_message_size(stream.pending);
    if (size == 0 || size > stream.pending.size()) break;
    const auto end = stream.pending.begin() + static_cast<std::ptrdiff_t>(size);
    std::vector<std::uint8_t> message(stream.pending.begin(), end);
    if (!keep_alive) rewrite(message);
    bytes_ += size;
    stream.messages.emplace(stream.next - static_cast<std::uint32_t>(stream.pending.size()), std::move(message));
    stream.pending.erase(stream.pending.begin(), end);
  }
  return false;
}

bool Wholes::segment(const capture::FiveTuple& five_tuple, std::uint32_t sequence, Payload piece, const std::function<void(Payload)>& rewrite) {
  auto found = streams_.find(five_tuple);
  if (gathering) {
    if (found == streams_.end()) {
      if (streams_.size() >= stream_limit || !looks_like_sip(piece)) return false;
      found = streams_.emplace(five_tuple, Stream{}).first;
    }
    return gather_segment(found->second, sequence, piece, rewrite);
  }
  if (found == streams_.end()) return false;
  const auto& messages = found->second.messages;
  std::size_t filled = 0;
  while (filled < piece.size()) {
    const auto at = sequence + static_cast<std::uint32_t>(filled);
    auto after = messages.upper_bound(at);
    if (after == messages.begin()) return false;
    const auto& [begin, message] = *--after;
    const std::size_t into = at - begin;
    if (into >= message.size()) return false;
    const std::size_t count = std::min(message.size() - into, piece.size() - filled);
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(into), count, piece.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += count;
  }
  return true;
}

void Wholes::hand_out() {
  gathering = false;
  for (auto& [five_tuple, stream] : streams_) std::vector<std::uint8_t>().swap(stream.pending);
}

}  // namespace callwitness::report
