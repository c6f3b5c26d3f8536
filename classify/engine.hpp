// The classifier's inside: one object whose parts (flows, media, finishing) live in files of their own.
#pragma once

#include "classify/calls/call_builder.hpp"
#include "classify/attempts/attempts.hpp"
#include "classify/classifier.hpp"
#include "classify/calls/dialogs.hpp"
#include "classify/exchanges/h323.hpp"
#include "classify/exchanges/mgcp.hpp"
#include "classify/exchanges/skinny.hpp"
#include "classify/flows/flow_table.hpp"
#include "classify/ndpi/labeller.hpp"
#include "classify/calls/shared_flows.hpp"
#include "classify/protocols/stun.hpp"
#include "classify/vantage.hpp"

#include <map>
#include <memory>
#include <vector>

namespace callwitness::classify {

class Engine {
 public:
  Engine(MediaSink& sink, const ClassifierOptions& options);
  void on_datagram(const Datagram& datagram) { on_datagram(datagram, table_.key_of(datagram.five_tuple)); }
  void on_datagrams(std::span<const Datagram> datagrams);
  void on_idle(Time now);
  void finish();

 private:
  // engine.cpp: flows
  static constexpr std::size_t at_once = 32;
  using Keys = std::array<FlowTable::Key, at_once>;
  void fetch_ahead(std::span<const Datagram> datagrams, Keys& keys);
  void on_datagram(const Datagram& datagram, const FlowTable::Key& key);
  FlowState& flow_of(const Datagram& datagram, const FlowTable::Key& key, Way& way);
  std::uint32_t create(const Datagram& datagram);
  void close(std::uint32_t slot);
  void note_traits(FlowState& state, Way way, const Datagram& datagram);
  bool is_second_copy(FlowState& state, Way way, const Datagram& datagram);
  void recognise(FlowState& state, Way way, const Datagram& datagram);
  void settle(FlowState& state, bool last_too = false);
  std::vector<StreamId> streams_of(const FlowState& state) const;
  FlowDetail& detail_of(FlowState& state);

  // engine_media.cpp: what one datagram carries
  void on_udp(FlowState& state, Way way, const Datagram& datagram);
  bool carry(FlowState& state, Way way, const Datagram& datagram, const Unwrapped& inner);
  void on_stun(FlowState& state, Way way, const Datagram& datagram, const StunMessage& message);
  FlowState& media_beside(FlowState& state, Way& way);
  bool on_rtcp(FlowState& state, Way way, const Datagram& datagram, Bytes bytes, std::uint32_t length);
  bool on_rtp(FlowState& state, Way way, const Datagram& datagram, Bytes bytes, std::uint32_t length);
  /// What a payload type means, by the static table or by what signalling has announced so far.
  const RtpTracker::TypeFacts& type_of(FlowState& state, Way way, std::uint8_t payload_type, Time time);
  /// The dialog that announces an end of the flow at this time; -1: none.
  int dialog_of(const FlowState& state, Time time) const;
  /// Ends the streams whose dialog is over, once another has announced their place.
  void end_with_dialogs(FlowState& state, Time time);
  void on_counter(FlowState& state, Way way, const Datagram& datagram, const MediaHeader& header);
  /// The settled application's media header; a tunnel's packets all count, without one.
  std::optional<MediaHeader> media_of(const FlowState& state, const Datagram& datagram, Way way) const;
  void on_cadence(FlowState& state, Way way, const Datagram& datagram);
  void on_echo(FlowState& state, Way way, const Datagram& datagram);
  void ask(FlowState& state, Way way, std::uint64_t key, Time time);
  static bool asked(const FlowState& state, Way way, std::uint64_t key);
  std::optional<Duration> answer(FlowState& state, Way way, std::uint64_t key, Time time);
  void note_turn_around(FlowState& state, Way way, Duration taken);

  // engine_signalling.cpp: SIP, RTSP, the other exchanges and what runs over TCP
  Framing framing_of(const FlowState& state, Bytes first) const;
  bool on_text(FlowState& state, Way way, const Datagram& datagram, StreamReassembly& stream);
  bool on_turn(FlowState& state, Way way, const Datagram& datagram, StreamReassembly& stream);
  bool on_exchange(FlowState& state, Way way, const Datagram& datagram, StreamReassembly& stream);
  void on_tcp(FlowState& state, Way way, const Datagram& datagram);
  void on_frames(FlowState& state, Way way, const Datagram& datagram);
  void on_frame(FlowState& state, Way way, const Datagram& datagram, Bytes frame);
  void on_signalling(FlowState& state, Way way, const Datagram& datagram, Bytes bytes);
  void on_mgcp(FlowState& state, const Datagram& datagram);
  /// Codec, clock and kind as signalling told them.
  void describe(Stream& stream, Time first, Time last) const;

  // streams
  StreamId open_stream(FlowState& state, Way way, Stream stream);
  void tell(FlowState& state, MediaPacket& packet, StreamId stream);

  // engine_finish.cpp
  void harvest(FlowState& state);
  void harvest_lines(const FlowDetail& detail);
  Label label_of(const FlowState& state) const;
  /// The application that the flow's server name, or the name of one of its addresses, belongs to; empty: none.
  std::string_view name_application(const Flow& flow) const;
  Label fused_label(const FlowState& state) const;
  static bool carries_rtp(const FlowState& state) { return state.rtp && state.rtp->accepted() > 0; }
  static const Flow* signalling_of(const Flow& voice, const std::vector<Flow>& all);
  Label label_by_sign_in(const Flow& voice, const std::vector<Flow>& all) const;
  void end_flow(FlowState& state);
  MediaFlow media_flow(const Flow& its, const std::vector<SharingStream>& group) const;
  std::vector<MediaFlow> media_flows(std::vector<Flow>& all);
  void add_signalling(Classification& result) const;

  MediaSink& sink_;
  ClassifierOptions options_;
  FlowTable table_;
  std::vector<Stream> streams_;
  std::vector<StreamFacts> facts_;
  std::vector<Reset> resets_;
  std::vector<Flow> retired_;              ///< closed before the end, but with streams or resets
  CopyWatch copies_;
  VantageMeter vantage_;
  NameTable names_;
  AttemptTracker attempts_;
  Dialogs dialogs_;
  H323Exchange h323_{dialogs_};
  MgcpExchange mgcp_{dialogs_};
  SkinnyExchange skinny_{dialogs_};
  std::unique_ptr<ndpi::Labeller> labeller_;   ///< null: our own recognisers only
  std::map<FlowId, std::string_view> ndpi_labels_;

  capture::Anomalies anomalies_;
  std::uint32_t next_flow_ = 0;
  std::size_t start_bytes_ = 0;            ///< memory in StartRecorders
  Time now_{};
  bool any_ = false;
};

}  // namespace callwitness::classify
