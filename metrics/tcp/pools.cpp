#include "metrics/tcp/pools.hpp"

#include <algorithm>
#include <map>

namespace callwitness::metrics {
namespace {

constexpr std::size_t least_segments = 60;     // of a connection; less moves nothing
constexpr std::size_t least_losses = 15;       // of a pool
constexpr std::size_t most_pools = 2'000;      // a flood of lossy connections costs no more than this

struct Way {
  const FlowObservation* flow;
  Direction direction;
  TcpTransfer transfer;
  const capture::IpAddress *from, *to;
};

TcpPool pool_of(const std::vector<const Way*>& ways) {
  TcpPool pool;
  pool.direction = ways.front()->direction;
  std::size_t behind = 0, size = 0;
  for (const auto* way : ways) size += way->transfer.packets.size();
  pool.packets.reserve(size);
  for (const auto* way : ways) {
    pool.flows.push_back(way->flow);
    pool.losses += way->transfer.losses;
    if (way->transfer.viewpoint == Viewpoint::after_losses) behind += way->transfer.losses;
    pool.packet_bytes = ways.front() == way ? way->transfer.packet_bytes : std::max(pool.packet_bytes, way->transfer.packet_bytes);
    pool.packets.insert(pool.packets.end(), way->transfer.packets.begin(), way->transfer.packets.end());
  }
  pool.viewpoint = 2 * behind > pool.losses ? Viewpoint::after_losses : Viewpoint::before_losses;
  std::stable_sort(pool.packets.begin(), pool.packets.end(), [](const TcpPacket& a, const TcpPacket& b) { return a.time < b.time; });
  return pool;
}

}  // namespace

std::vector<TcpPool> tcp_pools(const Observation& observation) {
  std::vector<Way> ways;
  for (const auto& flow : observation.flows)
    for (const auto direction : {Direction::sent, Direction::received}) {
      const auto& record = flow.segments[static_cast<std::size_t>(direction)];
      if (record.segments.size() < least_segments) continue;
      auto transfer = transfer_of(record, observation.first_time, flow.tcp ? flow.tcp->handshake_round_trip : std::nullopt);
      const auto& tuple = flow.flow.five_tuple;
      const bool forward = direction == flow.forward;
      const auto *from = &tuple.source.address, *to = &tuple.destination.address;
      ways.push_back({&flow, direction, std::move(transfer), forward ? from : to, forward ? to : from});
    }
  std::vector<std::vector<const Way*>> groups;
  for (const auto& way : ways) groups.push_back({&way});
  // By both hosts, by the receiver, by the sender: the wider ones only where they hold more than the narrower.
  std::map<std::pair<capture::IpAddress, capture::IpAddress>, std::vector<const Way*>> by_pair;
  std::map<capture::IpAddress, std::vector<const Way*>> by_receiver, by_sender;
  for (const auto& way : ways) {
    by_pair[{*way.from, *way.to}].push_back(&way);
    by_receiver[*way.to].push_back(&way);
    by_sender[*way.from].push_back(&way);
  }
  const auto add = [&](const auto& map) {
    for (const auto& [key, members] : map)
      if (members.size() > 1 && std::find(groups.begin(), groups.end(), members) == groups.end()) groups.push_back(members);
  };
  add(by_pair);
  add(by_receiver);
  add(by_sender);
  std::vector<TcpPool> pools;
  for (const auto& group : groups) {
    std::size_t losses = 0;
    for (const auto* way : group) losses += way->transfer.losses;
    if (losses >= least_losses && pools.size() < most_pools) pools.push_back(pool_of(group));
  }
  return pools;
}

}  // namespace callwitness::metrics
