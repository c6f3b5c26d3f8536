#include "classify/names.hpp"

#include "classify/protocols/certificates.hpp"

#include <deque>
#include <map>

namespace callwitness::classify {
namespace {

constexpr std::uint16_t dns_port = 53;
constexpr std::size_t address_limit = 65'536;     // names kept; the oldest goes first
constexpr std::size_t partial_limit = 64;         // ClientHellos waiting for their next segment
constexpr std::size_t hello_limit = 16 * 1024;    // bytes kept of one
constexpr std::size_t name_limit = 253;           // RFC 1035 2.3.4
constexpr int jump_limit = 32;
constexpr std::uint16_t type_a = 1, type_cname = 5, type_aaaa = 28;

/// Reads the name at `at` of the whole message; returns where it ends there. Pointers may only point backwards.
std::optional<std::size_t> read_name(Bytes message, std::size_t at, std::string& name) {
  std::optional<std::size_t> end;
  std::size_t bound = at;
  int jumps = 0;
  for (;;) {
    if (at >= message.size()) return std::nullopt;
    const std::uint8_t length = message[at];
    if (length == 0) return end ? end : at + 1;
    if ((length & 0xc0) == 0xc0) {
      if (at + 2 > message.size() || ++jumps > jump_limit) return std::nullopt;
      const std::size_t target = (static_cast<std::size_t>(length & 0x3f) << 8) | message[at + 1];
      if (!end) end = at + 2;
      if (target >= bound) return std::nullopt;
      at = bound = target;
      continue;
    }
    if ((length & 0xc0) != 0 || at + 1 + length > message.size()) return std::nullopt;
    if (name.size() + length + 1 > name_limit) return std::nullopt;
    if (!name.empty()) name.push_back('.');
    for (std::size_t i = 0; i < length; ++i) {
      const char c = static_cast<char>(message[at + 1 + i]);
      name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    at += 1u + length;
  }
}

capture::IpAddress address_of(Bytes data) {
  capture::IpAddress address;
  address.version = data.size() == 4 ? 4 : 6;
  std::copy(data.begin(), data.end(), address.bytes.begin());
  return address;
}

/// The extensions of a ClientHello (RFC 8446 4.1.2, RFC 6066 3), as far as these bytes go.
ClientHello read_hello_body(Bytes body, bool all_there) {
  ClientHello hello;
  hello.complete = all_there;
  capture::Cursor cursor(body);
  cursor.skip(2 + 32);
  cursor.skip(cursor.u8());
  cursor.skip(cursor.u16());
  cursor.skip(cursor.u8());
  cursor.u16();
  while (cursor.ok() && cursor.remaining() >= 4) {
    const std::uint16_t type = cursor.u16();
    const std::uint16_t length = cursor.u16();
    if (type != 0) {
      cursor.skip(length);
      continue;
    }
    capture::Cursor names(cursor.take(length));
    names.u16();
    const std::uint8_t kind = names.u8();
    const Bytes name = names.take(names.u16());
    if (names.ok() && kind == 0 && name.size() <= name_limit) {
      for (const std::uint8_t byte : name) {
        const char c = static_cast<char>(byte);
        hello.server_name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      }
      hello.complete = true;
    }
    break;
  }
  return hello;
}

}  // namespace

std::optional<DnsMessage> read_dns(Bytes payload, capture::Anomalies& anomalies) {
  capture::Cursor cursor(payload);
  DnsMessage message;
  message.id = cursor.u16();
  const std::uint16_t flags = cursor.u16();
  const std::uint16_t questions = cursor.u16();
  message.answer_count = cursor.u16();
  cursor.skip(4);
  if (!cursor.ok() || questions != 1 || (flags >> 11 & 0xf) != 0) return std::nullopt;
  message.is_response = (flags & 0x8000) != 0;
  message.response_code = flags & 0xf;
  const auto question_end = read_name(payload, cursor.position(), message.question);
  if (!question_end) {
    anomalies.count("dns_bad_name");
    return std::nullopt;
  }
  std::size_t at = *question_end;
  capture::Cursor after(payload.subspan(at));
  message.question_type = after.u16();
  after.u16();
  if (!after.ok()) {
    anomalies.count("dns_cut");
    return std::nullopt;
  }
  at += 4;
  for (std::uint16_t i = 0; message.is_response && i < message.answer_count && i < 64; ++i) {
    std::string owner;
    const auto end = read_name(payload, at, owner);
    if (!end) {
      anomalies.count("dns_bad_name");
      break;
    }
    capture::Cursor record(payload.subspan(*end));
    const std::uint16_t type = record.u16();
    record.u16();
    const std::uint32_t time_to_live = record.u32();
    const std::uint16_t length = record.u16();
    const Bytes data = record.take(length);
    if (!record.ok()) {
      anomalies.count("dns_cut");
      break;
    }
    const std::size_t data_at = *end + 10;
    if ((type == type_a && length == 4) || (type == type_aaaa && length == 16)) {
      if (message.addresses.size() < 16) message.addresses.push_back(address_of(data));
      message.time_to_live = std::min(message.time_to_live.value_or(0xffffffffu), time_to_live);
    } else if (type == type_cname && message.aliases.size() < 8) {
      std::string alias;
      if (read_name(payload, data_at, alias)) message.aliases.push_back(std::move(alias));
      else anomalies.count("dns_bad_name");
    }
    at = data_at + length;
  }
  return message;
}

std::optional<ClientHello> read_client_hello(Bytes bytes) {
  if (bytes.size() < 6 || bytes[0] != 0x16 || bytes[1] != 3 || bytes[2] > 4 || bytes[5] != 1) return std::nullopt;
  // One record is the common case; a message over several is put together here.
  std::vector<std::uint8_t> joined;
  Bytes handshake;
  capture::Cursor records(bytes);
  while (records.remaining() >= 5) {
    const std::uint8_t type = records.u8();
    records.u16();
    const std::size_t length = records.u16();
    if (type != 0x16) break;
    const Bytes part = records.take(std::min(length, records.remaining()));
    if (handshake.empty() && joined.empty()) {
      handshake = part;
      if (part.size() >= 4 && part.size() < 4u + (static_cast<std::size_t>(part[1]) << 16 | static_cast<std::size_t>(part[2]) << 8 | part[3])) {
        joined.assign(part.begin(), part.end());
      } else {
        break;
      }
    } else if (joined.size() < hello_limit) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
  }
  return read_client_hello_message(joined.empty() ? handshake : Bytes(joined));
}

ClientHello read_client_hello_message(Bytes handshake) {
  if (handshake.size() < 4 || handshake[0] != 1) return {};
  const std::size_t length = static_cast<std::size_t>(handshake[1]) << 16 | static_cast<std::size_t>(handshake[2]) << 8 | handshake[3];
  const Bytes body = handshake.subspan(4, std::min(length, handshake.size() - 4));
  return read_hello_body(body, body.size() == length);
}

struct NameTable::State {
  struct Partial {
    FiveTuple five_tuple;
    std::uint32_t next_sequence = 0;
    std::vector<std::uint8_t> bytes;
  };
  std::map<capture::IpAddress, Entry> by_address;
  std::deque<capture::IpAddress> order;
  std::deque<Partial> partials;
  std::deque<std::pair<FiveTuple, QuicFlight>> flights;   ///< of QUIC clients whose ClientHello isn't whole yet
  CertificateReader certificates;
  capture::Anomalies anomalies;

