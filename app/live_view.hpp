// What a live capture shows meanwhile: a line a call, renewed every second. A provisional view beside the analysis, which
// it never touches; the verdict comes at the end.
#pragma once

#include "classify/sink.hpp"
#include "metrics/meters/clock.hpp"
#include "metrics/meters/emodel.hpp"
#include "metrics/meters/jitter.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

namespace callwitness::app {

class LiveView final : public classify::MediaSink {
 public:
  /// `own`: this machine's addresses: what they send is "sent".
  LiveView(classify::MediaSink& next, std::vector<capture::IpAddress> own) : next_(next), own_(std::move(own)) {}
  void on_datagram(const classify::Flow& flow, classify::Way way, const capture::Datagram& datagram) override;
  void on_stream(const classify::Stream& stream) override;
  void on_media(const classify::MediaPacket& packet) override;
  void on_round_trip(const classify::RoundTrip& round_trip) override { next_.on_round_trip(round_trip); }
  void on_receiver_report(const classify::ReceiverReport& report) override { next_.on_receiver_report(report); }
  void on_sender_report(const classify::SenderReport& report) override { next_.on_sender_report(report); }
  void on_flow_closed(const classify::Flow& flow) override;
  void on_idle(classify::Time now) override { next_.on_idle(now); }
  void finish(const classify::Classification& classification) override { next_.finish(classification); }

  /// Two lines that head the table.
  static std::vector<std::string> heading(std::size_t width);
  /// The second that ends at `now`: a line for each flow that has carried media within the last minute, in the order they
  /// began, the busiest where there are more than `most`; below a line whatever is amiss with it so far. Then counts anew.
  std::vector<std::string> lines(classify::Time now, std::size_t width, std::size_t most);

 private:
  static constexpr std::size_t window = 10;   ///< seconds that loss and MOS are of
  struct Count {
    std::uint64_t packets = 0, expected = 0;
    std::uint64_t lost() const { return expected - std::min(packets, expected); }
    double ratio() const { return expected == 0 ? 0 : static_cast<double>(lost()) / static_cast<double>(expected); }
  };
  struct Side {
    std::uint64_t bytes = 0, payload_bytes = 0;   ///< of this second
    std::array<Count, window> seconds{};
    Count all;
    double jitter_ms = 0;                         ///< of this second, the worst of its streams
    bool counts_losses = false, has_jitter = false;
    std::string codec;
    classify::Time last;
    std::uint32_t silences = 0;
    double longest_silence = 0;
  };
  struct Flow {
    classify::FiveTuple five_tuple;
    std::string_view application;   ///< by its format; what its signalling and names say comes with the verdict
    bool is_rtp = false;
    classify::Time first, last;
    Side sides[2];
  };
  struct Stream {
    std::uint32_t flow = 0;
    std::uint8_t way = 0;
    std::uint32_t clock_rate_hz = 0, mask = 0;
    bool sequenced = false, begun = false;
    std::uint32_t sequence = 0;
    metrics::TimedPacket latest;
    metrics::JitterMeter jitter;
    std::vector<metrics::TimedPacket> waiting;    ///< until the clock rate is known
  };

  void count(Stream& stream, Side& side, const classify::MediaPacket& packet) const;
  void time(Stream& stream, Side& side, const classify::MediaPacket& packet) const;
  bool is_ours(const capture::IpAddress& address) const;
  std::string line(const Flow& flow, bool sent_forward, std::size_t width) const;
  std::string side(const Side& side) const;
  static void remark(const Side& side, const char* name, classify::Time now, std::vector<std::string>& to);

  classify::MediaSink& next_;
  std::vector<capture::IpAddress> own_;
  std::map<std::uint32_t, Flow> flows_;           ///< those that carry media, by FlowId
  std::vector<Stream> streams_;                   ///< by StreamId
  std::size_t second_ = 0;                        ///< the place of this second in Side::seconds
};

}  // namespace callwitness::app
