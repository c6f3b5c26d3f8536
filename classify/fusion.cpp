// All evidence about a flow weighed into one label.
#include "classify/application.hpp"

#include <algorithm>
#include <cctype>

namespace callwitness::classify {
namespace {

// docs/methods/applications.md says where these come from.
constexpr double owner_confidence = 0.99;
constexpr double name_confidence = 0.85;
constexpr double ndpi_confidence = 0.7;
constexpr double port_confidence = 0.3;
constexpr double rtp_confidence = 0.6;        // ICE or DTLS beside it: WebRTC or one of its like
constexpr double signal_confidence = 0.65;    // Signal keys SRTP in its own messages; a WebRTC page would show DTLS
constexpr double plain_rtp_confidence = 0.8;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool same_letter(char a, char b) { return lower(a) == lower(b); }
bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same_letter);
}
bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && same_text(text.substr(text.size() - end.size()), end);
}
bool holds(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter) != text.end();
}

/// Formats that many applications share: a name says more than they do.
bool is_generic(std::string_view key) { return key == "webrtc" || key == "rtp" || key == "sip"; }

double both(double a, double b) { return 1 - (1 - a) * (1 - b); }

/// Programs as Android packages and desktop processes call them.
struct Program {
  std::string_view part, application;
};
/// What telephones show as the program's name, where it is too short or too common to be looked for inside other names.
constexpr Program whole_names[] = {
    {"line", "line"}, {"imo", "imo"}, {"signal", "signal"}, {"messenger", "messenger"}, {"meet", "google_meet"}, {"google meet", "google_meet"}, {"duo", "google_meet"},
    {"google duo", "google_meet"}, {"zoom", "zoom"}, {"teams", "skype_teams"}, {"msteams", "skype_teams"}, {"microsoft teams", "skype_teams"}, {"kakaotalk", "kakaotalk"},
    {"tango", "tango"}, {"mumla", "mumble"}, {"plumble", "mumble"}, {"jitsi meet", "jitsi"}, {"snapchat", "snapchat"}, {"weixin", "wechat"}};
constexpr Program programs[] = {
    {"com.skype", "skype"}, {"skype", "skype"}, {"com.viber", "viber"}, {"viber", "viber"}, {"com.sgiggle", "tango"},
    {"whatsapp", "whatsapp"}, {"com.facebook.orca", "messenger"}, {"securesms", "signal"}, {"org.signal", "signal"},
    {"telegram", "telegram"}, {"com.google.android.apps.tachyon", "google_meet"}, {"com.google.android.apps.meetings", "google_meet"},
    {"us.zoom", "zoom"}, {"zoom.us", "zoom"}, {"discord", "discord"}, {"facetime", "facetime"}, {"avconferenced", "facetime"},
    {"jp.naver.line", "line"}, {"com.kakao.talk", "kakaotalk"}, {"com.imo", "imo"}, {"com.tencent.mm", "wechat"}, {"wechat", "wechat"},
    {"com.cisco.webex", "webex"}, {"webex", "webex"}, {"com.microsoft.teams", "skype_teams"}, {"teamspeak", "teamspeak"},
    {"mumble", "mumble"}, {"ventrilo", "ventrilo"}, {"com.snapchat", "snapchat"}, {"org.jitsi", "jitsi"}, {"linphone", "sip"}, {"baresip", "sip"},
    {"wireguard", "wireguard"}, {"openvpn", "openvpn"}};

}  // namespace

Recognition recognise(const FlowStart& start) {
  Recognition best;
  for (const Application* application : applications()) {
    if (!application->recognise) continue;
    const Claim claim = application->recognise(start);
    if (claim.confidence > best.claim.confidence) best = {application, claim};
  }
  return best;
}

const Application* application_of_ndpi_label(std::string_view label) {
  for (const Application* application : applications()) {
    for (const auto known : application->ndpi_labels) {
      if (same_text(known, label)) return application;
    }
  }
  return nullptr;
}

const Application* application_of_owner(std::string_view owner) {
  for (const auto& program : whole_names) {
    if (same_text(owner, program.part)) return find_application(program.application);
  }
  for (const auto& program : programs) {
    if (holds(owner, program.part)) return find_application(program.application);
  }
  return nullptr;
}

const Application* application_of_port(std::uint8_t protocol, std::uint16_t port) {
  for (const Application* application : applications()) {
    for (const auto& range : application->ports) {
      if (range.protocol == protocol && port >= range.first && port <= range.last) return application;
    }
  }
  return nullptr;
}

const Application* application_of_name(std::string_view name) {
  const Application* best = nullptr;
  std::size_t longest = 0;
  for (const Application* application : applications()) {
    for (const auto domain : application->domains) {
      if (domain.size() <= longest || !ends_with(name, domain)) continue;
      if (name.size() > domain.size() && name[name.size() - domain.size() - 1] != '.') continue;
      best = application;
      longest = domain.size();
    }
  }
  return best;
}

Label fuse(const Evidence& evidence) {
  if (!evidence.owner.empty()) {
    if (const auto* owner = application_of_owner(evidence.owner)) return {owner->key, owner_confidence, Basis::owner};
  }
  Label best;
  if (evidence.recognition.application) {
    best = {evidence.recognition.application->key, evidence.recognition.claim.confidence, evidence.recognition.claim.basis};
  }
  if (evidence.carries_rtp && best.confidence < rtp_confidence) best = {evidence.is_ice ? "webrtc" : "rtp", evidence.is_ice ? rtp_confidence : plain_rtp_confidence, Basis::behaviour};
  if (evidence.is_signal_like && best.confidence <= signal_confidence) best = {"signal", signal_confidence, Basis::behaviour};
  const std::string_view named = evidence.name_application;
  if (!named.empty()) {
    if (named == best.application) best.confidence = both(best.confidence, name_confidence);
    else if (best.confidence < name_confidence || is_generic(best.application)) best = {named, name_confidence, Basis::name};
  }
  if (const auto* ndpi = application_of_ndpi_label(evidence.ndpi_label); ndpi && !is_generic(ndpi->key)) {
    if (ndpi->key == best.application) best.confidence = both(best.confidence, ndpi_confidence / 2);
    else if (best.confidence < ndpi_confidence || (is_generic(best.application) && best.confidence < 0.9)) best = {ndpi->key, ndpi_confidence, Basis::ndpi};
  }
  if (best.application.empty()) {
    const auto& tuple = evidence.five_tuple;
    const Application* by_port = application_of_port(tuple.protocol, tuple.destination.port);
    if (!by_port) by_port = application_of_port(tuple.protocol, tuple.source.port);
    if (by_port) best = {by_port->key, port_confidence, Basis::port};
  }
  best.confidence = std::min(best.confidence, 0.99);
  return best;
}

}  // namespace callwitness::classify