  void keep(const capture::IpAddress& address, std::string_view name, Time time) {
    const Application* application = application_of_name(name);
    Entry entry{Untrusted(std::string(name)), application ? application->key : std::string_view{}, time};
    const auto [found, fresh] = by_address.insert_or_assign(address, std::move(entry));
    (void)found;
    if (!fresh) return;
    order.push_back(address);
    if (order.size() > address_limit) {
      by_address.erase(order.front());
      order.pop_front();
      anomalies.count("name_forgotten");
    }
  }

  void on_dns(const Datagram& datagram) {
    const auto message = read_dns(datagram.payload, anomalies);
    if (!message || !message->is_response || message->question.empty()) return;
    for (const auto& address : message->addresses) {
      // A forged answer names a private or impossible address: it must not name what really lives there.
      if (address.is_routable()) keep(address, message->question, datagram.time);
    }
  }

  Untrusted on_hello(const Datagram& datagram, const ClientHello& hello) {
    if (hello.server_name.empty()) return {};
    keep(datagram.five_tuple.destination.address, hello.server_name, datagram.time);
    return Untrusted(hello.server_name);
  }

  Untrusted on_quic(const Datagram& datagram) {
    auto at = std::find_if(flights.begin(), flights.end(), [&](const auto& flight) { return flight.first == datagram.five_tuple; });
    const bool fresh = at == flights.end();
    QuicFlight first;
    QuicFlight& flight = fresh ? first : at->second;
    if (!flight.add(datagram.payload)) return {};
    const auto bytes = flight.handshake();
    const auto hello = read_client_hello_message(bytes);
    const bool done = hello.complete || !hello.server_name.empty();
    if (done && !fresh) flights.erase(at);
    if (!done && fresh) {
      if (flights.size() >= partial_limit) flights.pop_front();
      flights.emplace_back(datagram.five_tuple, std::move(first));
    }
    return done ? on_hello(datagram, hello) : Untrusted{};
  }

