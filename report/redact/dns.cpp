#include "report/redact/payload.hpp"

#include "capture/cursor.hpp"

#include <algorithm>
#include <string>

namespace callwitness::report {
namespace {

constexpr std::size_t header_length = 12;
constexpr int label_limit = 128;         // RFC 1035: a name has at most 127 labels
constexpr int record_limit = 4096;       // counts beyond this are an attack
constexpr std::uint16_t type_a = 1, type_ns = 2, type_cname = 5, type_ptr = 12, type_aaaa = 28;

std::uint16_t u16(Payload message, std::size_t at) {
  return static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]);
}

/// Replaces the labels written in place at `at`; a compression pointer ends them. Returns the position behind the
/// name, or 0 if it overruns. To know which suffix is public the name is read whole, pointers followed.
class NameScrubber {
 public:
  NameScrubber(Payload message, const PayloadContext& context)
      : message_(message), original_(message.begin(), message.end()), context_(context) {}

  std::size_t scrub(std::size_t at) {
    const std::string name = read(at);
    const std::string replaced = context_.pseudonyms.host_name(name);
    ++context_.summary.names_replaced;
    std::size_t in_name = 0;
    while (at < message_.size()) {
      const std::uint8_t length = message_[at];
      if (length == 0) return at + 1;
      if ((length & 0xc0) == 0xc0) return at + 2 <= message_.size() ? at + 2 : 0;
      if (length > 63 || at + 1 + length > message_.size()) return 0;
      for (std::size_t i = 0; i < length; ++i) {
        message_[at + 1 + i] = in_name + i < replaced.size() ? static_cast<std::uint8_t>(replaced[in_name + i]) : 'x';
      }
      in_name += length + 1u;
      at += length + 1u;
    }
    return 0;
  }

 private:
  /// From the untouched copy, so that the order of scrubbing does not matter.
  std::string read(std::size_t at) const {
    std::string name;
    for (int labels = 0; labels < label_limit && at < original_.size(); ++labels) {
      const std::uint8_t length = original_[at];
      if (length == 0) break;
      if ((length & 0xc0) == 0xc0) {
        if (at + 1 >= original_.size()) break;
        at = (length & 0x3fu) << 8 | original_[at + 1];
        continue;
      }
      if (length > 63 || at + 1 + length > original_.size()) break;
      if (!name.empty()) name += '.';
      name.append(original_.begin() + at + 1, original_.begin() + at + 1 + length);
      at += length + 1u;
    }
    return name;
  }

  Payload message_;
  std::vector<std::uint8_t> original_;
  const PayloadContext& context_;
};

void scrub_address(Payload data, std::uint8_t version, const PayloadContext& context) {
  capture::IpAddress address;
  address.version = version;
  std::copy(data.begin(), data.end(), address.bytes.begin());
  const auto replaced = context.pseudonyms.address(address);
  std::copy_n(replaced.bytes.begin(), data.size(), data.begin());
}

void scrub_record_data(Payload message, std::size_t at, std::uint16_t length, std::uint16_t type, NameScrubber& names,
                       const PayloadContext& context) {
  const Payload data = message.subspan(at, length);
  if (type == type_a && length == 4) return scrub_address(data, 4, context);
  if (type == type_aaaa && length == 16) return scrub_address(data, 6, context);
  if (type == type_cname || type == type_ns || type == type_ptr) {
    if (names.scrub(at) == at + length) return;
  }
  std::fill(data.begin(), data.end(), 0);
}

}  // namespace

std::size_t scrub_dns(Payload message, const PayloadContext& context) {
  if (message.size() < header_length) return 0;
  NameScrubber names(message, context);
  const int questions = u16(message, 4);
  const int records = u16(message, 6) + u16(message, 8) + u16(message, 10);
  std::size_t at = header_length;
  for (int i = 0; i < std::min(questions, record_limit); ++i) {
    const std::size_t end = names.scrub(at);
    if (end == 0 || end + 4 > message.size()) return at;
    at = end + 4;
  }
  for (int i = 0; i < std::min(records, record_limit); ++i) {
    const std::size_t end = names.scrub(at);
    if (end == 0 || end + 10 > message.size()) return at;
    const std::uint16_t type = u16(message, end), length = u16(message, end + 8);
    if (end + 10 + length > message.size()) return at;
    scrub_record_data(message, end + 10, length, type, names, context);
    at = end + 10 + length;
  }
  return at;
}

}  // namespace callwitness::report
