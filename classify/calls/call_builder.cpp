#include "classify/calls/call_builder.hpp"

#include "classify/calls/shared_flows.hpp"
#include "classify/flows/rtp_trial.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace callwitness::classify {
namespace {

// A reconnect within this time is the same call (docs/methods/calls.md).
constexpr Duration reconnect = std::chrono::seconds(60);
// Flows of one call start and end together; two calls don't.
constexpr Duration together = std::chrono::seconds(3);
constexpr std::uint64_t brief = 50;
constexpr double video_clock_hz = 90'000;
// Retransmissions by their timestamps (docs/methods/streams.md).
constexpr std::uint64_t few_unexplained = 5, least_repeats = 3;
constexpr Duration pause = std::chrono::seconds(2);

class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[std::max(find(a), find(b))] = std::min(find(a), find(b)); }

 private:
  std::vector<std::size_t> parent_;
};

bool may_be_one(const MediaFlow& a, const MediaFlow& b) {
  const auto x = a.label.application, y = b.label.application;
  return x == y || is_generic(x) || is_generic(y);
}

bool near(const MediaFlow& a, const MediaFlow& b, Duration gap) {
  return a.first_time <= b.last_time + gap && b.first_time <= a.last_time + gap;
}

/// At the same time, but for the moment that a hand-over takes.
bool overlap(const MediaFlow& a, const MediaFlow& b) {
  const Duration common = std::min(a.last_time, b.last_time) - std::max(a.first_time, b.first_time);
  const Duration shorter = std::min(a.last_time - a.first_time, b.last_time - b.first_time);
  return common > std::min(pause, shorter / 2);
}

/// Both ends as (lesser address, greater address).
std::pair<capture::IpAddress, capture::IpAddress> hosts(const MediaFlow& flow) {
  const auto& tuple = flow.flow->five_tuple;
  return std::minmax(tuple.source.address, tuple.destination.address);
}

/// One local socket talks to a relay, then to the peer: ICE. Servers' well-known ports are no such socket.
bool share_socket(const MediaFlow& a, const MediaFlow& b, const std::set<capture::IpAddress>& local) {
  const auto& x = a.flow->five_tuple;
  const auto& y = b.flow->five_tuple;
  for (const auto& mine : {x.source, x.destination}) {
    if (mine != y.source && mine != y.destination) continue;
    if (local.empty() ? mine.port >= 16384 : local.count(mine.address) > 0) return true;
  }
  return false;
}

bool share_ssrc(const MediaFlow& a, const MediaFlow& b, const std::vector<Stream>& streams) {
  for (const auto left : a.streams) {
    const auto& ssrc = streams[static_cast<std::size_t>(left)].ssrc;
    if (!ssrc || *ssrc < 0x10000) continue;  // small numbers are chosen, not drawn: they say little
    for (const auto right : b.streams) {
      if (streams[static_cast<std::size_t>(right)].ssrc == ssrc) return true;
    }
  }
  return false;
}

Duration apart(Time a, Time b) { return a < b ? b - a : a - b; }

bool same_call(const MediaFlow& a, const MediaFlow& b, const std::vector<Stream>& streams,
               const std::set<capture::IpAddress>& local) {
  if (a.flow == b.flow) return false;  // split on purpose
  if (a.dialog >= 0 || b.dialog >= 0) return a.dialog == b.dialog;
  if (!may_be_one(a, b) || !near(a, b, reconnect)) return false;
  if (share_ssrc(a, b, streams) || share_socket(a, b, local)) return true;
  const bool same_hosts = hosts(a) == hosts(b);
  if (overlap(a, b)) {
    // Audio and video on ports of their own begin and end as one; parallel calls don't.
    return same_hosts && apart(a.first_time, b.first_time) <= together && apart(a.last_time, b.last_time) <= together;
  }
  // A part that said good-bye is over: what follows is another call.
  const MediaFlow& earlier = a.last_time <= b.last_time ? a : b;
  if (earlier.ended_by == Ending::bye || earlier.ended_by == Ending::rtcp_bye || earlier.ended_by == Ending::close_notify) return false;
  // One that was cut goes on at its near end until that end gives up; one that was hung up stops both ways at once.
  if (earlier.ended_by == Ending::silence && was_hung_up(earlier.last_of_way, (&earlier == &a ? b : a).first_time)) return false;
  const auto x = hosts(a), y = hosts(b);
  const bool same_application = a.label.application == b.label.application && !is_generic(a.label.application);
  const bool share_host = x.first == y.first || x.first == y.second || x.second == y.first || x.second == y.second;
  return same_hosts || (same_application && share_host);
}

