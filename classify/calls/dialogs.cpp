#include "classify/calls/dialogs.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::size_t call_id_limit = 256;
constexpr std::size_t described_limit = 1000;
// Media trails its BYE by what was on the way.
constexpr Duration trailing = std::chrono::seconds(2);
// The legs of one call are set up within this time of each other.
constexpr Duration legs_apart = std::chrono::seconds(30);
constexpr std::size_t format_limit = 64;
constexpr std::size_t hold_limit = 64;

/// Both descriptions of a hold say so; one that says otherwise ends it.
void note_directions(Dialog& dialog, const std::vector<SdpMedia>& described, Time time) {
  const auto speaks = [](const SdpMedia& media) {
    const auto& address = media.endpoint.address;
    const bool nowhere = address.version != 0 && std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
    return media.both_ways && !nowhere && media.endpoint.port != 0;   // RFC 3264 8.4: the old way to hold is the address 0.0.0.0
  };
  const auto voice = std::find_if(described.begin(), described.end(), [](const SdpMedia& media) { return media.kind == MediaKind::audio; });
  if (voice == described.end()) return;
  const bool both = speaks(*voice);
  ++dialog.descriptions;
  const bool held = !dialog.holds.empty() && !dialog.holds.back().until;
  if (dialog.descriptions <= 2) dialog.offered_both_ways = dialog.offered_both_ways && both;
  if (!both && !held && dialog.holds.size() < hold_limit) dialog.holds.push_back({time, std::nullopt});
  if (both && held) dialog.holds.back().until = time;
}

}  // namespace

std::string dialog_key(std::string_view exchange, std::uint32_t flow) {
  std::string key(1, ' ');
  key += exchange;
  key += '/';
  key += std::to_string(flow);
  return key;
}

std::optional<std::size_t> Dialogs::dialog_of(const TextMessage& message, const Flow& flow, Time time) {
  std::string key(message.call_id.substr(0, call_id_limit));
  if (message.rtsp) key = "rtsp/" + std::to_string(static_cast<std::uint32_t>(flow.id));
  else if (key.empty()) return std::nullopt;
  const auto found = by_call_id_.find(key);
  if (found != by_call_id_.end()) return found->second;
  const bool opens = message.rtsp ? message.method == "SETUP" || !message.transport.empty() : message.method == "INVITE";
  if (!opens) return std::nullopt;
  return open(std::move(key), message.rtsp ? Signalling::rtsp : Signalling::sip, flow.id, time);
}

std::optional<std::size_t> Dialogs::open(std::string key, Signalling signalling, FlowId flow, Time time) {
  const auto found = by_call_id_.find(key);
  if (found != by_call_id_.end()) {
    note_flow(dialogs_[leading(found->second)], flow);
    return found->second;
  }
  if (dialogs_.size() >= dialog_limit) {
    overflowed_ = true;
    return std::nullopt;
  }
  Dialog dialog;
  dialog.signalling = signalling;
  dialog.invited = time;
  dialog.flows.push_back(flow);
  dialogs_.push_back(std::move(dialog));
  leads_.push_back(dialogs_.size() - 1);
  by_call_id_.emplace(std::move(key), dialogs_.size() - 1);
  return dialogs_.size() - 1;
}

