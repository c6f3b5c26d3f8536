// H.323, MGCP and Skinny: the parsers over one payload, and the exchanges over it as a stream in frames, both ways in turn.
#include "seeds.hpp"

#include "classify/exchanges/h225.hpp"
#include "classify/exchanges/h323.hpp"
#include "classify/exchanges/mgcp.hpp"
#include "classify/exchanges/skinny.hpp"

#include <cstdlib>

using namespace callwitness;
using namespace callwitness::classify;

const fuzz::Seeds fuzz::wanted_seeds = fuzz::Seeds::exchanges;

namespace {

constexpr std::size_t formats_limit = 64;

void require(bool it_is_so) {
  if (!it_is_so) std::abort();
}

void look_at(const SdpMedia& media) {
  require(media.formats.size() <= formats_limit);
  require(media.endpoint.address.version == 0 || media.endpoint.address.version == 4 || media.endpoint.address.version == 6);
}

/// A view of what was parsed, not of anything else.
template <typename View>
void require_within(const View& view, Bytes whole) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(view.data());
  require(view.empty() || (begin >= whole.data() && begin + view.size() <= whole.data() + whole.size()));
}

void read_h245(Bytes bytes) {
  for (const auto& message : {parse_h245(bytes), parse_open_logical_channel(bytes)}) {
    if (!message) continue;
    look_at(message->forward);
    look_at(message->reverse);
  }
}

void read_h225(Bytes bytes) {
  const auto message = parse_h225(bytes);
  require(message.fast_start.size() <= H225Message::element_limit && message.h245_control.size() <= H225Message::element_limit);
  for (const auto& parts : {message.fast_start, message.h245_control}) {
    for (const Bytes part : parts) {
      require_within(part, bytes);
      read_h245(part);
    }
  }
}

void read_mgcp(Bytes bytes) {
  const auto message = parse_mgcp({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  looks_like_mgcp(bytes);
  if (!message) return;
  require(message->verb.empty() || message->verb.size() == 4);
  for (const auto text : {message->verb, message->call_id, message->body}) require_within(text, bytes);
}

void exchange(Bytes bytes) {
  const Endpoint ends[] = {{capture::IpAddress::v4(0xc0a80102), 50'000}, {capture::IpAddress::v4(0xcb00714d), 1720}};
  Dialogs dialogs;
  H323Exchange h323(dialogs);
  SkinnyExchange skinny(dialogs);
  MgcpExchange mgcp(dialogs);
  Flow flow;
  Time time;
  std::size_t frames = 0;
  const auto each_frame = [&](std::size_t (*size_of)(Bytes), const auto& use) {
    for (Bytes rest = bytes; !rest.empty();) {
      const std::size_t size = size_of(rest);
      if (size == 0 || size > rest.size()) break;
      time += std::chrono::milliseconds(20);
      const bool back = frames++ % 2 != 0;
      use(rest.first(size), ends[back], ends[!back]);
      rest = rest.subspan(size);
    }
  };
  looks_like_tpkt(bytes, false);
  looks_like_skinny(bytes);
  each_frame(tpkt_size, [&](Bytes frame, const Endpoint& from, const Endpoint& to) { h323.on_frame(frame, flow, from, to, time); });
  each_frame([](Bytes rest) { return rest.size() < 12 ? std::size_t{0} : skinny_size(rest); },
             [&](Bytes frame, const Endpoint&, const Endpoint&) { skinny.on_message(frame, flow, time); });
  for (const bool back : {false, true}) mgcp.on_datagram(bytes, flow, ends[back], ends[!back], time);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  read_h245(bytes);
  read_h225(bytes);
  read_mgcp(bytes);
  if (const auto message = parse_skinny(bytes)) look_at(message->media);
  exchange(bytes);
  return 0;
}