/// Video that runs one way only, unsigned and unsignalled, is somebody's broadcast or game, not a call.
bool is_conversation(const std::vector<const MediaFlow*>& group, const std::vector<Stream>& streams) {
  std::set<Way> ways;
  bool other_than_video = false;
  for (const auto* flow : group) {
    if (!is_generic(flow->label.application) || flow->signalling != Signalling::none) return true;
    for (const auto id : flow->streams) {
      const Stream& stream = streams[static_cast<std::size_t>(id)];
      ways.insert(stream.way);
      other_than_video |= stream.kind != MediaKind::video && stream.kind != MediaKind::retransmission;
    }
  }
  return other_than_video || ways.size() > 1;
}

std::vector<CallPart> parts_of(std::vector<const MediaFlow*> flows) {
  std::vector<CallPart> parts;
  std::sort(flows.begin(), flows.end(), [](const auto* a, const auto* b) {
    return std::pair(a->first_time, a->flow->id) < std::pair(b->first_time, b->flow->id);
  });
  for (const auto* flow : flows) {
    if (parts.empty() || flow->first_time > parts.back().last_time) {
      parts.push_back({flow->first_time, flow->last_time, {}, flow->ended_by, flow->goodbye});
    }
    CallPart& part = parts.back();
    part.flows.push_back(flow->flow->id);
    if (flow->last_time >= part.last_time) {
      part.last_time = flow->last_time;
      part.ended_by = flow->ended_by;
      part.goodbye = flow->goodbye;
    }
  }
  return parts;
}

/// RFC 4588 4: an SSRC, a numbering and a type of its own, and timestamps of what it mends.
bool mends(const Stream& small, const StreamFacts& seen, const Stream& big, const StreamFacts& beside) {
  if (small.payload_type == big.payload_type || small.ssrc == big.ssrc) return false;
  const auto ahead = static_cast<std::int32_t>(seen.last_timestamp - beside.last_timestamp);
  const double wall = capture::seconds(seen.last_time - beside.last_time);
  if (std::abs(static_cast<double>(ahead) - wall * video_clock_hz) >= video_clock_hz) return false;
  // What was never there can't be repeated by what was captured: a packet or more of each frame that is lost whole.
  const std::uint64_t repeats = seen.repeated == big.ssrc ? seen.repeats : 0, unexplained = seen.weighed - std::min<std::uint64_t>(seen.weighed, repeats);
  if (unexplained > beside.missing + seen.weighed / 10 + few_unexplained) return false;
  // Another picture layer on the same clock is there for frame after frame, and at the same time.
  const auto frames = [](const StreamFacts& of) { return of.packets - std::min(of.packets, of.same_timestamp); };
  if (repeats > 0 && frames(seen) * 2 >= frames(beside) && seen.later * 2 < repeats) return false;
  const bool told_by_repeats = repeats >= least_repeats && repeats * 2 >= seen.weighed;
  return seen.packets * 2 < beside.packets || (told_by_repeats && seen.packets <= beside.packets);
}

}  // namespace

bool is_generic(std::string_view application) {
  return application.empty() || application == "rtp" || application == "webrtc" || application == "sip" || application == "rtsp";
}

void tell_kinds(std::vector<Stream>& streams, const std::vector<StreamFacts>& facts) {
  std::map<std::pair<FlowId, Way>, std::vector<std::size_t>> videos;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    Stream& stream = streams[i];
    const StreamFacts& seen = facts[i];
    if (stream.sequence_basis == SequenceBasis::rtp && stream.kind == MediaKind::unknown && seen.packets > 0) {
      const double length = static_cast<double>(seen.payload_bytes) / static_cast<double>(seen.packets);
      const double repeated = static_cast<double>(seen.same_timestamp) / static_cast<double>(seen.packets);
      const double clock = seen.advances > 0 ? capture::seconds(seen.last_time - seen.first_time) : 0;
      const double rate = clock > 0.05 ? static_cast<double>(seen.ticks) / clock : 0;
      if (stream.clock_rate_hz != 0) stream.kind = stream.clock_rate_hz == 90'000 ? MediaKind::video : MediaKind::audio;
      else if ((repeated > 0.25 && length > static_cast<double>(longest_event)) || length > 500) stream.kind = MediaKind::video;
      else if (rate > 62'000 && rate < 130'000) stream.kind = MediaKind::video;
      else stream.kind = MediaKind::audio;
    }
    if (stream.kind == MediaKind::video) videos[{stream.flow, stream.way}].push_back(i);
  }
  // RFC 4588: a retransmission stream bears the timestamps of the stream it mends, so beside it runs a busier one
  // that is at the same media time.
  for (std::size_t i = 0; i < streams.size(); ++i) {  // too short to be told by itself: a sender's probe before it mends
    Stream& stream = streams[i];
    const auto group = videos.find({stream.flow, stream.way});
    if (group == videos.end() || stream.clock_rate_hz != 0 || facts[i].packets >= brief || stream.kind != MediaKind::audio) continue;
    const bool beside_video = std::any_of(group->second.begin(), group->second.end(), [&](std::size_t video) {
      return facts[video].packets > 20 * facts[i].packets && stream.payload_type == streams[video].payload_type + 1;
    });
    if (beside_video) stream.kind = MediaKind::retransmission;
  }
  for (const auto& [key, group] : videos) {
    for (const auto small : group) {
      for (const auto big : group) {
        if (small != big && mends(streams[small], facts[small], streams[big], facts[big])) streams[small].kind = MediaKind::retransmission;
      }
    }
  }
}

