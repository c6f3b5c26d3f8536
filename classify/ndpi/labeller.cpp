#include "classify/ndpi/labeller.hpp"

#include "classify/ndpi/child.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace callwitness::classify::ndpi {
namespace {

constexpr std::size_t flow_bytes_limit = 48 * 1024;           // one job always fits into a batch
constexpr std::size_t open_bytes_limit = 48 * 1024 * 1024;    // of all flows not yet asked about
constexpr std::size_t flow_overhead = 128;                    // what an open flow costs besides its packets

struct OpenFlow {
  Time first_time;
  std::uint32_t milliseconds = 0;   ///< of the latest packet
  std::uint32_t packets = 0;
  std::vector<std::uint8_t> bytes;
};

class PacketWriter {
 public:
  explicit PacketWriter(std::vector<std::uint8_t>& to) : to_(to) {}
  void u8(unsigned value) { to_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(unsigned value) { u8(value >> 8 & 0xff), u8(value & 0xff); }
  void u32(std::uint32_t value) { u16(value >> 16), u16(value & 0xffff); }
  void bytes(Bytes from) { to_.insert(to_.end(), from.begin(), from.end()); }
  template <class Header> void header(const Header& value) {
    const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
    to_.insert(to_.end(), raw, raw + sizeof value);
  }

 private:
  std::vector<std::uint8_t>& to_;
};

/// The datagram as a plain packet: whatever link layers, tunnels and options it came in, nDPI parses only this.
void write_packet(std::vector<std::uint8_t>& to, const Datagram& datagram, std::uint32_t milliseconds) {
  const bool v4 = datagram.five_tuple.source.address.version == 4;
  const auto payload = static_cast<unsigned>(datagram.payload.size());
  const unsigned transport = payload + (datagram.tcp ? 20 : 8);
  PacketWriter out(to);
  out.header(PacketHeader{milliseconds, transport + (v4 ? 20 : 40)});
  const auto& [source, destination, protocol] = datagram.five_tuple;
  if (v4) {
    out.u16(0x4500), out.u16(transport + 20), out.u32(0), out.u8(64), out.u8(protocol), out.u16(0);
  } else {
    out.u32(0x60000000), out.u16(transport), out.u8(protocol), out.u8(64);
  }
  const std::size_t address = v4 ? 4 : 16;
  out.bytes(Bytes(source.address.bytes).first(address));
  out.bytes(Bytes(destination.address.bytes).first(address));
  out.u16(source.port), out.u16(destination.port);
  if (datagram.tcp) {
    out.u32(datagram.tcp->sequence), out.u32(datagram.tcp->acknowledgement);
    out.u8(0x50), out.u8(datagram.tcp->flags), out.u16(datagram.tcp->window), out.u32(0);
  } else {
    out.u16(transport), out.u16(0);
  }
  out.bytes(datagram.payload);
}

bool readable(const Datagram& datagram) {
  const auto& tuple = datagram.five_tuple;
  const bool known = (tuple.protocol == capture::protocol::udp && !datagram.tcp) ||
                     (tuple.protocol == capture::protocol::tcp && datagram.tcp);
  const auto version = tuple.source.address.version;
  return known && (version == 4 || version == 6) && version == tuple.destination.address.version &&
         !datagram.fragmented && !datagram.payload.empty() && datagram.payload_length <= Labeller::payload_limit &&
         datagram.payload.size() <= Labeller::payload_limit;
}

}  // namespace

struct Labeller::State {
  Child child;
  std::unordered_map<std::uint32_t, OpenFlow> open;
  std::deque<std::uint32_t> oldest;          ///< flows in the order they were opened; some are no longer open
  std::size_t open_bytes = 0;
  std::vector<bool> settled;                 ///< by flow id: asked about or dropped
  std::vector<FlowId> jobs;                  ///< by job number - 1
  std::vector<Answer> answers;
  std::size_t polled = 0;

  bool is_settled(std::uint32_t flow) const { return flow < settled.size() && settled[flow]; }

