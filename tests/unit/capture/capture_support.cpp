#include "tests/unit/capture/capture_support.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace callwitness::test {

TemporaryFile::TemporaryFile(std::string_view contents, std::string_view suffix) {
  std::string pattern = (std::filesystem::temp_directory_path() / "callwitness-test-XXXXXX").string() + std::string(suffix);
  const int descriptor = ::mkstemps(pattern.data(), static_cast<int>(suffix.size()));
  if (descriptor >= 0) ::close(descriptor);
  path_ = pattern;
  std::ofstream(path_, std::ios::binary) << contents;
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

ReadResult read_paths(const std::vector<std::string>& paths, const capture::SourceOptions& options) {
  ReadResult result;
  auto source = capture::open_source(paths, options, result.records);
  if (!source) {
    result.error = source.error().attempted + ": " + source.error().reason;
    result.kind = source.error().kind;
    return result;
  }
  KeepPackets sink;
  if (const auto ran = source.value()->run(sink); !ran) {
    result.error = ran.error().reason;
    result.kind = ran.error().kind;
  }
  result.packets = std::move(sink.packets);
  return result;
}

ReadResult read_bytes(std::string_view contents, const capture::SourceOptions& options) {
  const TemporaryFile file(contents);
  return read_paths({file.path()}, options);
}

std::string pcap_header(bool big_endian, bool nanoseconds, std::uint32_t link_type, std::uint32_t snap_length) {
  return ByteBuilder(big_endian).u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).u16(2).u16(4).u64(0).u32(snap_length)
      .u32(link_type).bytes();
}

std::string pcap_record(std::uint32_t seconds, std::uint32_t fraction, std::string_view data, bool big_endian,
                        std::uint32_t wire) {
  return ByteBuilder(big_endian).u32(seconds).u32(fraction).u32(data.size()).u32(wire ? wire : data.size()).text(data)
      .bytes();
}

std::string pcapng_block(std::uint32_t type, std::string_view body, bool big_endian) {
  const std::size_t padding = (4 - body.size() % 4) % 4;
  const std::size_t length = 12 + body.size() + padding;
  return ByteBuilder(big_endian).u32(type).u32(length).text(body).zeros(padding).u32(length).bytes();
}

std::string pcapng_section(bool big_endian, std::string_view options) {
  return pcapng_block(0x0a0d0d0a, ByteBuilder(big_endian).u32(0x1a2b3c4d).u16(1).u16(0).u64(UINT64_MAX).text(options)
                                      .bytes(), big_endian);
}

std::string pcapng_interface(std::uint16_t link_type, std::uint32_t snap_length, std::string_view options,
                             bool big_endian) {
  return pcapng_block(1, ByteBuilder(big_endian).u16(link_type).u16(0).u32(snap_length).text(options).bytes(),
                      big_endian);
}

std::string pcapng_option(std::uint16_t code, std::string_view value, bool big_endian) {
  return ByteBuilder(big_endian).u16(code).u16(static_cast<unsigned>(value.size())).text(value)
      .zeros((4 - value.size() % 4) % 4).bytes();
}

std::string pcapng_packet(std::uint32_t interface, std::uint64_t ticks, std::string_view data, std::string_view options,
                          bool big_endian) {
  return pcapng_block(6, ByteBuilder(big_endian).u32(interface).u32(ticks >> 32).u32(ticks & 0xffffffff)
                             .u32(data.size()).u32(data.size()).text(data).zeros((4 - data.size() % 4) % 4)
                             .text(options).bytes(), big_endian);
}

std::string udp(std::uint16_t source, std::uint16_t destination, std::string_view payload) {
  return ByteBuilder(true).u16(source).u16(destination).u16(static_cast<unsigned>(payload.size() + 8)).u16(0)
      .text(payload).bytes();
}

std::string ipv4(std::uint8_t protocol, std::string_view payload, std::uint16_t id, std::uint16_t fragment,
                 std::uint16_t total) {
  return ByteBuilder(true).u8(0x45).u8(0).u16(total ? total : static_cast<unsigned>(payload.size() + 20)).u16(id)
      .u16(fragment).u8(64).u8(protocol).u16(0).u32(0xc0000201).u32(0xc6336402).text(payload).bytes();
}

std::string ipv6(std::uint8_t next_header, std::string_view payload) {
  return ByteBuilder(true).u32(0x60000000).u16(static_cast<unsigned>(payload.size())).u8(next_header).u8(64)
      .u64(0x20010db800000000).u64(1).u64(0x20010db800000000).u64(2).text(payload).bytes();
}

std::string ethernet(std::uint16_t type, std::string_view payload) {
  return ByteBuilder(true).u32(0x02000000).u16(1).u32(0x02000000).u16(2).u16(type).text(payload).bytes();
}

Decoded decode(std::uint16_t link_type, const std::vector<std::string>& frames, std::uint32_t wire_length) {
  Decoded result;
  KeepDatagrams sink;
  capture::Decoder decoder(sink, result.anomalies);
  capture::Packet packet;
  packet.link_type = static_cast<capture::LinkType>(link_type);
  for (const std::string& frame : frames) {
    packet.time += std::chrono::milliseconds(1);
    ++packet.ordinal;
    // A copy of the exact size, so that a read past the end is a sanitizer's finding.
    const std::vector<std::uint8_t> exact(frame.begin(), frame.end());
    packet.bytes = exact;
    packet.wire_length = wire_length ? wire_length : static_cast<std::uint32_t>(frame.size());
    decoder.on_packet(packet);
  }
  decoder.finish();
  result.datagrams = std::move(sink.datagrams);
  return result;
}

}  // namespace callwitness::test