std::vector<Call> build_calls(std::vector<MediaFlow> flows, std::vector<Stream>& streams,
                              const std::vector<StreamFacts>&, const Vantage& vantage) {
  std::sort(flows.begin(), flows.end(), [](const MediaFlow& a, const MediaFlow& b) {
    return std::pair(a.first_time, a.flow->id) < std::pair(b.first_time, b.flow->id);
  });
  const std::set<capture::IpAddress> local(vantage.local.begin(), vantage.local.end());
  Groups groups(flows.size());
  std::size_t window = 0;
  std::vector<Time> latest(flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) {
    latest[i] = std::max(i > 0 ? latest[i - 1] : Time::min(), flows[i].last_time);
    while (window < i && latest[window] + reconnect < flows[i].first_time) ++window;
    for (std::size_t j = window; j < i; ++j) {
      if (same_call(flows[j], flows[i], streams, local)) groups.join(j, i);
    }
  }
  std::map<std::size_t, std::vector<const MediaFlow*>> members;
  for (std::size_t i = 0; i < flows.size(); ++i) members[groups.find(i)].push_back(&flows[i]);

  std::vector<Call> calls;
  for (const auto& [root, group] : members) {
    if (!is_conversation(group, streams)) continue;
    Call call;
    const MediaFlow* main = group.front();
    std::uint64_t most = 0;
    for (const auto* flow : group) {
      const std::uint64_t packets = flow->flow->forward.packets + flow->flow->backward.packets;
      if (packets > most) {
        most = packets;
        main = flow;
      }
      const bool better = is_generic(call.label.application) && !is_generic(flow->label.application);
      const bool as_good = is_generic(call.label.application) == is_generic(flow->label.application);
      if (better || (as_good && flow->label.confidence > call.label.confidence)) call.label = flow->label;
      if (call.owner.empty()) call.owner = flow->flow->owner;
      if (flow->signalling != Signalling::none) {
        call.signalling = flow->signalling;
        call.announced = flow->announced;
      }
      call.streams.insert(call.streams.end(), flow->streams.begin(), flow->streams.end());
      call.flows.push_back(flow->flow->id);
    }
    std::sort(call.streams.begin(), call.streams.end());
    std::sort(call.flows.begin(), call.flows.end());
    call.parts = parts_of(group);
    call.start_time = call.parts.front().first_time;
    call.end_time = call.start_time;
    for (const auto& part : call.parts) {
      if (part.last_time >= call.end_time) {
        call.end_time = part.last_time;
        call.ended_by = part.ended_by;
      }
    }
    for (const auto* flow : group) {
      if (flow->dialog_end && call.ended_by == Ending::bye) call.end_time = std::max(call.end_time, *flow->dialog_end);
    }
    const auto& tuple = main->flow->five_tuple;
    bool source_local = local.count(tuple.source.address) > 0, destination_local = local.count(tuple.destination.address) > 0;
    if (!source_local && !destination_local) {
      const auto is_guest = [&](const Endpoint& endpoint) { return std::find(vantage.guests.begin(), vantage.guests.end(), endpoint.address) != vantage.guests.end(); };
      source_local = is_guest(tuple.source);
      destination_local = is_guest(tuple.destination);
    }
    call.local_endpoint = tuple.source;
    call.remote_endpoint = tuple.destination;
    if (source_local != destination_local) {
      if (destination_local) std::swap(call.local_endpoint, call.remote_endpoint);
      call.local = call.local_endpoint.address;
    }
    calls.push_back(std::move(call));
  }
  std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) {
    return std::pair(a.start_time, a.flows.front()) < std::pair(b.start_time, b.flows.front());
  });
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i].id = CallId{static_cast<std::uint32_t>(i)};
    for (const auto stream : calls[i].streams) streams[static_cast<std::size_t>(stream)].call = calls[i].id;
  }
  return calls;
}

}  // namespace callwitness::classify
