// What is cut into pieces on its way: datagrams in IP fragments, SIP messages over several TCP segments. A piece alone can't be
// rewritten at its old length, so a first reading gathers the wholes and rewrites them, and a second one hands out the pieces.
#pragma once

#include "report/redact/payload.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace callwitness::report {

class Wholes {
 public:
  static constexpr std::size_t byte_limit = 64 * 1024 * 1024, entry_limit = 200'000, stream_limit = 4'096;

  /// Of a fragment: both addresses, protocol and identification, as captured.
  using FragmentKey = std::tuple<capture::IpAddress, capture::IpAddress, std::uint8_t, std::uint32_t>;
  struct Fragment {
    std::size_t offset = 0;
    bool last = false;
  };

  bool gathering = true;

  /// A piece of a datagram. While gathering it is kept, and `rewrite` called with the whole once all is there. Afterwards the piece
  /// gets its part of the rewritten whole; false: there is none.
  bool fragment(const FragmentKey& key, const Fragment& at, Payload piece, const std::function<void(Payload)>& rewrite);

  /// A segment of a connection that carries SIP, the same way, message by message. False: some of it belongs to no whole message.
  bool segment(const capture::FiveTuple& five_tuple, std::uint32_t sequence, Payload piece, const std::function<void(Payload)>& rewrite);

  /// Gathered: what follows hands out.
  void hand_out();

 private:
  struct Datagram {
    std::vector<std::uint8_t> bytes;
    std::size_t arrived = 0, size = 0;       ///< size: 0 until the last piece came
    bool whole() const { return size > 0 && arrived >= size; }
  };
  struct Fragments {
    std::vector<Datagram> datagrams;         ///< identifications come again
    std::size_t current = 0, arrived = 0, size = 0;   ///< while handing out
  };
  struct Stream {
    bool started = false, lost = false;
    std::uint32_t next = 0;                  ///< sequence number behind what is gathered
    std::vector<std::uint8_t> pending;
    std::map<std::uint32_t, std::vector<std::uint8_t>> messages;   ///< by their first sequence number
  };
  bool gather_segment(Stream& stream, std::uint32_t sequence, Payload piece, const std::function<void(Payload)>& rewrite);

  std::map<FragmentKey, Fragments> fragments_;
  std::map<capture::FiveTuple, Stream> streams_;
  std::size_t bytes_ = 0, entries_ = 0;
};

}  // namespace callwitness::report
