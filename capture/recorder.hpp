// The recording of a live capture: one pcapng file or a ring of them. A failing disk ends the recording, not the capture.
#pragma once

#include "capture/live.hpp"
#include "capture/writer.hpp"

#include <deque>

namespace callwitness::capture {

class Recorder {
 public:
  static Result<std::unique_ptr<Recorder>> create(const LiveOptions& options, RecordedInterface interface);
  void write(const Packet& packet);
  /// Also flushes. Written at most once a second and at the end.
  void statistics(Time time, const InterfaceStatistics& statistics);
  void flush();
  /// Kilobytes (1000 bytes) of all files.
  std::uint64_t kilobytes() const;
  /// Why the recording ended early; told once.
  std::optional<std::string> take_failure();

 private:
  Recorder(const LiveOptions& options, RecordedInterface interface, PcapngWriter writer);
  void check(const Result<void>& done);
  bool full(const Packet& packet) const;
  void rotate();

  LiveOptions options_;
  RecordedInterface interface_;
  std::optional<PcapngWriter> writer_;
  std::uint64_t file_ = 1, earlier_bytes_ = 0;
  std::optional<InterfaceStatistics> latest_;
  InterfaceStatistics earlier_;            ///< counted by the files before: each tells its own, so that their sum is right
  Time latest_time_{};
  std::optional<Time> began_;              ///< the file's first packet
  std::deque<std::string> files_;
  std::optional<std::string> failure_;
};

}  // namespace callwitness::capture
