// One input from beginning to end, whatever its format, with its record kept up to date.
#pragma once

#include "capture/files/pcap_reader.hpp"
#include "capture/files/pcapng_reader.hpp"

#include <memory>
#include <optional>

namespace callwitness::capture {

class FileReader {
 public:
  /// Opens and recognises. An input that is no capture is an `unreadable` error.
  static Result<std::unique_ptr<FileReader>> open(const std::string& path, const StreamOptions& options,
                                                  CaptureRecord& record);
  bool next(Packet& packet) {
    const bool more = pcap_ ? pcap_->next(packet) : pcapng_->next(packet);
    if (more) [[likely]] check_time(packet.time);
    seen_ += more;
    return more;
  }
  /// As `next`, if an ordinary packet is at hand: leaves the bytes of those before it in their place.
  bool next_at_hand(Packet& packet) {
    if (pcap_ ? !pcap_->next_at_hand(packet) : !pcapng_->ready() || !pcapng_->next(packet)) return false;
    check_time(packet.time);
    ++seen_;
    return true;
  }
  /// A packet that is handed on: counted.
  void account(const Packet& packet) {
    ++packets_;
    bytes_ += packet.wire_length;
    truncated_ += packet.bytes.size() < packet.wire_length;
    if (packet.time < first_time_) first_time_ = packet.time;
    if (packet.time > last_time_) last_time_ = packet.time;
  }
  bool reopenable() const { return stream_->reopenable(); }
  /// Completes the record: hash, size, counts, problems.
  void finish();

 private:
  FileReader(std::unique_ptr<ByteStream> stream, CaptureRecord& record)
      : stream_(std::move(stream)), record_(record), damage_(record) {}
  void check_time(Time time) {
    if (time >= previous_ && time - previous_ < jump) [[likely]] {
      previous_ = time;
      return;
    }
    odd_time(time);
  }
  void odd_time(Time time);

  static constexpr Duration jump = std::chrono::hours(24);
  std::unique_ptr<ByteStream> stream_;
  CaptureRecord& record_;
  DamageLog damage_;
  std::optional<PcapReader> pcap_;
  std::optional<PcapngReader> pcapng_;
  std::uint64_t seen_ = 0, packets_ = 0, bytes_ = 0, truncated_ = 0;
  Time first_time_ = Time::max(), last_time_ = Time::min();
  Time previous_ = latest_time;
};

}  // namespace callwitness::capture