std::optional<std::size_t> Dialogs::find(const std::string& key) const {
  const auto found = by_call_id_.find(key);
  return found == by_call_id_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Dialogs::leading(std::size_t index) const {
  while (leads_[index] != index) index = leads_[index];
  return index;
}

void Dialogs::note_flow(Dialog& dialog, FlowId flow) {
  if (dialog.flows.size() < flows_limit && std::find(dialog.flows.begin(), dialog.flows.end(), flow) == dialog.flows.end()) {
    dialog.flows.push_back(flow);
  }
}

void Dialogs::join(std::size_t dialog, std::size_t other) {
  const std::size_t first = std::min(leading(dialog), leading(other)), second = std::max(leading(dialog), leading(other));
  if (first == second) return;
  leads_[second] = first;
  dialogs_[first].invited = std::min(dialogs_[first].invited, dialogs_[second].invited);
  for (const auto flow : dialogs_[second].flows) note_flow(dialogs_[first], flow);
}

std::vector<Dialogs::Announcement>* Dialogs::announcements_of(const Endpoint& endpoint) {
  if (endpoint.port == 0 || endpoint.address.version == 0) return nullptr;
  const auto found = endpoints_.find(endpoint);
  if (found != endpoints_.end()) return &found->second;
  if (endpoints_.size() >= endpoint_limit) {
    overflowed_ = true;
    return nullptr;
  }
  return &endpoints_.emplace(endpoint, std::vector<Announcement>{}).first->second;
}

void Dialogs::add(std::size_t dialog, const SdpMedia& media, Time time) {
  // Many calls may name these: music for all who hold, a telephone that doesn't say yet.
  const auto& address = media.endpoint.address;
  if (address.is_multicast() || std::all_of(address.bytes.begin(), address.bytes.end(), [](std::uint8_t byte) { return byte == 0; })) return;
  auto* const announcements = announcements_of(media.endpoint);
  if (!announcements) return;
  ++version_;
  if (!announcements->empty()) {
    Announcement& newest = announcements->back();
    const Dialog& its = this->dialog(newest.dialog);
    if (its.signalling == dialogs_[dialog].signalling && !its.ended && time - newest.time <= legs_apart) join(dialog, newest.dialog);
    if (leading(newest.dialog) == leading(dialog)) {
      for (const auto& format : media.formats) {
        if (newest.media.formats.size() < format_limit && !newest.media.format(format.payload_type)) newest.media.formats.push_back(format);
      }
      if (newest.media.kind == MediaKind::unknown) newest.media.kind = media.kind;
      if (newest.media.packet_time_ms == 0) newest.media.packet_time_ms = media.packet_time_ms;
      dialogs_[leading(dialog)].ended.reset();
      dialogs_[leading(dialog)].bye = false;
      return;
    }
  }
  Dialog& leader = dialogs_[leading(dialog)];
  leader.ended.reset();
  leader.bye = false;
  if (!leader.answered) leader.answered = time;
  if (announcements->size() >= announcements_limit) announcements->erase(announcements->begin());
  announcements->push_back({dialog, time, media});
}

void Dialogs::end(std::size_t dialog, Time time) {
  Dialog& leader = dialogs_[leading(dialog)];
  if (leader.ended) return;
  ++version_;
  leader.bye = true;
  leader.ended = time;
}

void Dialogs::announce(std::size_t dialog, const SdpMedia& media, Time time) {
  auto* const of_endpoint = announcements_of(media.endpoint);
  if (!of_endpoint) return;
  ++version_;
  auto& announcements = *of_endpoint;
  if (!announcements.empty() && announcements.back().dialog == dialog) {
    announcements.back().media = media;
    return;
  }
  if (announcements.size() >= announcements_limit) announcements.erase(announcements.begin());
  announcements.push_back({dialog, time, media});
}

void Dialogs::set_up(std::size_t dialog, const TextMessage& message, const Endpoint& server, const Endpoint& client, Time time) {
  const auto port_of = [&](std::string_view name) {
    return static_cast<std::uint16_t>(std::min(number_of(parameter_of(message.transport, name)).value_or(0), 65535u));
  };
  SdpMedia media;
  // Which of several descriptions a SETUP means, its URL says; the order of announced ports is order enough.
  for (auto& [flow, described] : described_) {
    if (std::find(dialogs_[dialog].flows.begin(), dialogs_[dialog].flows.end(), flow) == dialogs_[dialog].flows.end()) continue;
    for (const auto& each : described) {
      if (media.kind == MediaKind::unknown) media.kind = each.kind;
      else if (media.kind != each.kind) media.kind = MediaKind::unknown;
      media.formats.insert(media.formats.end(), each.formats.begin(), each.formats.end());
    }
    if (described.size() > 1) media.kind = MediaKind::unknown;
  }
  media.endpoint = {client.address, port_of("client_port")};
  announce(dialog, media, time);
  media.endpoint = {server.address, port_of("server_port")};
  announce(dialog, media, time);
}

void Dialogs::on_message(const TextMessage& message, const Flow& flow, const Endpoint& source, const Endpoint& destination,
                         Time time) {
  const bool has_sdp = message.body.size() > 8 && (message.content_type.find("sdp") != std::string_view::npos ||
                                                    message.body.starts_with("v=0"));
  if (message.rtsp && has_sdp && described_.size() < described_limit) described_[flow.id] = parse_sdp(message.body);
  const auto index = dialog_of(message, flow, time);
  if (!index) return;
  Dialog& dialog = dialogs_[*index];
  note_flow(dialog, flow.id);
  if (message.rtsp) {
    if (message.status == 200 && !message.transport.empty()) {
      if (!dialog.answered) dialog.answered = time;
      set_up(*index, message, source, destination, time);
    }
    if (message.method == "TEARDOWN") {
      ++version_;
      dialog.bye = true;
      dialog.ended = time;
    }
    return;
  }
  if (has_sdp) {
    const auto described = parse_sdp(message.body);
    for (const auto& media : described) announce(*index, media, time);
    note_directions(dialog, described, time);
  }
  if (message.session_expires_s > 0) dialog.session_expires_s = message.session_expires_s;
  if (message.method == "INVITE" && message.status >= 200 && message.status < 300 && !dialog.answered) dialog.answered = time;
  if (message.method == "INVITE" && message.status >= 300 && message.status != 401 && message.status != 407 && !dialog.answered) {
    dialog.refused = true;
    dialog.ended = time;
  }
  if (message.method == "BYE" && !dialog.bye) {
    ++version_;
    dialog.bye = true;
    dialog.ended = time;
  }
}

const Dialogs::Announcement* Dialogs::find(const Endpoint& endpoint, Time first, Time last) const {
  const auto found = endpoints_.find(endpoint);
  if (found == endpoints_.end()) return nullptr;
  for (auto each = found->second.rbegin(); each != found->second.rend(); ++each) {
    const Dialog& its = dialog(each->dialog);
    if (each->time <= last && (!its.ended || *its.ended + trailing >= first)) return &*each;
  }
  return nullptr;
}

}  // namespace callwitness::classify
