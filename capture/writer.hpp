// Writes pcapng: recordings (watch -w), redacted captures and evidence, with comments and interface statistics.
#pragma once

#include "capture/packet.hpp"

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace callwitness::capture {

/// What stands before the first packet.
struct RecordingDescription {
  std::string comment;       ///< of the section; empty: none
  std::string application;   ///< shb_userappl, "callwitness 0.1.0"
};

struct RecordedInterface {
  LinkType link_type{};
  std::uint32_t snap_length = 0;   ///< 0: none
  std::string name;                ///< empty: not told
  std::string filter;              ///< as the user gave it; empty: none
  std::string comment;
};

/// Counters since the beginning, as libpcap tells them; null: not known.
struct InterfaceStatistics {
  std::optional<std::uint64_t> received;             ///< by the interface, before the capture lost any
  std::optional<std::uint64_t> dropped_by_interface;
  std::optional<std::uint64_t> dropped_by_system;    ///< the capture's buffer was full
  std::optional<std::uint64_t> delivered;
};

enum class Overwrite : bool { no, yes };

/// Writes whole blocks through a buffer of its own; what was flushed is readable whatever happens later.
class PcapngWriter {
 public:
  /// Creates a file for its owner alone (0600), never through a link. It must not exist, but for Overwrite::yes, which
  /// replaces a regular file. "-" is standard output.
  static Result<PcapngWriter> create(const std::string& path, const RecordingDescription& description,
                                     Overwrite overwrite = Overwrite::no);
  /// Writes to `stream`, which must outlive the writer.
  PcapngWriter(std::ostream& stream, const RecordingDescription& description);
  PcapngWriter(PcapngWriter&&) noexcept;
  PcapngWriter& operator=(PcapngWriter&&) noexcept;
  ~PcapngWriter();   ///< flushes; call flush() to know whether that went well

  /// Interfaces are numbered 0, 1, 2 … in order; times are written in nanoseconds.
  std::uint32_t add_interface(const RecordedInterface& interface);
  /// `packet.bytes` cut to the snap length by the caller. Times before 1970 are written as 1970.
  Result<void> write(const Packet& packet, std::uint32_t interface, std::string_view comment = {});
  Result<void> statistics(std::uint32_t interface, Time time, const InterfaceStatistics& statistics);
  /// To the operating system; with `durable` to the disk as well.
  Result<void> flush(bool durable = false);
  /// All bytes so far, buffered ones included: for -b and -a filesize.
  std::uint64_t size() const;
  std::uint64_t packets() const;

 private:
  struct State;
  explicit PcapngWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::capture