  OpenFlow take(std::unordered_map<std::uint32_t, OpenFlow>::iterator at) {
    const auto flow = at->first;
    if (flow >= settled.size()) settled.resize(std::max<std::size_t>(flow + std::size_t{1}, settled.size() * 2));
    settled[flow] = true;
    open_bytes -= at->second.bytes.size() + flow_overhead;
    OpenFlow taken = std::move(at->second);
    open.erase(at);
    return taken;
  }

  void ask(std::unordered_map<std::uint32_t, OpenFlow>::iterator at) {
    const FlowId flow{at->first};
    OpenFlow taken = take(at);
    if (taken.bytes.empty()) return;
    jobs.push_back(flow);
    child.ask(static_cast<std::uint32_t>(jobs.size()), std::move(taken.bytes));
  }

  /// Under a flood of flows the oldest are settled with what they have; single packets are not worth an answer.
  void bound() {
    while (open_bytes > open_bytes_limit && !oldest.empty()) {
      const auto at = open.find(oldest.front());
      oldest.pop_front();
      if (at == open.end()) continue;
      if (at->second.packets > 1) ask(at);
      else take(at);
    }
    if (oldest.size() > 2 * open.size() + 1024)
      std::erase_if(oldest, [this](std::uint32_t flow) { return !open.contains(flow); });
  }

  void collect() {
    for (const auto& wire : child.answers()) {
      Answer answer{jobs[wire.job - 1], child.name(wire.master), child.name(wire.application),
                    static_cast<Certainty>(std::min<std::uint32_t>(wire.certainty, 3))};
      if (answer.application.empty()) std::swap(answer.application, answer.master);
      if (!answer.application.empty()) answers.push_back(answer);
    }
    child.answers().clear();
  }
};

Labeller::Labeller() : state_(new State) {}
Labeller::~Labeller() = default;

bool Labeller::submit(FlowId flow, const Datagram& datagram) {
  const auto id = static_cast<std::uint32_t>(flow);
  if (state_->is_settled(id)) return false;
  if (!readable(datagram)) return true;
  const auto [at, fresh] = state_->open.try_emplace(id);
  auto& opened = at->second;
  if (fresh) {
    opened.first_time = datagram.time;
    state_->oldest.push_back(id);
    state_->open_bytes += flow_overhead;
  }
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(datagram.time - opened.first_time).count();
  opened.milliseconds = std::max(opened.milliseconds, static_cast<std::uint32_t>(std::clamp<std::int64_t>(since, 0, INT32_MAX)));
  const auto before = opened.bytes.size();
  write_packet(opened.bytes, datagram, opened.milliseconds);
  state_->open_bytes += opened.bytes.size() - before;
  const bool full = ++opened.packets >= packet_limit || opened.bytes.size() > flow_bytes_limit;
  if (full) state_->ask(at);
  state_->bound();
  return !full;
}

void Labeller::close(FlowId flow) {
  if (const auto at = state_->open.find(static_cast<std::uint32_t>(flow)); at != state_->open.end()) state_->ask(at);
}

void Labeller::forget(FlowId flow) {
  if (const auto at = state_->open.find(static_cast<std::uint32_t>(flow)); at != state_->open.end()) state_->take(at);
}

std::vector<Answer> Labeller::poll() {
  state_->child.exchange(false);
  state_->collect();
  std::vector<Answer> fresh(state_->answers.begin() + static_cast<std::ptrdiff_t>(state_->polled), state_->answers.end());
  state_->polled = state_->answers.size();
  return fresh;
}

std::vector<Answer> Labeller::drain() {
  std::vector<std::uint32_t> left;
  left.reserve(state_->open.size());
  for (const auto& [flow, opened] : state_->open) left.push_back(flow);
  std::sort(left.begin(), left.end());
  for (const auto flow : left) close(FlowId{flow});
  state_->child.exchange(true);
  state_->collect();
  auto all = state_->answers;
  std::sort(all.begin(), all.end(), [](const Answer& a, const Answer& b) { return a.flow < b.flow; });
  return all;
}

const capture::Anomalies& Labeller::anomalies() const { return state_->child.anomalies(); }

}  // namespace callwitness::classify::ndpi
