// libpcap's handle on an interface, without libpcap's header.
#pragma once

#include "capture/live.hpp"
#include "capture/writer.hpp"

namespace callwitness::capture {

class LiveHandle {
 public:
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
  std::optional<InterfaceStatistics> statistics();

 private:
  struct State;
  explicit LiveHandle(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callwitness::capture
