#include "metrics/starts.hpp"

#include "metrics/success_times.hpp"

#include <algorithm>
#include <map>

namespace callwitness::metrics {
namespace {

using namespace std::chrono_literals;
using Step = Attempt::Step;
using Stage = Attempt::Stage;
using Outcome = Attempt::Outcome;

constexpr auto made_good_within = 60s;      ///< after a try: who redials later begins anew
constexpr auto succeeded_before = 30s;      ///< before it: the same sign-in's other connections
constexpr auto call_began_before = 10s;     ///< its pairs are tried while it begins
constexpr auto least_held = 10s;            ///< a call shorter than this was hardly one
constexpr std::uint64_t least_each_way = 10;
constexpr std::uint32_t least_asked = 2;    ///< questions to a resolver: one may be lost
constexpr std::size_t times_kept = 32;      ///< of Attempt::times

/// Which success shows that the step was passed: the greatest number reached.
int rank(Step step) {
  switch (step) {
    case Step::look_up: return 0;
    case Step::connection: return 1;
    case Step::client_hello: case Step::message: case Step::request: return 2;
    case Step::stun_request: case Step::allocation: return 3;
    case Step::datagrams: case Step::stun_check: return 4;
    case Step::dtls_hello: return 5;
  }
  return 0;
}

constexpr int ranks = 6;

/// Of what kind a try is: a sign-in, media over TCP, media over UDP. Each is made good by its own kind and those after it.
constexpr int kinds = 3;
int kind_of(const Attempt& attempt) {
  if (!attempt.is_media) return 0;
  return attempt.stage == Stage::udp || attempt.step == Step::dtls_hello ? 2 : 1;
}

const classify::Flow* find_flow(const classify::Classification& classification, classify::FlowId id) {
  const auto at = std::lower_bound(classification.flows.begin(), classification.flows.end(), id, [](const classify::Flow& flow, classify::FlowId wanted) { return flow.id < wanted; });
  return at == classification.flows.end() || at->id != id ? nullptr : &*at;
}

/// What an application achieved. A try is made good by what got as far or further.
class Successes {
 public:
  void add(const Attempt& attempt) {
    const bool look_up = attempt.stage == Stage::dns;
    auto& times = look_up ? names_[attempt.target].of(attempt.source) : reached_[kind_of(attempt)][rank(attempt.step)].of(attempt.source);
    for (const auto time : attempt.times) times.add(time);
    if (attempt.times.empty()) times.add(attempt.first_time);
    if (attempt.times.size() >= times_kept) times.add(attempt.first_time, attempt.last_time);   // of more than are kept the rest fill their span
  }
  void sort() {
    for (auto& [name, hosts] : names_) hosts.sort();
    for (auto& kind : reached_)
      for (auto& hosts : kind) hosts.sort();
  }
  bool near(const Attempt& failure, Time time) const {
    return ask(failure, [&](const SuccessTimes& times) { return times.any_between(time - succeeded_before, time + made_good_within) || times.spans(time); });
  }
  bool any(const Attempt& failure) const {
    return ask(failure, [](const SuccessTimes& times) { return !times.empty(); });
  }

 private:
  template <typename Question>
  bool ask(const Attempt& failure, Question question) const {
    const bool look_up = failure.stage == Stage::dns;
    if (look_up)
      if (const auto name = names_.find(failure.target); name != names_.end() && name->second.ask(failure.source, question)) return true;
    for (int kind = kind_of(failure); kind < kinds; ++kind)
      for (int i = look_up ? 0 : rank(failure.step); i < ranks; ++i)
        if (reached_[kind][i].ask(failure.source, question)) return true;
    return false;
  }
  std::map<capture::Untrusted, SuccessesByHost> names_;
  SuccessesByHost reached_[kinds][ranks];
};

bool has_udp(const classify::Classification& classification, const classify::Call& call) {
  return std::any_of(call.flows.begin(), call.flows.end(), [&](classify::FlowId id) {
    const auto* flow = find_flow(classification, id);
    return flow == nullptr || (flow->five_tuple.protocol == capture::protocol::udp && flow->backward.packets >= least_each_way);
  });
}

/// Calls that were held, by their application.
class Calls {
 public:
  explicit Calls(const classify::Classification& classification) {
    for (const auto& call : classification.calls) {
      if (!is_held(classification, call)) continue;
      const auto host = call.local.value_or(capture::IpAddress{});
      const bool udp = has_udp(classification, call);
      for (auto* calls : {&by_application_, &over_udp_}) {
        if (calls == &over_udp_ && !udp) continue;
        auto& times = (*calls)[call.label.application].of(host);
        times.add(call.start_time);
        times.add(call.start_time, call.end_time);
      }
    }
    for (auto* calls : {&by_application_, &over_udp_})
      for (auto& [application, hosts] : *calls) hosts.sort();
  }
  bool make_good(const Attempt& failure, Time time) const {
    const bool unnamed = is_unnamed(failure.application);
    // A call that lives over TCP tells all the more of media that found no way over UDP.
    for (const auto& [application, hosts] : failure.is_media ? over_udp_ : by_application_) {
      const bool same = application == failure.application;
      if (!same && !unnamed) continue;
      // Of one application that goes on talking, a path that it looks for besides is no start. An unnamed one may be anybody's.
      const bool goes_on = same && failure.application != "webrtc";
      const auto question = [&](const SuccessTimes& times) { return times.any_between(time - call_began_before, time + made_good_within) || (goes_on && times.spans(time)); };
      if (hosts.ask(failure.source, question)) return true;
    }
    return false;
  }
  bool any(std::string_view application) const { return !is_unnamed(application) && by_application_.contains(application); }

