// Whole messages of each exchange, one by one, those of H.323 as what their frames hold too, and a conversation of each.
#include "seeds.hpp"

#include "../support/made_exchanges.hpp"

namespace callwitness::fuzz {

std::vector<Input> exchange_seeds() {
  using namespace made;
  std::vector<Input> found;
  for (const auto* message : {opening, acknowledgement, opening_dynamic, opening_h261, opening_h263, opening_h264, offer_to_receive, end_session, capabilities})
    found.push_back(hex(message));
  constexpr std::size_t before_user_information = 18;   // TPKT, Q.931 and 0x05
  Input call;
  for (const auto* message : {setup, connect, facility, release}) {
    const Input frame = hex(message);
    found.push_back(frame);
    found.emplace_back(frame.begin() + before_user_information, frame.end());
    call.insert(call.end(), frame.begin(), frame.end());
  }
  found.push_back(call);
  for (const std::uint32_t version : {0u, 20u}) {
    const std::initializer_list<std::uint32_t> narrow = {0x4d7100cb, 50'020}, wide = {0, 0x4d7100cb, 0, 0, 0, 50'020};
    const Buffer where = little(version >= 17 ? wide : narrow);
    const Buffer open = skinny(version, 0x105, little({7, 8, 20, 4, 0, 0, 9})), opened = skinny(version, 0x22, joined({little({0}), where, little({8, 9})})),
                 start = skinny(version, 0x8a, joined({little({7, 8}), where, little({20, 11, 184, 0, 0, 0, 9})})),
                 video = skinny(version, 0x132, joined({little({7, 8, 103}), where, little({9, 0, 97, 4, 0, 0, 0})})),
                 close = skinny(version, 0x106, little({7, 8, 9})), stop = skinny(version, 0x8b, little({7, 8, 9})), hook = skinny(version, 0x111, little({2, 1, 9}));
    for (const auto& message : {open, opened, start, video, close, stop, hook}) found.push_back(message);
    found.push_back(joined({open, opened, start, close, stop, hook}));
  }
  const auto text = [&](const std::string& message) { found.emplace_back(message.begin(), message.end()); };
  text(crcx);
  text("200 1204 OK\nI: FDE\n\nv=0\nc=IN IP4 203.0.113.77\nm=audio 50020 RTP/AVP 18\n");
  text("MDCX 1205 aaln/1@gw.example MGCP 1.0\r\nC: A3C4\r\n\r\nv=0\r\nm=audio 1 RTP/AVP 0\r\n.\r\nDLCX 1206 aaln/1@gw.example MGCP 1.0\r\nC: A3C4\r\n");
  return found;
}

}  // namespace callwitness::fuzz
