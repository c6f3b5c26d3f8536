// Builds captures and frames for the tests of this room.
#pragma once

#include "capture/decoder.hpp"
#include "capture/source.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace callwitness::test {

/// Grows a byte string field by field, in either byte order.
class ByteBuilder {
 public:
  explicit ByteBuilder(bool big_endian = false) : big_endian_(big_endian) {}
  ByteBuilder& u8(unsigned value) { return put(value, 1); }
  ByteBuilder& u16(unsigned value) { return put(value, 2); }
  ByteBuilder& u32(std::uint64_t value) { return put(value, 4); }
  ByteBuilder& u64(std::uint64_t value) { return put(value, 8); }
  ByteBuilder& text(std::string_view more) {
    bytes_ += more;
    return *this;
  }
  ByteBuilder& zeros(std::size_t count) {
    bytes_.append(count, '\0');
    return *this;
  }
  ByteBuilder& list(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) bytes_ += static_cast<char>(value);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  ByteBuilder& put(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (big_endian_ ? size - 1 - i : i);
      bytes_ += static_cast<char>(value >> shift & 0xff);
    }
    return *this;
  }
  bool big_endian_;
  std::string bytes_;
};

struct KeptPacket {
  capture::Time time;
  std::string bytes;
  std::uint32_t wire_length = 0;
  std::uint16_t link_type = 0;
  capture::LinkDirection direction{};
  std::uint64_t ordinal = 0;
  bool operator==(const KeptPacket&) const = default;
};

struct KeepPackets final : capture::PacketSink {
  void on_packet(const capture::Packet& packet) override {
    packets.push_back({packet.time, {packet.bytes.begin(), packet.bytes.end()}, packet.wire_length,
                       static_cast<std::uint16_t>(packet.link_type), packet.direction, packet.ordinal});
  }
  void finish() override { ++finished; }
  std::vector<KeptPacket> packets;
  int finished = 0;
};

struct KeptDatagram {
  capture::Datagram datagram;   ///< its borrowed parts point nowhere
  std::string payload, owner;
};

struct KeepDatagrams final : capture::DatagramSink {
  void on_datagram(const capture::Datagram& datagram) override {
    KeptDatagram kept{datagram, {datagram.payload.begin(), datagram.payload.end()}, std::string(datagram.owner)};
    kept.datagram.payload = {};
    kept.datagram.owner = {};
    datagrams.push_back(std::move(kept));
  }
  std::vector<KeptDatagram> datagrams;
};

/// A file under the system's temporary directory, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view contents, std::string_view suffix = ".pcap");
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct ReadResult {
  std::vector<KeptPacket> packets;
  capture::CaptureRecords records;
  std::string error;   ///< empty: opened
  capture::Error::Kind kind{};
};

ReadResult read_paths(const std::vector<std::string>& paths, const capture::SourceOptions& options = {});
ReadResult read_bytes(std::string_view contents, const capture::SourceOptions& options = {});

/// 24 bytes of pcap file header, and one record.
std::string pcap_header(bool big_endian = false, bool nanoseconds = false, std::uint32_t link_type = 1,
                        std::uint32_t snap_length = 262144);
std::string pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view data, bool big_endian = false,
                        std::uint32_t wire = 0);

/// One pcapng block around `body` (padded here).
std::string pcapng_block(std::uint32_t type, std::string_view body, bool big_endian = false);
std::string pcapng_section(bool big_endian = false, std::string_view options = {});
std::string pcapng_interface(std::uint16_t link_type = 1, std::uint32_t snap_length = 0, std::string_view options = {},
                             bool big_endian = false);
std::string pcapng_option(std::uint16_t code, std::string_view value, bool big_endian = false);
std::string pcapng_packet(std::uint32_t interface, std::uint64_t ticks, std::string_view data,
                          std::string_view options = {}, bool big_endian = false);

/// Frames, in network byte order.
std::string udp(std::uint16_t source, std::uint16_t destination, std::string_view payload);
std::string ipv4(std::uint8_t protocol, std::string_view payload, std::uint16_t id = 0, std::uint16_t fragment = 0,
                 std::uint16_t total = 0);
std::string ipv6(std::uint8_t next_header, std::string_view payload);
std::string ethernet(std::uint16_t type, std::string_view payload);

struct Decoded {
  std::vector<KeptDatagram> datagrams;
  capture::Anomalies anomalies;
};
/// Decodes frames as packets 1, 2, 3 … a millisecond apart.
Decoded decode(std::uint16_t link_type, const std::vector<std::string>& frames, std::uint32_t wire_length = 0);

}  // namespace callwitness::test
