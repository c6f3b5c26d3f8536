#include "capture/files/packet_filter.hpp"

#include <pcap/pcap.h>

namespace callwitness::capture {

namespace {
constexpr int snap_length = 262'144;
constexpr std::uint16_t linktype_raw = 101;

struct HandleDeleter {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
}  // namespace

struct PacketFilter::Program {
  bpf_program code{};
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { pcap_freecode(&code); }
};

PacketFilter::PacketFilter(std::string expression) : expression_(std::move(expression)) {}
PacketFilter::~PacketFilter() = default;

Result<void> PacketFilter::prepare(LinkType link_type) {
  if (programs_.contains(link_type) || failed_.contains(link_type)) return {};
  const auto value = static_cast<std::uint16_t>(link_type);
  // The file's number is the library's but for raw IP, which differs between systems.
  const std::unique_ptr<pcap_t, HandleDeleter> handle(
      pcap_open_dead(value == linktype_raw ? DLT_RAW : value, snap_length));
  auto program = std::make_unique<Program>();
  if (!handle || pcap_compile(handle.get(), &program->code, expression_.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    const std::string reason = handle ? pcap_geterr(handle.get()) : "out of memory";
    failed_.emplace(link_type, reason);
    return Error{Error::Kind::usage, "compile the filter \"" + expression_ + "\"", reason,
                 "see pcap-filter(7) for the syntax; quote it as one argument"};
  }
  programs_.emplace(link_type, std::move(program));
  return {};
}

const PacketFilter::Program* PacketFilter::program_for(LinkType link_type) {
  if (last_ && last_type_ == link_type) [[likely]] return last_;
  if (!prepare(link_type)) return nullptr;
  const auto found = programs_.find(link_type);
  if (found == programs_.end()) return nullptr;
  last_type_ = link_type;
  last_ = found->second.get();
  return last_;
}

bool PacketFilter::matches(const Packet& packet) {
  const Program* program = program_for(packet.link_type);
  if (!program) return false;
  pcap_pkthdr header{};
  header.caplen = static_cast<bpf_u_int32>(packet.bytes.size());
  header.len = packet.wire_length;
  return pcap_offline_filter(&program->code, &header, packet.bytes.data()) != 0;
}

}  // namespace callwitness::capture
