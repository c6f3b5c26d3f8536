// BPF as libpcap compiles it, one program a link type.
#pragma once

#include "capture/packet.hpp"

#include <map>
#include <memory>
#include <string>

namespace callwitness::capture {

class PacketFilter {
 public:
  explicit PacketFilter(std::string expression);
  ~PacketFilter();
  /// Compiles for a link type; a usage error names the expression and libpcap's reason.
  Result<void> prepare(LinkType link_type);
  /// Whether a packet passes; false, and `failed()` told once, where the expression makes no sense for its link type.
  bool matches(const Packet& packet);
  /// Link types for which the expression could not be compiled, with the reason.
  const std::map<LinkType, std::string>& failed() const { return failed_; }

 private:
  struct Program;
  const Program* program_for(LinkType link_type);
  std::string expression_;
  std::map<LinkType, std::unique_ptr<Program>> programs_;
  std::map<LinkType, std::string> failed_;
  LinkType last_type_{};
  const Program* last_ = nullptr;
};

}  // namespace callwitness::capture
