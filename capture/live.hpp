// Packets from a live interface: one loop of descriptor, timers and signals. Opening needs privileges; they are given up
// before the first packet is read.
#pragma once

#include "capture/packet.hpp"
#include "capture/record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace callwitness::capture {

struct LiveInterface {
  std::string name, description, addresses;
  bool up = false, loopback = false;
};

/// -D. Works without privileges on Linux.
Result<std::vector<LiveInterface>> list_interfaces();

/// The interface of the default route, else the first that is up.
Result<std::string> default_interface();

/// "1.10.3"
std::string libpcap_version();

struct LiveOptions {
  std::string interface;                  ///< -i: a name or a number of -D; empty: default_interface()
  std::string filter;                     ///< -f
  std::uint32_t snap_length = 262'144;    ///< -s
  std::uint32_t buffer_kib = 32 * 1024;   ///< -B
  bool promiscuous = true;                ///< false: -p
  std::uint64_t packet_limit = 0;         ///< -c; 0: none
  std::optional<Duration> duration;       ///< -a duration:S
  std::uint64_t stop_kilobytes = 0;       ///< -a filesize:KB; 0: none
  std::string recording;                  ///< -w; empty: none
  std::uint64_t ring_kilobytes = 0;       ///< -b filesize:KB; 0: no limit
  std::optional<Duration> ring_duration;  ///< -b duration:S; with neither there is one file
  std::uint64_t ring_files = 0;           ///< -b files:N; 0: keep all
  std::string user;                       ///< -Z; empty: the one who called sudo, else nobody
  std::string application;                ///< written into the recording: "callwitness 0.1.0"
  std::function<void()> on_second;        ///< once a second, between packets
  std::function<void(const std::string&)> tell;  ///< what the user should know at once: disk full, link down, clock set
};

/// Opens the interface and the recording, gives privileges up for good and returns the source. Its `run` ends at SIGINT,
/// SIGTERM or SIGHUP, at a limit, or when the interface goes away; the signals then have their default action again, so
/// that a second one ends the program at once. The record's problems tell whatever went wrong.
Result<std::unique_ptr<PacketSource>> open_live(const LiveOptions& options, CaptureRecords& records);

}  // namespace callwitness::capture
