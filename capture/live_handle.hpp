// libpcap's handle on an interface, without libpcap's header.
#pragma once

#include "capture/live.hpp"
#include "capture/writer.hpp"

#include <chrono>

namespace callwitness::capture {

class LiveHandle {
 public:
  /// The kernel hands over blocks that are full or as old as this.
  static constexpr auto block_age = std::chrono::milliseconds(100);

  static Result<LiveHandle> open(const LiveOptions& options);
  LiveHandle(LiveHandle&&) noexcept;
  LiveHandle& operator=(LiveHandle&&) noexcept;
  ~LiveHandle();

  int descriptor() const;
  LinkType link_type() const;
  const std::string& name() const;
  std::string error() const;
  RecordedInterface recorded_interface(const LiveOptions& options) const;
  /// At most `most` packets that have come, without waiting, until `take` says false; -1 when the interface is gone.
  int read(int most, const std::function<bool(const Packet&)>& take);
  /// Until there is something to read, or the time is over.
  void wait(std::chrono::milliseconds longest) const;
  std::optional<InterfaceStatistics> statistics();
  /// The link is up; null: the interface has none ("any"), or is gone.
  std::optional<bool> running() const;

 private:
  struct State;
  explicit LiveHandle(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::capture
