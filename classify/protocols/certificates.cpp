#include "classify/protocols/certificates.hpp"

#include "capture/cursor.hpp"
#include "classify/application.hpp"

#include <algorithm>
#include <optional>

namespace callwitness::classify {
namespace {

constexpr std::size_t connection_limit = 64, held_limit = 16'384, names_limit = 128, name_limit = 253;
constexpr std::size_t pieces_limit = 64;
constexpr std::uint8_t handshake = 22, server_hello = 2, certificate = 11;
constexpr std::uint8_t sequence = 0x30, set = 0x31, object_identifier = 0x06, octet_string = 0x04, boolean = 0x01, integer = 0x02;
constexpr std::uint8_t version_tag = 0xa0, extensions_tag = 0xa3, dns_name = 0x82;
constexpr std::array<std::uint8_t, 3> common_name = {0x55, 0x04, 0x03}, alternative_name = {0x55, 0x1d, 0x11};

/// One element of DER (X.690 8.1): definite lengths up to three bytes.
struct Element {
  std::uint8_t tag = 0;
  Bytes value;
};
std::optional<Element> take_element(Bytes& rest) {
  capture::Cursor cursor(rest);
  Element element;
  element.tag = cursor.u8();
  std::size_t length = cursor.u8();
  if (length >= 0x80) {
    const std::size_t more = length & 0x7f;
    if (more == 0 || more > 3) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | cursor.u8();
  }
  element.value = cursor.take(length);
  if (!cursor.ok()) return std::nullopt;
  rest = rest.last(cursor.remaining());
  return element;
}
std::optional<Bytes> take(Bytes& rest, std::uint8_t tag) {
  const auto element = take_element(rest);
  return element && element->tag == tag ? std::optional(element->value) : std::nullopt;
}

void add_name(Bytes text, std::vector<std::string>& names) {
  constexpr std::string_view any = "*.";
  std::string name;
  for (const std::uint8_t byte : text) name.push_back(byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : static_cast<char>(byte));
  if (name.starts_with(any)) name.erase(0, any.size());
  if (!name.empty() && name.size() <= name_limit && names.size() < names_limit) names.push_back(std::move(name));
}

void read_alternative_names(Bytes extensions, std::vector<std::string>& names) {
  auto list = take(extensions, sequence);
  while (list && !list->empty()) {
    auto extension = take(*list, sequence);
    if (!extension) return;
    const auto type = take(*extension, object_identifier);
    if (!type || !std::equal(type->begin(), type->end(), alternative_name.begin(), alternative_name.end())) continue;
    if (!extension->empty() && (*extension)[0] == boolean) take_element(*extension);   // critical
    auto wrapped = take(*extension, octet_string);
    auto general = wrapped ? take(*wrapped, sequence) : std::nullopt;
    while (general && !general->empty()) {
      const auto name = take_element(*general);
      if (!name) return;
      if (name->tag == dns_name) add_name(name->value, names);
    }
  }
}

void read_common_name(Bytes subject, std::vector<std::string>& names) {
  while (!subject.empty()) {
    auto relative = take(subject, set);
    auto pair = relative ? take(*relative, sequence) : std::nullopt;
    const auto type = pair ? take(*pair, object_identifier) : std::nullopt;
    if (!type) return;
    if (!std::equal(type->begin(), type->end(), common_name.begin(), common_name.end())) continue;
    if (const auto text = take_element(*pair)) add_name(text->value, names);
  }
}

/// The first certificate of a Certificate message's body: the server's own.
std::vector<std::string> names_of_message(Bytes body) {
  capture::Cursor cursor(body);
  cursor.u24();
  const Bytes own = cursor.take(cursor.u24());
  return cursor.ok() ? certificate_names(own) : std::vector<std::string>{};
}

std::string name_for(const std::vector<std::string>& names) { return application_of_certificate(names).empty() ? std::string{} : names.front(); }

}  // namespace

std::vector<std::string> certificate_names(Bytes bytes) {
  std::vector<std::string> names;
  auto whole = take(bytes, sequence);
  auto signed_part = whole ? take(*whole, sequence) : std::nullopt;
  if (!signed_part) return names;
  if (!signed_part->empty() && (*signed_part)[0] == version_tag) take_element(*signed_part);
  if (!take(*signed_part, integer) || !take(*signed_part, sequence) || !take(*signed_part, sequence) || !take(*signed_part, sequence)) return names;
  const auto subject = take(*signed_part, sequence);
  if (!subject || !take(*signed_part, sequence)) return names;
  while (!signed_part->empty()) {
    const auto element = take_element(*signed_part);
    if (!element) break;
    if (element->tag == extensions_tag) read_alternative_names(element->value, names);
  }
  if (names.empty()) read_common_name(*subject, names);
  return names;
}

std::string_view application_of_certificate(const std::vector<std::string>& names) {
  const Application* all = nullptr;
  for (const auto& name : names) {
    const auto* application = application_of_name(name);
    if (!application || (all && application != all)) return {};
    all = application;
  }
  return all ? all->key : std::string_view{};
}

CertificateReader::Connection* CertificateReader::find(const FiveTuple& five_tuple) {
  const auto found = std::find_if(connections_.begin(), connections_.end(), [&](const Connection& known) { return known.five_tuple == five_tuple; });
  return found == connections_.end() ? nullptr : &*found;
}

CertificateReader::Connection& CertificateReader::open(const FiveTuple& five_tuple) {
  if (connections_.size() >= connection_limit) connections_.pop_front();
  connections_.emplace_back().five_tuple = five_tuple;
  return connections_.back();
}

void CertificateReader::close(const FiveTuple& five_tuple) {
  std::erase_if(connections_, [&](const Connection& known) { return known.five_tuple == five_tuple; });
}

bool CertificateReader::may_tell(const Datagram& datagram) const {
  const Bytes bytes = datagram.payload;
  if (bytes.size() < 14) return datagram.tcp && !connections_.empty();
  if (!datagram.tcp) return bytes[0] == handshake && bytes[1] == 0xfe;
  return !connections_.empty() || (bytes[0] == handshake && bytes[1] == 3 && bytes[5] == server_hello);
}

std::string CertificateReader::on_datagram(const Datagram& datagram) {
  return datagram.tcp ? on_tcp(datagram) : on_dtls(datagram);
}

std::string CertificateReader::on_tcp(const Datagram& datagram) {
  const Bytes payload = datagram.payload;
  Connection* connection = find(datagram.five_tuple);
  if (!connection) {
    if (payload.size() < 6 || payload[0] != handshake || payload[1] != 3 || payload[5] != server_hello) return {};
    connection = &open(datagram.five_tuple);
    connection->next_sequence = datagram.tcp->sequence;
  }
  if (datagram.tcp->sequence != connection->next_sequence) return {};   // a repetition, or a hole that may yet be filled
  connection->next_sequence += datagram.payload_length;
  connection->records.insert(connection->records.end(), payload.begin(), payload.end());
  bool over = payload.size() < datagram.payload_length || connection->records.size() >= held_limit;
  std::vector<std::uint8_t> messages;
  capture::Cursor records{Bytes(connection->records)};
  while (!over && records.remaining() >= 5) {
    const std::uint8_t type = records.u8();
    records.u16();
    const std::size_t length = records.u16();
    if (type != handshake) over = true;          // it has gone over to ciphers: there is no certificate to be seen
    else if (length > records.remaining()) break;
    else {
      const Bytes part = records.take(length);
      messages.insert(messages.end(), part.begin(), part.end());
    }
  }
  std::string found;
  capture::Cursor cursor{Bytes(messages)};
  while (cursor.remaining() >= 4) {
    const std::uint8_t type = cursor.u8();
    const std::size_t length = cursor.u24();
    if (length > cursor.remaining()) break;
    const Bytes body = cursor.take(length);
    if (type != certificate) continue;
    found = name_for(names_of_message(body));
    over = true;
    break;
  }
  if (over) close(datagram.five_tuple);
  return found;
}

std::string CertificateReader::on_dtls(const Datagram& datagram) {
  Connection* connection = find(datagram.five_tuple);
  capture::Cursor records(datagram.payload);
  while (records.remaining() >= 13) {
    const std::uint8_t type = records.u8();
    records.skip(10);                              // version, epoch, number
    capture::Cursor messages(records.take(records.u16()));
    if (type != handshake || !records.ok()) break;
    while (messages.remaining() >= 12) {
      const std::uint8_t kind = messages.u8();
      const std::uint32_t length = messages.u24();
      messages.skip(2);
      const std::uint32_t offset = messages.u24();
      const Bytes piece = messages.take(messages.u24());
      if (!messages.ok()) break;
      if (kind != certificate || length > held_limit || offset + piece.size() > length || piece.empty()) continue;
      if (!connection) connection = &open(datagram.five_tuple);
      connection->length = length;
      if (connection->pieces.size() >= pieces_limit || connection->held + piece.size() > 2 * held_limit) continue;
      auto& kept = connection->pieces[offset];
      if (kept.size() >= piece.size()) continue;
      connection->held += piece.size() - kept.size();
      kept.assign(piece.begin(), piece.end());
    }
  }
  if (!connection) return {};
  std::vector<std::uint8_t> body;
  for (const auto& [offset, piece] : connection->pieces) {
    if (offset > body.size()) break;
    const std::size_t known = body.size() - offset;
    if (piece.size() > known) body.insert(body.end(), piece.begin() + static_cast<std::ptrdiff_t>(known), piece.end());
  }
  if (body.size() < connection->length) return {};
  close(datagram.five_tuple);
  return name_for(names_of_message(body));
}

}  // namespace callwitness::classify