  Untrusted on_tcp(const Datagram& datagram) {
    const Bytes payload = datagram.payload;
    if (const auto hello = read_client_hello(payload)) {
      if (!hello->complete && payload.size() == datagram.payload_length) {
        if (partials.size() >= partial_limit) partials.pop_front();
        partials.push_back({datagram.five_tuple, datagram.tcp->sequence + datagram.payload_length, {payload.begin(), payload.end()}});
      }
      return on_hello(datagram, *hello);
    }
    for (std::size_t i = 0; i < partials.size(); ++i) {
      Partial& partial = partials[i];
      if (partial.five_tuple != datagram.five_tuple || partial.next_sequence != datagram.tcp->sequence) continue;
      partial.bytes.insert(partial.bytes.end(), payload.begin(), payload.end());
      partial.next_sequence += datagram.payload_length;
      const auto hello = read_client_hello(Bytes(partial.bytes));
      if (!hello || (!hello->complete && partial.bytes.size() < hello_limit)) return {};
      const Untrusted name = on_hello(datagram, *hello);
      partials.erase(partials.begin() + static_cast<std::ptrdiff_t>(i));
      return name;
    }
    return {};
  }
};

NameTable::NameTable() : state_(std::make_unique<State>()) {}
NameTable::~NameTable() = default;

Untrusted NameTable::on_datagram(const Datagram& datagram) {
  if (datagram.payload.size() < 6) return {};
  if (datagram.five_tuple.protocol == capture::protocol::udp) {
    if (datagram.five_tuple.source.port == dns_port) state_->on_dns(datagram);
    else return state_->on_quic(datagram);
    return {};
  }
  if (!datagram.tcp) return {};
  if (datagram.payload[0] != 0x16 && state_->partials.empty()) return {};
  return state_->on_tcp(datagram);
}

Untrusted NameTable::certificate_name(const Datagram& datagram) {
  if (!state_->certificates.may_tell(datagram)) return {};
  std::string name = state_->certificates.on_datagram(datagram);
  if (!name.empty() && !lookup(datagram.five_tuple.source.address)) state_->keep(datagram.five_tuple.source.address, name, datagram.time);
  return Untrusted(std::move(name));
}

const NameTable::Entry* NameTable::lookup(const capture::IpAddress& address) const {
  const auto found = state_->by_address.find(address);
  return found == state_->by_address.end() ? nullptr : &found->second;
}

const capture::Anomalies& NameTable::anomalies() const { return state_->anomalies; }

}  // namespace callwitness::classify
