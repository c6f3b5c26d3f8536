// The client's first flight of a QUIC connection: what RFC 9001 5.2 (version 1) and RFC 9369 3.3 (version 2) protect with
// keys that everyone can derive from the packet itself, so that the ClientHello and its server name can be read.
#pragma once

#include "classify/flow.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace callwitness::classify {

struct QuicKeys { std::array<std::uint8_t, 16> key{}, header{}; std::array<std::uint8_t, 12> nonce{}; };

enum class QuicVersion : std::uint32_t { v1 = 1, v2 = 0x6b3343cf, draft29 = 0xff00001d };

/// The client's Initial keys for the connection id that it chose.
std::optional<QuicKeys> quic_client_keys(QuicVersion version, Bytes connection_id);

/// Puts together the handshake bytes of one client's Initial packets, in whatever order and datagrams they come. Bounded.
class QuicFlight {
 public:
  /// True where the datagram may begin with a client's Initial packet: long header, full size.
  static bool may_begin(Bytes datagram) { return datagram.size() >= least_size && (datagram[0] & 0xc0) == 0xc0; }
  /// Reads all Initial packets of a datagram. False: none of them could be read.
  bool add(Bytes datagram);
  /// The handshake from its first byte, as far as it is there without a hole.
  std::vector<std::uint8_t> handshake() const;

 private:
  static constexpr std::size_t least_size = 1200;   // RFC 9000 14.1
  bool add_packet(Bytes packet, std::size_t number_offset, const QuicKeys& keys);
  bool add_frames(Bytes frames);
  std::optional<QuicKeys> keys_;                    // of the first connection id: later ones keep its keys
  std::map<std::size_t, std::vector<std::uint8_t>> pieces_;
  std::size_t held_ = 0;
};

}  // namespace callwitness::classify
