// SIP, RTSP and SDP, as one datagram and as a TCP stream in pieces.
#include "seeds.hpp"

#include "classify/flows/stream_reassembly.hpp"
#include "classify/protocols/sdp.hpp"
#include "classify/protocols/sip.hpp"

#include <cstdlib>

using namespace callwitness;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::payloads;

namespace {

void read_message(capture::Bytes bytes) {
  const auto message = classify::parse_text_message(bytes);
  if (!message) return;
  for (const auto& media : classify::parse_sdp(message->body))
    if (media.formats.size() > 64) std::abort();
  classify::number_of(classify::parameter_of(message->transport, "client_port"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const capture::Bytes bytes(data, size);
  classify::looks_like_rtsp(bytes);
  read_message(bytes);
  if (classify::parse_sdp({reinterpret_cast<const char*>(data), size}).size() > 32) std::abort();
  classify::StreamReassembly stream;
  std::uint32_t sequence = 0xfffffff0;
  for (std::size_t at = 0; at < size;) {
    const std::size_t piece = std::min<std::size_t>(1 + data[at] % 64, size - at);
    stream.append(sequence, bytes.subspan(at, piece), static_cast<std::uint32_t>(piece));
    sequence += static_cast<std::uint32_t>(piece);
    at += piece;
    while (const std::size_t length = classify::text_message_size(stream.bytes())) {
      if (length > stream.bytes().size()) std::abort();
      read_message(stream.bytes().first(length));
      stream.consume(length);
    }
  }
  return 0;
}
