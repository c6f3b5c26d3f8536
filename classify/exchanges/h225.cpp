// Structure and bounds: ITU-T H.225.0 (12/2009), module H323-MESSAGES; numbers of choices in the order given there.
#include "classify/exchanges/h225.hpp"

namespace callwitness::classify {
namespace {

constexpr std::size_t guid = 16;

template <typename Skip>
void skip_each(PerReader& reader, const Skip& skip) {
  for (std::size_t count = reader.length(); count > 0 && reader.ok(); --count) skip(reader);
}

void skip_h221(PerReader& reader) {
  const bool extended = reader.flag();
  reader.octets(4);
  reader.skip_additions(extended);
}

void skip_non_standard(PerReader& reader) {
  const auto identifier = reader.choice(1);
  if (identifier.extended || identifier.index == 0) reader.counted();
  else skip_h221(reader);
  reader.counted();
}

std::optional<Endpoint> address(PerReader& reader) {
  const auto choice = reader.choice(3);
  if (choice.extended || (choice.index != 0 && choice.index != 3)) {   // IPX, NetBIOS, source routes: of another time
    reader.give_up();
    return std::nullopt;
  }
  const bool extended = choice.index == 3 && reader.flag();
  Endpoint endpoint;
  endpoint.address = address_of(reader.octets(choice.index == 0 ? 4 : 16));
  endpoint.port = reader.two_octets();
  reader.skip_additions(extended);
  if (!reader.ok()) return std::nullopt;
  return endpoint;
}

/// 1..128 digits of four bits; what follows does so on the next bit.
void skip_digits(PerReader& reader) {
  const std::uint32_t count = reader.bits(7) + 1;
  reader.octets(0);
  for (std::uint32_t i = 0; i < count; ++i) reader.bits(4);
}

void skip_alias(PerReader& reader) {
  const auto choice = reader.choice(1);
  if (choice.extended) reader.counted();
  else if (choice.index == 0) skip_digits(reader);
  else reader.octets((reader.octet() + std::size_t{1}) * 2);   // characters of two bytes, 1..256
}

void skip_protocol(PerReader& reader) {
  const auto choice = reader.choice(4);
  if (choice.extended) { reader.counted(); return; }
  if (choice.index == 0) return skip_non_standard(reader);
  const bool extended = reader.flag();
  if (reader.flag()) skip_non_standard(reader);
  reader.skip_additions(extended);
}

void skip_vendor(PerReader& reader) {
  const bool extended = reader.flag(), product = reader.flag(), version = reader.flag();
  skip_h221(reader);
  if (product) reader.octets(reader.octet() + std::size_t{1});
  if (version) reader.octets(reader.octet() + std::size_t{1});
  reader.skip_additions(extended);
}

/// Sequences whose one root member is nonStandardData: gatekeeper, mcu, terminal.
void skip_plain(PerReader& reader) {
  const bool extended = reader.flag();
  if (reader.flag()) skip_non_standard(reader);
  reader.skip_additions(extended);
}

void skip_gateway(PerReader& reader) {
  const bool extended = reader.flag(), protocols = reader.flag(), non_standard = reader.flag();
  if (protocols) skip_each(reader, skip_protocol);
  if (non_standard) skip_non_standard(reader);
  reader.skip_additions(extended);
}

void skip_endpoint_type(PerReader& reader) {
  const bool extended = reader.flag();
  const std::uint32_t optional = reader.bits(6);
  if (optional & 32) skip_non_standard(reader);
  if (optional & 16) skip_vendor(reader);
  if (optional & 8) skip_plain(reader);
  if (optional & 4) skip_gateway(reader);
  if (optional & 2) skip_plain(reader);
  if (optional & 1) skip_plain(reader);
  reader.bits(2);
  reader.skip_additions(extended);
}

/// CHOICE of NULLs.
void skip_plain_choice(PerReader& reader, unsigned width) {
  if (reader.choice(width).extended) reader.counted();
}

void take_each(PerReader& reader, std::vector<Bytes>& elements) {
  skip_each(reader, [&](PerReader& each) {
    const Bytes element = each.counted();
    if (each.ok() && elements.size() < H225Message::element_limit) elements.push_back(element);
  });
}

void take_addition(Bytes value, std::vector<Bytes>& elements) {
  PerReader inner(value);
  take_each(inner, elements);
}

void additions(PerReader& reader, bool extended, std::uint32_t fast_start, H225Message& message) {
  reader.additions(extended, [&](std::uint32_t index, Bytes value) {
    if (index == fast_start) take_addition(value, message.fast_start);
  });
}

void setup(PerReader& reader, H225Message& message) {
  const bool extended = reader.flag();
  const std::uint32_t optional = reader.bits(7);
  reader.counted();                                            // protocolIdentifier
  if (optional & 64) message.h245_address = address(reader);
  if (optional & 32) skip_each(reader, skip_alias);
  skip_endpoint_type(reader);
  if (optional & 16) skip_each(reader, skip_alias);
  if (optional & 8) address(reader);
  if (optional & 4) skip_each(reader, skip_alias);
  if (optional & 2) skip_each(reader, [](PerReader& each) { each.two_octets(); });
  reader.flag();                                               // activeMC
  reader.octets(guid);
  skip_plain_choice(reader, 2);                                // conferenceGoal
  if (optional & 1) {                                          // callServices
    const bool services_extended = reader.flag();
    reader.bits(7);
    const bool details_extended = reader.flag();
    reader.bits(2);
    reader.skip_additions(details_extended);
    reader.skip_additions(services_extended);
  }
  skip_plain_choice(reader, 2);                                // callType
  additions(reader, extended, 6, message);
}

/// callProceeding and alerting.
void proceeding(PerReader& reader, H225Message& message) {
  const bool extended = reader.flag(), has_address = reader.flag();
  reader.counted();
  skip_endpoint_type(reader);
  if (has_address) message.h245_address = address(reader);
  additions(reader, extended, 4, message);
}

void connect(PerReader& reader, H225Message& message) {
  const bool extended = reader.flag(), has_address = reader.flag();
  reader.counted();
  if (has_address) message.h245_address = address(reader);
  skip_endpoint_type(reader);
  reader.octets(guid);
  additions(reader, extended, 4, message);
}

void information(PerReader& reader, H225Message& message) {
  const bool extended = reader.flag();
  reader.counted();
  additions(reader, extended, 3, message);
}

void release_complete(PerReader& reader) {
  const bool extended = reader.flag(), reason = reader.flag();
  reader.counted();
  if (reason) skip_plain_choice(reader, 4);
  reader.skip_additions(extended);
}

void facility(PerReader& reader, H225Message& message) {
  const bool extended = reader.flag();
  const std::uint32_t optional = reader.bits(3);
  reader.counted();
  if (optional & 4) address(reader);
  if (optional & 2) skip_each(reader, skip_alias);
  if (optional & 1) reader.octets(guid);
  skip_plain_choice(reader, 2);
  reader.additions(extended, [&](std::uint32_t index, Bytes value) {
    PerReader inner(value);
    if (index == 6) message.h245_address = address(inner);
    if (index == 7) take_each(inner, message.fast_start);
  });
}

/// The first addition to the choice of messages, thus in an open type of its own.
void progress(Bytes bytes, H225Message& message) {
  PerReader reader(bytes);
  reader.flag();
  const std::uint32_t optional = reader.bits(5);
  reader.counted();
  skip_endpoint_type(reader);
  if (optional & 16) message.h245_address = address(reader);
  const bool identifier_extended = reader.flag();
  reader.octets(guid);
  reader.skip_additions(identifier_extended);
  if (optional & 14) return;                                   // a security mode or tokens stand before fastStart
  if (optional & 1) take_each(reader, message.fast_start);
}

void body(PerReader& reader, H225Message& message) {
  const auto choice = reader.choice(3);
  if (choice.extended) {
    const Bytes value = reader.counted();
    if (choice.index == 0 && reader.ok()) progress(value, message);
    return;
  }
  switch (choice.index) {
    case 0: return setup(reader, message);
    case 1: case 3: return proceeding(reader, message);
    case 2: return connect(reader, message);
    case 4: return information(reader, message);
    case 5: return release_complete(reader);
    case 6: return facility(reader, message);
    default: return reader.give_up();
  }
}

}  // namespace

H225Message parse_h225(Bytes bytes) {
  H225Message message;
  PerReader reader(bytes);
  reader.bits(2);                                              // extension, user-data
  const bool extended = reader.flag(), non_standard = reader.flag();
  body(reader, message);
  if (non_standard) skip_non_standard(reader);
  reader.additions(extended, [&](std::uint32_t index, Bytes value) {
    if (index == 2) take_addition(value, message.h245_control);   // 0: h4501SupplementaryService, 1: h245Tunnelling
  });
  return message;
}

}  // namespace callwitness::classify