 private:
  std::map<std::string_view, SuccessesByHost> by_application_, over_udp_;
};

/// Strangers who knock at our side are no starts of ours.
bool is_ours(const classify::Vantage& vantage, const Attempt& attempt) {
  const auto has = [&](const capture::IpAddress& address) {
    return std::find(vantage.local.begin(), vantage.local.end(), address) != vantage.local.end() ||
           std::find(vantage.guests.begin(), vantage.guests.end(), address) != vantage.guests.end();
  };
  if (attempt.stage == Stage::dns || attempt.source.version == 0 || has(attempt.source)) return true;
  const auto target = capture::IpAddress::parse(target_host(attempt));
  return !target || (!has(*target) && (target->is_routable() || !attempt.source.is_routable()));
}

}  // namespace

bool is_unnamed(std::string_view application) { return application == "webrtc" || application == "rtp"; }

bool makes_calls(std::string_view application) {
  return !application.empty() && application != "wireguard" && application != "openvpn" && application != "ipsec" && application != "rtsp";
}

std::string_view target_host(const Attempt& attempt) {
  std::string_view target = attempt.target.raw();
  if (attempt.stage == Stage::dns) return target;
  if (const auto space = target.rfind(' '); space != std::string_view::npos) target.remove_prefix(space + 1);
  target = target.substr(0, target.rfind(':'));
  if (target.size() > 2 && target.front() == '[' && target.back() == ']') target = target.substr(1, target.size() - 2);   // RFC 3986 3.2.2
  return target;
}

bool is_held(const classify::Classification& classification, const classify::Call& call) {
  if (call.end_time - call.start_time <= least_held) return false;
  std::uint64_t one = 0, other = 0;
  for (const auto id : call.flows) {
    const auto* at = find_flow(classification, id);
    if (at == nullptr) return true;   // not kept: nothing speaks against it
    const bool forward = at->five_tuple.source < at->five_tuple.destination;
    one += forward ? at->forward.packets : at->backward.packets;
    other += forward ? at->backward.packets : at->forward.packets;
  }
  return one >= least_each_way && other >= least_each_way;
}

std::vector<UnansweredStart> unanswered_starts(const classify::Classification& classification) {
  std::map<std::string_view, Successes> successes;
  for (const auto& attempt : classification.attempts)
    if (attempt.outcome == Outcome::answered || attempt.by_service) successes[attempt.application].add(attempt);
  for (auto& [application, achieved] : successes) achieved.sort();
  const Calls calls(classification);
  std::vector<UnansweredStart> found;
  for (std::size_t i = 0; i < classification.attempts.size(); ++i) {
    const Attempt& attempt = classification.attempts[i];
    if (attempt.outcome == Outcome::answered || attempt.by_service || !makes_calls(attempt.application) || !is_ours(classification.vantage, attempt)) continue;
    if (attempt.superseded >= attempt.tries) continue;
    if (attempt.stage == Stage::dns && attempt.outcome == Outcome::no_reply && attempt.asked < least_asked && attempt.tries < least_asked) continue;
    UnansweredStart start;
    start.attempt = i;
    std::size_t open = 0;
    const auto& own = successes[attempt.application];
    const auto check = [&](Time time) {
      if (own.near(attempt, time) || calls.make_good(attempt, time)) return;
      if (open == 0) start.first_time = start.last_time = time;
      start.first_time = std::min(start.first_time, time);
      start.last_time = std::max(start.last_time, time);
      ++open;
    };
    if (attempt.times.empty()) check(attempt.first_time);
    for (const auto time : attempt.times) check(time);
    if (open == 0) continue;
    const std::size_t looked_at = std::max<std::size_t>(1, attempt.times.size());
    // Tries beyond those kept are taken to share the fate of the kept ones.
    const std::uint64_t left = attempt.tries - std::min(attempt.tries, attempt.superseded);
    start.tries = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, std::min<std::uint64_t>(left, (attempt.tries * open + looked_at - 1) / looked_at)));
    if (attempt.tries > attempt.times.size()) start.last_time = std::max(start.last_time, attempt.last_time);
    start.worked_at_other_times = !is_unnamed(attempt.application) && (own.any(attempt) || calls.any(attempt.application));
    found.push_back(start);
  }
  return found;
}

}  // namespace callwitness::metrics
