// Messages of H.323, MGCP and Skinny that are right, for the tests that bend them and for fuzzing to begin with. Those of
// H.323 were encoded by tests/tables/made_exchanges.py, and tshark reads them as it is said here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::made {

using Buffer = std::vector<std::uint8_t>;

inline Buffer hex(std::string_view text) {
  Buffer bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// Channel 101, G.711 µ-law, without an address; its Ack to `there`; with a dynamic type of 101.
inline constexpr auto opening = "030000640c6013800a04000100c0a801179c4b";
inline constexpr auto acknowledgement = "22c000640280101c0000cb00714dc36400cb00714dc365";
inline constexpr auto opening_dynamic = "030000640e180c4006060007b835010003e7ff801214400100c0a801179c4a00c0a801179c4b28";
inline constexpr auto opening_h261 = "030000080858000eff40000a10000200c0a801179c4a";
inline constexpr auto opening_h263 = "0300000808cc02340eff04000a10000200c0a801179c4a";
inline constexpr auto opening_h264 = "030000080a000d40000700088171000001010eff801214400200c0a801179c4a00c0a801179c4b68";
inline constexpr auto offer_to_receive = "400001060401004d6001801114000100c0a801179c4a00c0a801179c4b";   // fastStart: G.729
inline constexpr auto end_session = "4a40";
inline constexpr auto capabilities = "02000106000881750003";
// TPKT, Q.931, H.225.0: a gateway's setup with one fastStart, a connect with h245Address, a facility that tunnels two.
inline constexpr auto setup = "03000095080212340528026869a17e00840520b8060008914a00040240030061006e006e0061020034567288b50000120374657374400228700180"
                       "0800057369703a6d6500cb00714d06b800000102030405060708090a0b0c0d0e0f0031101100000102030405060708090a0b0c0d0e0f1f011d4000"
                       "01060401004c6013801114000100c0a801179c4a00c0a801179c4b02800100";
inline constexpr auto connect = "03000055080292340728026869a17e00440522c0060008914a000400cb00714d04d02280b500001203746573740000010203040506070809"
                         "0a0b0c0d0e0f011100000102030405060708090a0b0c0d0e0f02800100";
inline constexpr auto facility = "0300003d080212346228026869a17e002c052810010004c0018022020a0200010600088175000315030000060e0c022020800a04000100c0a801179c4b";
inline constexpr auto release = "03000032080212345a28026869a17e0021052580060008914a0004011100000102030405060708090a0b0c0d0e0f02800100";

inline Buffer little(std::initializer_list<std::uint32_t> words) {
  Buffer bytes;
  for (const auto word : words) for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  return bytes;
}
inline Buffer skinny(std::uint32_t version, std::uint32_t id, const Buffer& body) {
  Buffer message = little({static_cast<std::uint32_t>(body.size()) + 4, version, id});
  message.insert(message.end(), body.begin(), body.end());
  return message;
}
inline Buffer joined(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline const auto crcx = std::string("CRCX 1204 aaln/1@gw.example MGCP 1.0\r\nC: A3C4\r\nM: recvonly\r\n\r\nv=0\r\nc=IN IP4 203.0.113.77\r\nm=audio 50020 RTP/AVP 18\r\n");

}  // namespace callwitness::made
