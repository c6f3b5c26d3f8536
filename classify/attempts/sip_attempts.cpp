#include "classify/attempts/sip_attempts.hpp"

#include "classify/nearness.hpp"

#include <algorithm>
#include <array>

namespace callwitness::classify {
namespace {

using Outcome = Attempt::Outcome;
constexpr Duration patience = std::chrono::seconds(32);   // RFC 3261 17.1.1.2: timer B, 64 * T1
constexpr std::size_t request_limit = 1024;
constexpr std::size_t looked_at = 4096;                   // bytes of a message
constexpr std::size_t key_limit = 200;

std::string_view text_of(Bytes bytes) {
  const Bytes head = bytes.first(std::min(bytes.size(), looked_at));
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

/// The value of a header (RFC 3261 7.3.1, with its compact form); empty: not there.
std::string_view header(std::string_view text, std::string_view name, std::string_view compact) {
  std::size_t at = text.find('\n');
  while (at != std::string_view::npos && at + 1 < text.size()) {
    const std::size_t end = std::min(text.find('\n', at + 1), text.size());
    std::string_view line = text.substr(at + 1, end - at - 1);
    if (line.empty() || line == "\r") break;
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string_view key = line.substr(0, colon);
      while (!key.empty() && key.back() == ' ') key.remove_suffix(1);
      const auto same = [&](std::string_view wanted) {
        return key.size() == wanted.size() && std::equal(key.begin(), key.end(), wanted.begin(), [](char a, char b) { return (a | 0x20) == (b | 0x20); });
      };
      if (same(name) || (!compact.empty() && same(compact))) {
        line.remove_prefix(colon + 1);
        while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        return line;
      }
    }
    if (end >= text.size()) break;
    at = end;
  }
  return {};
}

bool starts_with(std::string_view text, std::string_view head) { return text.substr(0, head.size()) == head; }

/// Codes that forbid. Busy, declined, unknown or unanswered users are ordinary; so is a challenge (401, 407), unless what
/// it answers bore a password's proof already: then the password is wrong.
bool is_refusal(int code, bool had_credentials) {
  return code == 403 || code == 488 || code == 503 || code == 606 || (had_credentials && (code == 401 || code == 407));
}

}  // namespace

bool SipAttempts::on_datagram(const Flow& flow, const Datagram& datagram, AttemptList& list) {
  const std::string_view text = text_of(datagram.payload);
  const bool response = starts_with(text, "SIP/2.0 ");
  constexpr std::array<std::string_view, 3> asked = {"REGISTER sip", "INVITE sip", "OPTIONS sip"};
  const bool request = std::any_of(asked.begin(), asked.end(), [&](std::string_view head) { return starts_with(text, head); });
  if (!response && !request) return false;
  expire(datagram.time, list);
  const std::string_view call = header(text, "call-id", "i"), sequence = header(text, "cseq", "");
  if (call.empty() || sequence.empty()) return true;
  std::string key = std::string(call.substr(0, key_limit)) + " " + std::string(sequence.substr(0, 32));
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const Request& known) { return known.key == key; });
  if (request) {
    if (found != requests_.end()) {
      if (found->ordinals.size() < AttemptList::ordinal_limit) found->ordinals.push_back(datagram.ordinal);
      found->last_time = datagram.time;
      ++found->asked;
      return true;
    }
    if (requests_.size() >= request_limit) {
      settle(requests_.front(), list);
      requests_.pop_front();
    }
    Request made{std::move(key), datagram.five_tuple, flow.id, datagram.time, datagram.time, {datagram.ordinal}, std::nullopt};
    made.has_credentials = !header(text, "authorization", "").empty() || !header(text, "proxy-authorization", "").empty();
    requests_.push_back(std::move(made));
    return true;
  }
  if (found == requests_.end() || text.size() < 11) return true;
  int code = 0;
  for (const char c : text.substr(8, 3)) code = c >= '0' && c <= '9' ? code * 10 + (c - '0') : -1000;
  if (code < 100) return true;
  found->last_time = datagram.time;
  if (found->ordinals.size() < AttemptList::ordinal_limit) found->ordinals.push_back(datagram.ordinal);
  on_answer(*found, code, datagram);
  return true;
}

void SipAttempts::on_answer(Request& request, int code, const Datagram& datagram) {
  if (request.outcome == Outcome::forged) return;
  const bool refusal = is_refusal(code, request.has_credentials);
  // Whoever stands between answers first, from nearer or farther than the server, whose own answer follows and differs.
  if (request.refusal != 0 && request.refusal != code && datagram.time_to_live != request.refusal_time_to_live) {
    request.outcome = Outcome::forged;
    return;
  }
  if (refusal && request.refusal == 0) {
    request.refusal = code;
    request.refusal_time_to_live = datagram.time_to_live;
  }
  request.outcome = refusal ? Outcome::refused : Outcome::answered;
  request.by_service = refusal;
}

void SipAttempts::on_icmp(IcmpSays says, const FiveTuple& about, const Datagram& datagram) {
  for (auto& request : requests_) {
    if (request.outcome || request.five_tuple != about) continue;
    if (request.ordinals.size() < AttemptList::ordinal_limit) request.ordinals.push_back(datagram.ordinal);
    request.last_time = datagram.time;
    if (says == IcmpSays::unreachable) {
      request.unreachable = true;
      continue;
    }
    const auto& sender = datagram.five_tuple.source.address;
    request.by_target = sender == about.destination.address;
    request.by_access = !request.by_target && is_of_access(datagram.time_to_live);
    request.from_nearby = is_nearby(datagram.time_to_live) && (!sender.is_routable() || is_same_link(sender, about.source.address));
    request.outcome = says == IcmpSays::prohibited ? Outcome::prohibited : Outcome::refused;
  }
}

void SipAttempts::settle(const Request& request, AttemptList& list) {
  Attempt attempt;
  attempt.application = "sip";
  attempt.stage = Attempt::Stage::signalling;
  attempt.step = Attempt::Step::request;
  attempt.outcome = request.outcome.value_or(Outcome::no_reply);
  attempt.source = request.five_tuple.source.address;
  attempt.asked = request.asked;
  attempt.by_service = request.by_service && attempt.outcome == Outcome::refused;
  attempt.by_target = request.by_target ? 1 : 0;
  attempt.by_access = request.by_access ? 1 : 0;
  attempt.from_nearby = request.from_nearby ? 1 : 0;
  attempt.unreachable = request.unreachable ? 1 : 0;
  attempt.target = Untrusted(request.five_tuple.destination.text());
  attempt.first_time = request.time;
  attempt.last_time = request.last_time;
  attempt.ordinals = request.ordinals;
  attempt.flows = {request.flow};
  list.add(std::move(attempt));
}

void SipAttempts::expire(Time now, AttemptList& list) {
  while (!requests_.empty() && now - requests_.front().time > patience) {
    settle(requests_.front(), list);
    requests_.pop_front();
  }
}

void SipAttempts::finish(Time end, AttemptList& list) {
  // At the end 5 s without even a provisional answer are enough: the request was repeated by then (T1 0.5 s, doubling).
  for (const auto& request : requests_) {
    if (request.outcome || (request.ordinals.size() >= 3 && end - request.time >= std::chrono::seconds(5))) settle(request, list);
  }
  requests_.clear();
}

}  // namespace callwitness::classify
