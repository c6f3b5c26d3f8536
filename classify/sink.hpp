// What classify tells while packets flow. metrics implements it.
#pragma once

#include "classify/call.hpp"

#include <optional>
#include <span>

namespace callwitness::classify {

/// What a datagram soon to come will probably be of.
struct Upcoming {
  std::uint32_t slot = 0;                                    ///< Flow::slot
  std::optional<StreamId> stream;
};

/// Order: on_datagram for every datagram of every flow, in capture order, before on_media of the same datagram.
/// Recognising media takes a few packets; their on_media calls are made up for then, with their own older times.
class MediaSink {
 public:
  virtual ~MediaSink() = default;
  /// A hint, true or not: memory may be fetched, nothing may change.
  virtual void expect(std::span<const Upcoming>) {}
  virtual void on_datagram(const Flow& flow, Way way, const Datagram& datagram) = 0;
  virtual void on_stream(const Stream& stream) = 0;          ///< a new stream; its packets follow
  virtual void on_media(const MediaPacket& packet) = 0;
  virtual void on_round_trip(const RoundTrip&) {}
  virtual void on_receiver_report(const ReceiverReport&) {}
  virtual void on_sender_report(const SenderReport&) {}
  virtual void on_flow_closed(const Flow&) {}                ///< evicted or ended; its slot may be used again
  virtual void on_idle(Time) {}
  virtual void finish(const Classification& classification) = 0;
};

}  // namespace callwitness::classify
