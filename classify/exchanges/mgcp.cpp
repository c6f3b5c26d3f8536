#include "classify/exchanges/mgcp.hpp"

#include <algorithm>

namespace callwitness::classify {
namespace {

constexpr std::string_view verbs[] = {"EPCF", "CRCX", "MDCX", "DLCX", "RQNT", "NTFY", "AUEP", "AUCX", "RSIP"};
constexpr std::size_t line_limit = 64, call_id_limit = 32;   // RFC 3435 3.2.2.2: a call's identifier has 32 digits at most

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view take_word(std::string_view& line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto word = line.substr(0, std::min(line.find(' '), line.size()));
  line.remove_prefix(word.size());
  return word;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Messages in one datagram are parted by a line with a dot (RFC 3435 3.5.5).
std::string_view take_message(std::string_view& text) {
  const auto begin = text;
  std::size_t size = 0;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line == ".") return begin.substr(0, size);
    size = begin.size() - text.size();
  }
  return begin;
}

}  // namespace

bool looks_like_mgcp(Bytes bytes) {
  if (bytes.size() < 12 || bytes[4] != ' ' || bytes[0] < 'A' || bytes[0] > 'R') return false;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (std::find(std::begin(verbs), std::end(verbs), text.substr(0, 4)) == std::end(verbs)) return false;
  return text.substr(0, text.find('\n')).find(" MGCP ") != std::string_view::npos;
}

std::optional<MgcpMessage> parse_mgcp(std::string_view text) {
  MgcpMessage message;
  auto first = take_line(text);
  const auto word = take_word(first);
  const auto transaction = number_of(take_word(first));
  if (!transaction) return std::nullopt;
  message.transaction = *transaction;
  if (word.size() == 3 && std::all_of(word.begin(), word.end(), is_digit)) {
    message.code = static_cast<int>(number_of(word).value_or(0));
  } else if (std::find(std::begin(verbs), std::end(verbs), word) != std::end(verbs) && first.find(" MGCP ") != std::string_view::npos) {
    message.verb = word;
  } else {
    return std::nullopt;
  }
  for (std::size_t lines = 0; !text.empty() && lines < line_limit; ++lines) {
    auto line = take_line(text);
    if (line.empty()) {
      message.body = text;
      break;
    }
    if (line.starts_with("C:") || line.starts_with("c:")) {
      line.remove_prefix(2);
      message.call_id = take_word(line);
    }
  }
  return message;
}

void MgcpExchange::on_datagram(Bytes bytes, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t messages = 0; !text.empty() && messages < message_limit; ++messages) {
    if (const auto message = parse_mgcp(take_message(text))) on_message(*message, flow, source, destination, time);
  }
}

void MgcpExchange::on_message(const MgcpMessage& message, const Flow& flow, const Endpoint& source, const Endpoint& destination, Time time) {
  std::optional<std::size_t> dialog;
  if (message.verb.empty()) {
    const auto asked = pending_.find({destination, message.transaction});
    if (asked == pending_.end() || message.code >= 300) return;
    dialog = asked->second;
  } else {
    const bool makes = message.verb == "CRCX" || message.verb == "MDCX";
    if ((!makes && message.verb != "DLCX") || message.call_id.empty() || message.call_id.size() > call_id_limit) return;
    std::string key = " mgcp/";
    key += message.call_id;
    if (makes) dialog = dialogs_.open(std::move(key), Signalling::mgcp, flow.id, time);
    else dialog = dialogs_.find(key);
    if (!dialog) return;
    if (!makes) return dialogs_.end(*dialog, time);
    if (pending_.insert_or_assign({source, message.transaction}, *dialog).second) in_order_.emplace_back(source, message.transaction);
    if (in_order_.size() > pending_limit) {
      pending_.erase(in_order_.front());
      in_order_.pop_front();
    }
  }
  for (const auto& media : parse_sdp(message.body)) dialogs_.add(*dialog, media, time);
}

}  // namespace callwitness::classify
